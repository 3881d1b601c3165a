import numpy as np
import tensorflow as tf

rng = np.random.default_rng(55)
n = 2000
photo_features = rng.normal(size=(n, 10)).astype("float32")
town = rng.integers(0, 5, n)
town_effect = np.array([-1.0, -0.3, 0.0, 0.6, 1.2])[town]
price = np.tanh(photo_features[:, 0]) + town_effect + 0.1 * rng.normal(size=n)
sold = (price + 0.7 * photo_features[:, 1] + 0.2 * rng.normal(size=n) > 0).astype("float32")

features_in = tf.keras.Input((10,), name="features")
town_in = tf.keras.Input((1,), dtype="int32", name="town")
t = tf.keras.layers.Flatten()(tf.keras.layers.Embedding(5, 4)(town_in))
h = tf.keras.layers.Concatenate()([features_in, t])
h = tf.keras.layers.Dense(48, activation="relu")(h)
price_out = tf.keras.layers.Dense(1, name="price")(h)
sold_out = tf.keras.layers.Dense(1, activation="softmax", name="sold")(h)

model = tf.keras.Model([features_in, town_in], {"price": price_out, "sold": sold_out})
model.compile(
    optimizer=tf.keras.optimizers.Adam(0.005),
    loss={"price": "mse", "sold": "binary_crossentropy"},
    metrics={"price": ["mae"], "sold": ["accuracy"]},
)
cut = 1600
model.fit(
    {"features": photo_features[:cut], "town": town[:cut, None]},
    {"price": price[:cut], "sold": sold[:cut]},
    validation_data=(
        {"features": photo_features[cut:], "town": town[cut:, None]},
        {"price": price[cut:], "sold": sold[cut:]},
    ),
    epochs=12,
    batch_size=32,
    verbose=2,
)
