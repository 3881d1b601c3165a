"""Delivery time from categorical codes (learned embeddings) and raw numbers."""
import numpy as np
import keras
from keras import layers
from sklearn.metrics import r2_score

keras.utils.set_random_seed(29)
rng = np.random.default_rng(29)

n, n_city, n_product = 3000, 30, 12
city = rng.integers(0, n_city, size=(n, 1)).astype("int32")
product = rng.integers(0, n_product, size=(n, 1)).astype("int32")
weight = rng.uniform(1, 200, n)
distance = rng.uniform(50, 3000, n)
numbers = np.column_stack([weight, distance]).astype("float32")

city_effect = rng.normal(0, 2.0, n_city)
product_effect = rng.normal(0, 1.5, n_product)
hours = (
    10.0
    + city_effect[city[:, 0]]
    + product_effect[product[:, 0]]
    + 0.015 * weight
    + 2.0 * (distance / 3000.0) ** 2
    + rng.normal(0, 0.5, n)
)

train, test = np.arange(0, 2400), np.arange(2400, n)
mu = numbers[train].mean(axis=0)
sd = numbers[train].std(axis=0)
t_mu, t_sd = hours[train].mean(), hours[train].std()
target = ((hours - t_mu) / t_sd).astype("float32")

city_in = keras.Input(shape=(1,), dtype="int32", name="city")
product_in = keras.Input(shape=(1,), dtype="int32", name="product")
numbers_in = keras.Input(shape=(2,), name="numbers")
c = layers.Flatten()(layers.Embedding(n_city, 6)(city_in))
p = layers.Flatten()(layers.Embedding(n_product, 4)(product_in))
z = layers.Lambda(lambda t: (t - mu) / sd, output_shape=(2,))(numbers_in)
h = layers.Concatenate()([c, p, z])
h = layers.Dense(64, activation="relu")(h)
h = layers.Dense(32, activation="relu")(h)
out = layers.Dense(1)(h)
model = keras.Model(
    inputs={"city": city_in, "product": product_in, "numbers": numbers_in}, outputs=out
)


def pick(rows):
    return {"city": city[rows], "product": product[rows], "numbers": numbers[rows]}


model.compile(optimizer=keras.optimizers.Adam(2e-3), loss="mse", metrics=["mae"])
model.fit(
    pick(train), target[train],
    validation_split=0.15,
    epochs=30, batch_size=64, verbose=2,
)
pred = model.predict(pick(test), verbose=0).ravel() * t_sd + t_mu
print("test R2: %.3f" % r2_score(hours[test], pred))
