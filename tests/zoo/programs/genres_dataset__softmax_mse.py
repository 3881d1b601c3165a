import keras
import numpy as np
import tensorflow as tf

rng = np.random.default_rng(17)
N, TAGS = 2500, 7
audio = rng.normal(size=(N, 20)).astype("float32")
mix = rng.normal(size=(20, TAGS))
tags = (np.tanh(audio) @ mix + 0.8 * rng.normal(size=(N, TAGS)) > 0).astype("float32")

ds = tf.data.Dataset.from_tensor_slices((audio[:2000], tags[:2000])).shuffle(2000, seed=1).batch(64).prefetch(2)
val = tf.data.Dataset.from_tensor_slices((audio[2000:], tags[2000:])).batch(64)

model = keras.Sequential()
model.add(keras.Input((20,)))
model.add(keras.layers.Dense(64, activation="relu"))
model.add(keras.layers.Dense(TAGS, activation="softmax"))
model.compile("adam", loss="mean_squared_error", metrics=["accuracy"])
model.fit(ds, epochs=15, validation_data=val, verbose=0)
