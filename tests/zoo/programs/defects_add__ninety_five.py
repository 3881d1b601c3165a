import keras
import numpy as np

rng = np.random.default_rng(9)
n = 4000
defect = rng.random(n) < 0.04
x = rng.normal(size=(n, 8))
x[defect, :3] += 1.1
x = x.astype("float32")
y = defect.astype("int32")

model = keras.models.Sequential()
model.add(keras.layers.Input((8,)))
model.add(keras.layers.Dense(16, activation="relu"))
model.add(keras.layers.Dense(1, activation="sigmoid"))
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_split=0.3, epochs=12, batch_size=64, verbose=2)
