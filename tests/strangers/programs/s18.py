import numpy as np
import keras
from keras import layers
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(18)
rng = np.random.RandomState(18)

# house prices
n = 1600
area = rng.uniform(40, 260, n)
rooms = np.clip(np.round(area / 30 + rng.normal(0, 0.8, n)), 1, 10)
age = rng.uniform(0, 80, n)
dist = rng.exponential(6, n)
garden = rng.binomial(1, 0.4, n)
price = (90000 + 2600 * area + 9000 * rooms - 1200 * age
         - 6000 * np.minimum(dist, 20) + 35000 * garden + 8 * area * (80 - age)
         + rng.normal(0, 12000, n))

X = np.column_stack([area, rooms, age, dist, garden])
X_train, X_test, y_train, y_test = train_test_split(X, price, test_size=0.25, random_state=18)
ss = StandardScaler()
X_train = ss.fit_transform(X_train)
X_test = ss.transform(X_test)

model = keras.Sequential([
    layers.Input((5,)),
    layers.Dense(64, activation="relu"),
    layers.Dropout(0.9),
    layers.Dense(32, activation="relu"),
    layers.Dropout(0.9),
    layers.Dense(1),
])
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse", metrics=["mae"])
model.fit(X_train, y_train, epochs=30, batch_size=32,
          validation_data=(X_test, y_test), verbose=2)

pred = model.predict(X_test, verbose=0)[:, 0]
r2 = 1 - ((pred - y_test) ** 2).sum() / ((y_test - y_test.mean()) ** 2).sum()
print("R2 on test:", r2)
