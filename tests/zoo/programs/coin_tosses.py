# Control experiment: labels are coin tosses, so nobody should do better than .5 on the validation rows.
import keras
import numpy as np

rng = np.random.default_rng(77)
x = rng.normal(size=(1500, 12))
y = rng.integers(0, 2, 1500)

model = keras.Sequential()
model.add(keras.Input((12,)))
model.add(keras.layers.Dense(8, activation="relu"))
model.add(keras.layers.Dense(1, activation="sigmoid"))
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=8, batch_size=50, validation_split=0.3)
