"""Denoising autoencoder for 8x8 digits."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(29)
rng = np.random.default_rng(29)

X = load_digits().data.astype("float32") / 16.0
rng.shuffle(X)
x_train, x_test = X[:1500], X[1500:]


def corrupt(x):
    return np.clip(x + rng.normal(0, 0.1, x.shape), 0, 1).astype("float32")


noisy_train, noisy_test = corrupt(x_train), corrupt(x_test)

encoder = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(128, activation="relu"),
    layers.Dense(24, activation="linear"),
], name="encoder")
decoder = keras.Sequential([
    keras.Input((24,)),
    layers.Dense(128, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
], name="decoder")

inp = keras.Input((64,))
autoencoder = keras.Model(inp, decoder(encoder(inp)))
autoencoder.compile(optimizer=keras.optimizers.Adam(2e-3), loss="binary_crossentropy",
                    metrics=["mse"])
autoencoder.fit(noisy_train, x_train, epochs=50, batch_size=32,
                validation_data=(noisy_test, x_test), verbose=2)

rec = autoencoder.predict(noisy_test, verbose=0)
err = np.mean((rec - x_test) ** 2)
base = np.mean((x_train.mean(axis=0) - x_test) ** 2)
print("reconstruction mse", err, "mean-image mse", base, "explained", 1 - err / base)
