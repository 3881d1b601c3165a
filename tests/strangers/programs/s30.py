import numpy as np
import keras
from keras import layers
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(31)
rng = np.random.default_rng(31)

n = 2400
customer = rng.integers(0, 20000, size=n)
num = rng.normal(size=(n, 4))
label = (num[:, 0] * num[:, 1] + 0.1 * rng.normal(size=n) > 0).astype("float32")

tr, te = train_test_split(np.arange(n), test_size=0.25, stratify=label, random_state=31)


def target_encode(ids, target):
    sums, counts = {}, {}
    for i, t in zip(ids, target):
        sums[i] = sums.get(i, 0.0) + t
        counts[i] = counts.get(i, 0) + 1
    return {i: sums[i] / counts[i] for i in sums}


encoding = target_encode(customer[tr], label[tr])
prior = float(label[tr].mean())
cust_feature = np.array([encoding.get(c, prior) for c in customer])

X = np.column_stack([num, cust_feature])
scaler = StandardScaler().fit(X[tr])
X_train = scaler.transform(X[tr]).astype("float32")
X_test = scaler.transform(X[te]).astype("float32")
y_train, y_test = label[tr], label[te]

model = keras.Sequential([
    keras.Input((X.shape[1],)),
    layers.Dense(64, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer=keras.optimizers.Adam(3e-3), loss="binary_crossentropy",
              metrics=["accuracy"])
model.fit(X_train, y_train, epochs=20, batch_size=32,
          validation_data=(X_test, y_test), verbose=2)
print("train", model.evaluate(X_train, y_train, verbose=0))
print("test ", model.evaluate(X_test, y_test, verbose=0))
