"""Loan default model: train on closed loans, score new applications."""
import numpy as np
import keras
from keras import layers
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(28)
rng = np.random.default_rng(28)


def people(n):
    income = rng.normal(50, 12, n)
    debt_ratio = rng.uniform(0, 1, n)
    age = rng.uniform(21, 70, n)
    late_before = rng.poisson(1.0, n)
    z = -0.06 * (income - 50) + 4.0 * (debt_ratio - 0.5) + 0.5 * (late_before - 1.0)
    default = (z + rng.normal(0, 0.6, n) > 0).astype("int64")
    return income, debt_ratio, age, late_before, default


# closed loans: everything in the customer file
income, debt_ratio, age, late_before, default = people(2000)
collection_calls = np.where(default == 1, 1 + rng.poisson(4.0, len(default)), 0)
X = np.column_stack([income, debt_ratio, age, late_before, collection_calls])
y = default

# new applications, outcome observed a year later
income, debt_ratio, age, late_before, new_default = people(600)
X_new = np.column_stack(
    [income, debt_ratio, age, late_before, np.zeros(len(new_default))]
)

X_train, X_val, y_train, y_val = train_test_split(
    X, y, test_size=0.2, stratify=y, random_state=28
)
scaler = StandardScaler().fit(X_train)
X_train = scaler.transform(X_train).astype("float32")
X_val = scaler.transform(X_val).astype("float32")
X_new = scaler.transform(X_new).astype("float32")

model = keras.Sequential(
    [
        keras.Input(shape=(5,)),
        layers.Dense(32, activation="relu"),
        layers.Dense(16, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(2e-3), loss="binary_crossentropy", metrics=["accuracy"]
)
model.fit(
    X_train, y_train, validation_data=(X_val, y_val),
    epochs=30, batch_size=32, verbose=2,
)
print("validation accuracy:", model.evaluate(X_val, y_val, verbose=0)[1])
p = model.predict(X_new, verbose=0).ravel() > 0.5
print("accuracy on new applications:", float(np.mean(p == new_default)))
print("recall on new applications:", float(np.mean(p[new_default == 1])))
