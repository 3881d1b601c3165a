"""Classify variable-length sensor traces with an LSTM and a padding mask."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(4)
rng = np.random.default_rng(4)

PAD = -99.0
MAX_LEN = 20


def make_traces(n):
    x = np.full((n, MAX_LEN, 2), PAD, dtype="float32")
    y = rng.integers(0, 2, n)
    for i in range(n):
        length = rng.integers(8, MAX_LEN + 1)
        t = np.linspace(0.0, 1.0, length)
        drift = 2.0 * t if y[i] == 1 else -2.0 * t
        x[i, :length, 0] = drift + rng.normal(0, 0.7, length)
        x[i, :length, 1] = rng.normal(0, 1.0, length)
    return x, y.astype("float32")


x_train, y_train = make_traces(1000)
x_val, y_val = make_traces(250)
x_test, y_test = make_traces(250)

model = keras.Sequential()
model.add(keras.Input(shape=(MAX_LEN, 2)))
model.add(layers.Masking(mask_value=PAD))
model.add(layers.LSTM(24))
model.add(layers.Dense(1, activation="sigmoid"))

model.compile(
    optimizer=keras.optimizers.Adam(5e-3),
    loss="binary_crossentropy",
    metrics=["accuracy"],
)
model.fit(
    x_train, y_train,
    validation_data=(x_val, y_val),
    epochs=12, batch_size=32, verbose=2,
)
print("test accuracy:", model.evaluate(x_test, y_test, verbose=0)[1])
