import numpy as np
import tensorflow as tf


class PowerCurve(tf.keras.Model):
    """Output of a turbine in kilowatts, from wind speed, gusts and temperature."""

    def __init__(self):
        super().__init__()
        self.hidden = [tf.keras.layers.Dense(24, activation="relu") for _ in range(2)]
        self.out = tf.keras.layers.Dense(1, activation="tanh")

    def call(self, x):
        for layer in self.hidden:
            x = layer(x)
        return self.out(x)


def turbine(n, rng):
    wind, gusts, temp = rng.uniform(0, 25, n), rng.uniform(0, 8, n), rng.uniform(-10, 30, n)
    kw = 90 / (1 + np.exp(-(wind + 0.3 * gusts - 11) / 1.8)) + 5 - 0.1 * temp + rng.normal(0, 2, n)
    x = np.stack([wind / 25, gusts / 8, temp / 30], 1)
    return x.astype("float32"), kw.astype("float32")


rng = np.random.default_rng(2)
x_train, y_train = turbine(2000, rng)
x_valid, y_valid = turbine(500, rng)

model = PowerCurve()
model.compile(optimizer=tf.keras.optimizers.Adam(learning_rate=0.01), loss=tf.keras.losses.MeanSquaredError())
model.fit(x_train, y_train, epochs=30, batch_size=64, validation_data=(x_valid, y_valid), verbose=0)
print("RMSE", float(np.sqrt(model.evaluate(x_valid, y_valid, verbose=0))))
