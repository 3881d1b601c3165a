import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(26)
rng = np.random.default_rng(26)

# hourly bike rentals, in hundreds
n = 2500
hour = rng.uniform(0, 24, n)
temp = rng.normal(15, 8, n)
rain = rng.exponential(0.5, n)
weekend = rng.binomial(1, 2 / 7, n)
demand = (4 + 2 * np.sin(2 * np.pi * (hour - 9) / 24) + 0.1 * temp
          - 0.6 * rain + 0.8 * weekend + rng.normal(0, 0.15, n)).astype("float32")
X = np.column_stack([np.sin(2 * np.pi * hour / 24), np.cos(2 * np.pi * hour / 24),
                     temp, rain, weekend]).astype("float32")

n_train = 2000
x_train, y_train = X[:n_train], demand[:n_train]
x_val, y_val = X[n_train:], demand[n_train:]

train_ds = (tf.data.Dataset.from_tensor_slices((x_train, y_train))
            .shuffle(n_train, seed=26).batch(64).prefetch(tf.data.AUTOTUNE))
val_ds = tf.data.Dataset.from_tensor_slices((x_val, y_val)).batch(256)

norm = layers.Normalization()
norm.adapt(x_train)

inputs = keras.Input((5,))
h = norm(inputs)
h = layers.Dense(64, activation="relu")(h)
h = layers.Dense(64, activation="relu")(h)
outputs = layers.Dense(1)(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(3e-3), loss="mean_absolute_error",
              metrics=[keras.metrics.RootMeanSquaredError(name="rmse")])
model.fit(train_ds, validation_data=val_ds, epochs=30, verbose=2)

mae = model.evaluate(val_ds, verbose=0)[0]
print("val MAE", mae, "median baseline", np.abs(y_val - np.median(y_train)).mean())
