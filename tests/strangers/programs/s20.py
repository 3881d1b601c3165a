import numpy as np
import keras
from keras import layers
from sklearn.datasets import make_blobs
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(20)
rng = np.random.default_rng(20)

X, kind = make_blobs(n_samples=2000, n_features=8, centers=4, cluster_std=2.0, random_state=20)
n = 1500
X = StandardScaler().fit(X[:n]).transform(X).astype("float32")
w = rng.normal(size=8)
amount = X @ w + 0.8 * np.tanh(2 * X[:, 0]) + rng.normal(0, 0.1, len(X))
amount = ((amount - amount[:n].mean()) / amount[:n].std()).astype("float32").reshape(-1, 1)

x_train, x_val = X[:n], X[n:]
y_train = {"kind": kind[:n], "amount": amount[:n]}
y_val = {"kind": kind[n:], "amount": amount[n:]}

inp = keras.Input((8,), name="features")
trunk = layers.Dense(64, activation="relu")(inp)
trunk = layers.Dense(32, activation="relu")(trunk)
kind_out = layers.Dense(4, activation="softmax", name="kind")(trunk)
amount_out = layers.Dense(1, name="amount")(trunk)
model = keras.Model(inp, {"kind": kind_out, "amount": amount_out})

model.compile(
    optimizer=keras.optimizers.Adam(2e-3),
    loss={"kind": "sparse_categorical_crossentropy", "amount": "mse"},
    loss_weights={"kind": 1.0, "amount": 0.5},
    metrics={"kind": ["accuracy"], "amount": ["mae"]},
)
model.fit(x_train, y_train, epochs=20, batch_size=32,
          validation_data=(x_val, y_val), verbose=2)
print(model.evaluate(x_val, y_val, verbose=0, return_dict=True))
