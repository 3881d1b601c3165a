import keras
import numpy as np


class Regressor(keras.Model):
    def __init__(self, width=32):
        super().__init__(name="regressor")
        self.body = [keras.layers.Dense(width, activation="relu") for _ in range(2)]
        self.top = keras.layers.Dense(1, activation="sigmoid")

    def call(self, inputs):
        for layer in self.body:
            inputs = layer(inputs)
        return self.top(inputs)


if __name__ == "__main__":
    rng = np.random.default_rng(20)
    x = rng.uniform(-1, 1, size=(1500, 4)).astype("float32")
    y = 53 + 30 * x[:, 0] + 20 * np.sin(3 * x[:, 1]) + rng.normal(0, 2, 1500)
    model = Regressor()
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mean_absolute_error")
    model.fit(x[:1200], y[:1200], epochs=20, batch_size=32, validation_data=(x[1200:], y[1200:]), verbose=0)
