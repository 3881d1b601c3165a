import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

d = load_digits()
keep = np.isin(d.target, [0, 1, 4, 6, 9])
x = d.images[keep][..., None].astype("float32") / 16
y = np.searchsorted([0, 1, 4, 6, 9], d.target[keep])
x, x_val, y, y_val = x[:700], x[700:], y[:700], y[700:]

augment = keras.Sequential([layers.RandomTranslation(0.9, 0.9), layers.GaussianNoise(1.0)], name="augment")

inp = keras.Input((8, 8, 1))
z = augment(inp)
z = layers.Conv2D(16, 3, activation="relu")(z)
z = layers.Flatten()(z)
z = layers.Dense(32, activation="relu")(z)
model = keras.Model(inp, layers.Dense(5, activation="softmax")(z))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=15, batch_size=32, validation_data=(x_val, y_val), verbose=2)
