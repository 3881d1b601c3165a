"""Small digit recogniser, data in one csv-like matrix whose first column is the label."""

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits


def load():
    bunch = load_digits()
    grey = np.clip(bunch.data * 16, 0, 255)
    matrix = np.column_stack([bunch.target, grey]).astype("float32")
    np.random.default_rng(0).shuffle(matrix)
    return matrix


data = load() / 255.0
train, test = data[:1300], data[1300:]
model = tf.keras.models.Sequential()
model.add(tf.keras.layers.Input(shape=(64,)))
model.add(tf.keras.layers.Dense(100, activation="relu"))
model.add(tf.keras.layers.Dense(10, activation="softmax"))
model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(train[:, 1:], train[:, 0], batch_size=50, epochs=20, validation_data=(test[:, 1:], test[:, 0]), verbose=0)
