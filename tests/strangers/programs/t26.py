"""One trunk, two heads: the kind of a part and its size."""
import numpy as np
from tensorflow import keras

layers = keras.layers
keras.utils.set_random_seed(26)
rng = np.random.default_rng(26)

n = 1800
X = rng.normal(size=(n, 12)).astype("float32")
kind = np.argmax(X @ rng.normal(size=(12, 3)), axis=1).astype("int32")
size = X[:, 0] - X[:, 1] + 0.5 * X[:, 2] ** 2 + rng.normal(0, 0.1, n)
size = ((size - size.mean()) / size.std()).astype("float32").reshape(-1, 1)

tr, va = slice(0, 1400), slice(1400, None)

inputs = keras.Input(shape=(12,))
trunk = layers.Dense(64, activation="relu")(inputs)
trunk = layers.Dense(64, activation="relu")(trunk)
kind_out = layers.Dense(3, activation="softmax", name="kind")(trunk)
size_out = layers.Dense(1, name="size")(trunk)
model = keras.Model(inputs, {"kind": kind_out, "size": size_out})

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9, global_clipnorm=1e-4),
    loss={"kind": "sparse_categorical_crossentropy", "size": "mse"},
    metrics={"kind": ["accuracy"], "size": ["mae"]},
)
model.fit(
    X[tr], {"kind": kind[tr], "size": size[tr]},
    validation_data=(X[va], {"kind": kind[va], "size": size[va]}),
    epochs=25, batch_size=32, verbose=2,
)
pred = model.predict(X[va], verbose=0)
print("kind accuracy:", float(np.mean(pred["kind"].argmax(axis=1) == kind[va])))
print("size R2:", float(1 - np.mean((pred["size"] - size[va]) ** 2) / np.var(size[va])))
