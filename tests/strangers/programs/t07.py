"""A regression model with its own training step, fed from tf.data."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(7)
rng = np.random.default_rng(7)

n = 1600
X = rng.normal(size=(n, 8)).astype("float32")
w = rng.normal(size=8)
y = X @ w + 0.5 * X[:, 0] * X[:, 1] + rng.normal(0, 0.1, n)
y = ((y - y.mean()) / y.std()).astype("float32")
X_train, y_train = X[:1280], y[:1280]
X_val, y_val = X[1280:], y[1280:]


class Regressor(keras.Model):
    def __init__(self):
        super().__init__()
        self.d1 = layers.Dense(64, activation="relu")
        self.d2 = layers.Dense(32, activation="relu")
        self.out = layers.Dense(1)

    def call(self, x):
        return self.out(self.d2(self.d1(x)))

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = tf.reduce_mean(tf.square(y - y_pred))
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return self.get_metrics_result()


train_ds = (
    tf.data.Dataset.from_tensor_slices((X_train, y_train))
    .shuffle(1280, seed=7)
    .batch(32)
    .prefetch(2)
)
val_ds = tf.data.Dataset.from_tensor_slices((X_val, y_val)).batch(64)

model = Regressor()
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse", metrics=["mae"])
model.fit(train_ds, validation_data=val_ds, epochs=20, verbose=2)

pred = model.predict(X_val, verbose=0).ravel()
r2 = 1.0 - np.sum((y_val - pred) ** 2) / np.sum((y_val - y_val.mean()) ** 2)
print("validation R2: %.3f" % r2)
