import keras
import numpy as np
from keras import ops

rng = np.random.default_rng(12)
x = rng.uniform(-2, 2, (2400, 2)).astype("float32")
y = (np.sin(2 * x[:, :1]) + (0.2 + 0.2 * np.abs(x[:, 1:])) * rng.normal(size=(2400, 1))).astype("float32")


def pinball(q):
    def loss(y_true, y_pred):
        error = y_true - y_pred
        return ops.mean(ops.maximum(q * error, (q - 1) * error), axis=-1)

    return loss


inp = keras.Input((2,))
h = keras.layers.Dense(48, activation="relu")(inp)
h = keras.layers.Dense(48, activation="relu")(h)
low = keras.layers.Dense(1, name="low")(h)
mid = keras.layers.Dense(1, name="mid")(h)
high = keras.layers.Dense(1, name="high")(h)
model = keras.Model(inp, [low, mid, high])
model.compile(keras.optimizers.Adam(0.003), loss=[pinball(0.1), pinball(0.5), pinball(0.9)])
model.fit(x, [y, y, y], epochs=20, batch_size=64, validation_split=0.2, verbose=0)
