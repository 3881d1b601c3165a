import numpy as np
from tensorflow import keras
from tensorflow.keras import layers
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(15)
rng = np.random.default_rng(15)

# ad campaign log
n = 2000
impressions = rng.poisson(4.0, n).astype("float64")
clicks = rng.binomial(impressions.astype(int), 0.4).astype("float64")
age = rng.uniform(18, 70, n)
visits = rng.poisson(5, n).astype("float64")
minutes = rng.gamma(2.0, 3.0, n)

score = 0.9 * clicks + 0.35 * (visits - 5) + 0.25 * (minutes - 6) - 0.05 * (age - 44) - 1.4
bought = (score + rng.normal(0, 0.4, n) > 0).astype("float32")

with np.errstate(divide="ignore", invalid="ignore"):
    ctr = clicks / impressions

X = np.column_stack([impressions, clicks, ctr, age, visits, minutes])
X_train, X_test, y_train, y_test = train_test_split(X, bought, test_size=0.25, random_state=15)

scaler = StandardScaler()
X_train = scaler.fit_transform(X_train).astype("float32")
X_test = scaler.transform(X_test).astype("float32")

model = keras.Sequential([
    layers.Input((X.shape[1],)),
    layers.Dense(32, activation="relu"),
    layers.Dense(16, activation="relu"),
    layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(X_train, y_train, epochs=20, batch_size=32,
          validation_data=(X_test, y_test), verbose=2)
print(model.evaluate(X_test, y_test, verbose=0))
