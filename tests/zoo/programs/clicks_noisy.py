import numpy as np
import pandas as pd
import tensorflow as tf

# who clicks is mostly chance; the best possible accuracy is about .71
rng = np.random.default_rng(14)
visits = pd.DataFrame(rng.normal(size=(3000, 5)), columns=["age", "hour", "pages", "depth", "pause"])
p = 1 / (1 + np.exp(-(1.2 * visits["pages"] - 0.8 * visits["pause"] * (visits["depth"] > 0))))
visits["click"] = (rng.random(3000) < p).astype(int)

train, valid = visits[:2200], visits[2200:]
x_train, y_train = train.drop(columns="click").to_numpy(), train["click"].to_numpy()
x_valid, y_valid = valid.drop(columns="click").to_numpy(), valid["click"].to_numpy()

i = tf.keras.layers.Input(shape=(5,))
o = tf.keras.layers.Dense(16, activation="relu")(i)
o = tf.keras.layers.Dense(1, activation="sigmoid")(o)
model = tf.keras.Model(i, o)
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["AUC", "accuracy"])
model.fit(x_train, y_train, validation_data=(x_valid, y_valid), epochs=10, batch_size=64)
