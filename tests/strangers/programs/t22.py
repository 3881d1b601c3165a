"""Customer churn from shop activity, with a return-rate feature."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(22)
rng = np.random.default_rng(22)
np.seterr(divide="ignore", invalid="ignore")

n = 1800
unhappy = rng.beta(2.0, 3.0, n)
orders = rng.poisson(3.5, n)
returned = rng.binomial(orders, unhappy)
visits = rng.gamma(4.0, 2.0, n)
spend = rng.lognormal(3.0, 0.5, n)
tenure = rng.uniform(0, 60, n)

score = 4.0 * unhappy - 0.35 * visits - 0.04 * tenure + rng.normal(0, 0.3, n)
churn = (score > np.median(score)).astype("float32")

return_rate = returned / orders
features = np.column_stack(
    [return_rate, visits, np.log(spend), tenure, orders]
).astype("float32")
features = (features - np.nanmean(features, axis=0)) / np.nanstd(features, axis=0)

train_x, val_x = features[:1400], features[1400:]
train_y, val_y = churn[:1400], churn[1400:]

train_ds = (
    tf.data.Dataset.from_tensor_slices((train_x, train_y)).shuffle(1400, seed=1).batch(32)
)
val_ds = tf.data.Dataset.from_tensor_slices((val_x, val_y)).batch(64)

model = keras.Sequential(
    [
        keras.Input(shape=(5,)),
        layers.Dense(32, activation="relu"),
        layers.Dense(16, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=20, verbose=2)

p = model.predict(val_x, verbose=0).ravel()
print("validation accuracy:", float(np.mean((p > 0.5) == (val_y > 0.5))))
