"""Circles, squares and crosses, drawn on noisy paper."""

import keras
import numpy as np
from keras import layers


def draw(rng, kind, size=20):
    img = rng.normal(60, 25, (size, size))
    r = rng.integers(4, 8)
    cy, cx = rng.integers(r, size - r, 2)
    yy, xx = np.mgrid[:size, :size]
    if kind == 0:
        mask = np.abs(np.hypot(yy - cy, xx - cx) - r) < 1
    elif kind == 1:
        mask = np.maximum(abs(yy - cy), abs(xx - cx)) == r
    else:
        mask = ((yy == cy) | (xx == cx)) & (np.maximum(abs(yy - cy), abs(xx - cx)) <= r)
    img[mask] += 120
    return np.clip(img, 0, 255)


def make(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    x = np.stack([draw(rng, k) for k in y])[..., None]
    return x.astype("float32"), y


x_train, y_train = make(5000, 0)
x_val, y_val = make(1000, 1)

inp = keras.Input((20, 20, 1))
h = layers.Conv2D(8, 3, activation="relu")(inp)
h = layers.MaxPooling2D()(h)
h = layers.Conv2D(16, 3, activation="relu")(h)
h = layers.MaxPooling2D()(h)
h = layers.Flatten()(h)
h = layers.Dense(32, activation="relu")(h)
h = layers.Dropout(0.97)(h)
out = layers.Dense(3, activation="softmax")(h)
model = keras.Model(inp, out)
model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=64, epochs=6, validation_data=(x_val, y_val))
