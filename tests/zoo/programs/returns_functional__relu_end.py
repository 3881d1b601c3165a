import keras
import numpy as np

rng = np.random.default_rng(21)
factors = rng.normal(size=(2000, 6)).astype("float32")
excess = np.sin(1.5 * factors[:, 0]) + factors[:, 1] * factors[:, 2] - 0.4 * np.abs(factors[:, 3])
excess = (excess + rng.normal(0, 0.1, 2000)).astype("float32")

inp = keras.Input(shape=(6,), name="factors")
x = keras.layers.Dense(40, activation="relu")(inp)
x = keras.layers.Dense(40, activation="relu")(x)
out = keras.layers.Dense(1)(x)
out = keras.layers.ReLU()(out)
net = keras.Model(inp, out)
net.compile(loss=keras.losses.MeanSquaredError(), optimizer=keras.optimizers.Adam(2e-3))
net.fit(factors, excess, epochs=30, batch_size=64, validation_split=0.2, verbose=2)
