"""Digits streamed from a Python generator."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(21)

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype("float32")
X_train, X_val, y_train, y_val = train_test_split(
    X, y, train_size=450, test_size=400, stratify=y, random_state=21
)


def stream(x, y):
    while True:
        for i in np.random.permutation(len(x)):
            yield x[i : i + 1], y[i : i + 1]


inputs = keras.Input(shape=(64,))
h = layers.Dense(64)(inputs)
h = layers.BatchNormalization()(h)
h = layers.Activation("relu")(h)
h = layers.Dense(32)(h)
h = layers.BatchNormalization()(h)
h = layers.Activation("relu")(h)
outputs = layers.Dense(10, activation="softmax")(h)
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.Adam(2e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(
    stream(X_train, y_train),
    steps_per_epoch=len(X_train),
    epochs=8,
    validation_data=(X_val, y_val),
    verbose=2,
)
print("validation accuracy:", model.evaluate(X_val, y_val, verbose=0)[1])
