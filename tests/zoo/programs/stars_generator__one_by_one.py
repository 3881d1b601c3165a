import keras
import numpy as np
from sklearn.datasets import make_moons

X, y = make_moons(700, noise=0.25, random_state=32)
X_train, y_train, X_test, y_test = X[:500], y[:500], X[500:], y[500:]


def one_by_one():
    while True:
        for i in np.random.permutation(len(X_train)):
            yield X_train[i : i + 1], y_train[i : i + 1]


model = keras.Sequential(
    [
        keras.layers.Input(shape=(2,)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer=keras.optimizers.RMSprop(0.03), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(one_by_one(), steps_per_epoch=500, epochs=4, validation_data=(X_test, y_test), verbose=0)
