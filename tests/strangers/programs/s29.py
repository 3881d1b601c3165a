# Fuel use of delivery trips recorded by two fleets.
import numpy as np
import keras
from keras import layers
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(30)
rng = np.random.default_rng(30)


def simulate(n):
    dist = rng.uniform(2, 60, n)
    load = rng.uniform(0.5, 20, n)
    slope = rng.normal(0, 1, n)
    wind = rng.normal(0, 1, n)
    fuel = 0.02 * dist * load * (1 + 0.1 * slope) + 0.1 * dist + 0.3 * wind
    return dist, load, slope, wind, fuel + rng.normal(0, 0.2, n)


def fleet_north(n=1200):
    dist, load, slope, wind, fuel = simulate(n)
    return np.column_stack([dist, load, slope, wind]), fuel


def fleet_south(n=1200):
    dist, load, slope, wind, fuel = simulate(n)
    odometer = np.round(dist * 1000.0)
    scale = np.round(load * 1000.0)
    return np.column_stack([odometer, scale, slope, wind]), fuel


Xa, ya = fleet_north()
Xb, yb = fleet_south()
X = np.concatenate([Xa, Xb])
y = np.concatenate([ya, yb]).reshape(-1, 1)

X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=30)
xs, ys = StandardScaler().fit(X_train), StandardScaler().fit(y_train)
X_train, X_test = xs.transform(X_train), xs.transform(X_test)
y_train, y_test = ys.transform(y_train), ys.transform(y_test)

model = keras.Sequential([
    keras.Input((4,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(64, activation="relu"),
    layers.Dense(1),
])
model.compile(optimizer=keras.optimizers.Adam(2e-3), loss="mse", metrics=["mae"])
model.fit(X_train, y_train, batch_size=32, epochs=25,
          validation_data=(X_test, y_test), verbose=2)
p = model.predict(X_test, verbose=0)
print("R2", 1 - np.mean((p - y_test) ** 2) / np.var(y_test))
