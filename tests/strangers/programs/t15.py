"""Regression on a scaled table with momentum SGD."""
import numpy as np
from tensorflow import keras
from sklearn.datasets import make_regression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

layers = keras.layers
keras.utils.set_random_seed(15)

X, y = make_regression(
    n_samples=1500, n_features=20, n_informative=12, noise=5.0, random_state=15
)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=15)

xs = StandardScaler().fit(X_train)
ys = StandardScaler().fit(y_train.reshape(-1, 1))
X_train = xs.transform(X_train).astype("float32")
X_test = xs.transform(X_test).astype("float32")
y_train = ys.transform(y_train.reshape(-1, 1)).astype("float32")
y_test = ys.transform(y_test.reshape(-1, 1)).astype("float32")

model = keras.Sequential()
model.add(keras.Input(shape=(20,)))
model.add(layers.Dense(128, activation="relu"))
model.add(layers.Dense(128, activation="relu"))
model.add(layers.Dense(64, activation="relu"))
model.add(layers.Dense(1))

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=1.0, momentum=0.9),
    loss="mean_squared_error",
    metrics=["mae"],
)
model.fit(
    X_train, y_train, validation_data=(X_test, y_test),
    epochs=20, batch_size=32, verbose=2,
)
pred = model.predict(X_test, verbose=0)
print("R2:", 1.0 - np.mean((y_test - pred) ** 2) / np.var(y_test))
