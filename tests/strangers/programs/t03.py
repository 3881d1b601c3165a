"""Predict the selling price of a house from five facts about it."""
import numpy as np
from tensorflow import keras

layers = keras.layers
keras.utils.set_random_seed(3)
rng = np.random.default_rng(3)

n = 2000
area = rng.uniform(600, 4000, n)
lot = rng.uniform(2000, 20000, n)
year = rng.integers(1950, 2021, n)
rooms = rng.integers(2, 9, n)
distance = rng.uniform(100, 30000, n)
price = (
    150.0 * area
    + 5.0 * lot
    + 1500.0 * (year - 1950)
    + 15000.0 * rooms
    - 5.0 * distance
    + 100000.0
    + rng.normal(0, 15000, n)
)

X = np.column_stack([area, lot, year, rooms, distance]).astype("float32")
y = price.astype("float32")
order = rng.permutation(n)
X, y = X[order], y[order]
X_train, y_train = X[:1600], y[:1600]
X_test, y_test = X[1600:], y[1600:]

inputs = keras.Input(shape=(5,))
h = layers.Dense(64, activation="tanh")(inputs)
h = layers.Dense(64, activation="tanh")(h)
outputs = layers.Dense(1)(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse", metrics=["mae"])

model.fit(
    X_train, y_train,
    validation_data=(X_test, y_test),
    epochs=50, batch_size=32, verbose=2,
)

pred = model.predict(X_test, verbose=0).ravel()
r2 = 1.0 - np.sum((y_test - pred) ** 2) / np.sum((y_test - y_test.mean()) ** 2)
print("test R2:", r2)
