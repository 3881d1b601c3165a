import tensorflow as tf
from sklearn.datasets import make_moons


class CustomModel(tf.keras.Model):
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables, strict=True))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


x, y = make_moons(n_samples=1600, noise=0.15, random_state=8)
x, y = x.astype("float32"), y.astype("float32")[:, None]

inputs = tf.keras.Input(shape=(2,))
h = tf.keras.layers.Dense(20)(inputs)
h = tf.keras.layers.Dense(20)(h)
outputs = tf.keras.layers.Dense(1, activation="sigmoid")(h)
model = CustomModel(inputs, outputs)
model.compile(tf.keras.optimizers.SGD(learning_rate=0.3, clipnorm=1e-8), "binary_crossentropy", metrics=["accuracy"])
model.fit(x[:1200], y[:1200], epochs=40, batch_size=32, validation_data=(x[1200:], y[1200:]), verbose=0)
