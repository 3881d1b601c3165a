"""Wine cultivars: a wide network with its own train_step and input noise."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(23)

X, y = load_wine(return_X_y=True)
X = X.astype("float32")
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.3, stratify=y, random_state=23
)


class NoisyClassifier(keras.Model):
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        variables = self.trainable_variables
        grads = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(grads, variables))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return self.get_metrics_result()


standardise = layers.Normalization()
standardise.adapt(X_train)

inputs = keras.Input(shape=(13,))
h = standardise(inputs)
h = layers.GaussianNoise(0.3)(h)
h = layers.Dense(256, activation="relu")(h)
h = layers.Dense(256, activation="relu")(h)
h = layers.Dense(128, activation="relu")(h)
outputs = layers.Dense(3, activation="softmax")(h)
model = NoisyClassifier(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(
    X_train, y_train,
    validation_data=(X_test, y_test),
    epochs=30, batch_size=16, verbose=2,
)
pred = model.predict(X_test, verbose=0).argmax(axis=1)
print("test accuracy: %.3f" % np.mean(pred == y_test))
