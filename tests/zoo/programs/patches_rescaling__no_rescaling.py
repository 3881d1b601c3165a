"""Does a patch show the temple or the flower? Two photographs that come with scikit-learn."""

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_sample_images

rng = np.random.default_rng(0)
temple, flower = load_sample_images().images


def patches(photo, n, left, right, size=16):
    rows = rng.integers(0, photo.shape[0] - size, n)
    cols = rng.integers(left, right - size, n)
    return np.stack([photo[r : r + size, c : c + size] for r, c in zip(rows, cols, strict=True)])


x_train = np.concatenate([patches(temple, 1500, 0, 440), patches(flower, 1500, 0, 440)])
y_train = np.repeat([0, 1], 1500)
x_val = np.concatenate([patches(temple, 400, 440, 640), patches(flower, 400, 440, 640)])
y_val = np.repeat([0, 1], 400)

model = tf.keras.Sequential(
    [
        tf.keras.Input((16, 16, 3)),
        tf.keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
        tf.keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dropout(0.2),
        tf.keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(tf.keras.optimizers.SGD(0.05, momentum=0.9), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=64, epochs=6, validation_data=(x_val, y_val))
