import numpy as np
from keras.layers import Activation, BatchNormalization, Dense, Input
from keras.models import Sequential
from keras.optimizers import Adam

rng = np.random.default_rng(1)


def harvest(n):
    x = rng.uniform([5, 200, 0], [30, 900, 12], (n, 3))  # warmth, rain, fertilizer
    y = (
        2
        + 0.2 * x[:, 0]
        - 0.006 * (x[:, 0] - 19) ** 2
        + 0.003 * x[:, 1]
        + 0.5 * np.sqrt(x[:, 2])
        + rng.normal(0, 0.2, n)
    )
    return x.astype("float32"), y.astype("float32")


def batches(x, y, size):
    while True:
        pick = rng.integers(0, len(x), size)
        yield x[pick], y[pick]


x, y = harvest(1500)
x_val, y_val = harvest(400)
model = Sequential([Input((3,)), BatchNormalization(momentum=0.9)])
for width in (32, 32):
    model.add(Dense(width))
    model.add(Activation("relu"))
model.add(Dense(1))
model.compile(optimizer=Adam(0.01), loss="mse", metrics=["mae"])
model.fit(batches(x, y, 32), steps_per_epoch=45, epochs=12, validation_data=(x_val, y_val), verbose=2)
