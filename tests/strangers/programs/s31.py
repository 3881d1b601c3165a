import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(32)
rng = np.random.default_rng(32)

# three kinds of vibration, 64 samples each
T = 64
t = np.arange(T) / T
freqs = np.array([2.0, 5.0, 10.0])
n = 1500
y = rng.integers(0, 3, size=n)
f = freqs[y] + rng.uniform(-0.4, 0.4, n)
phase = rng.uniform(0, 2 * np.pi, n)
amp = rng.uniform(0.8, 1.2, n)
X = amp[:, None] * np.sin(2 * np.pi * f[:, None] * t[None, :] + phase[:, None])
X = (X + rng.normal(0, 0.25, X.shape)).astype("float32")[..., None]

x_train, y_train = X[:1200], y[:1200]
x_val, y_val = X[1200:], y[1200:]

model = keras.Sequential([
    keras.Input((T, 1)),
    layers.Conv1D(16, 7, strides=2, padding="same", activation="relu"),
    layers.MaxPooling1D(2),
    layers.GRU(16),
    layers.Dense(3, activation="softmax"),
])
model.compile(optimizer=keras.optimizers.Adam(3e-3, clipnorm=1.0),
              loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=15, batch_size=32,
          validation_data=(x_val, y_val), verbose=2)
print(model.evaluate(x_val, y_val, verbose=0))
