import keras
import tensorflow as tf
from sklearn.datasets import load_digits


class TwoPart(keras.Model):
    def __init__(self):
        super().__init__()
        self.features = keras.Sequential(
            [keras.layers.Dense(12, activation="tanh"), keras.layers.Dense(12, activation="tanh")], name="features"
        )
        self.classifier = keras.layers.Dense(10, name="classifier")

    def call(self, x):
        return self.classifier(self.features(x))

    def train_step(self, data):
        x, y = data
        weights = self.features.trainable_weights + self.classifier.trainable_weights
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
        return {m.name: m.result() for m in self.metrics}


x, y = load_digits(return_X_y=True)
x = x.astype("float32") / 16
model = TwoPart()
model(x[:1])  # makes the weights
model.compile(optimizer=keras.optimizers.Adam(0.01), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(x[::2], y[::2], batch_size=32, epochs=25, verbose=0, validation_data=(x[1::2], y[1::2]))
