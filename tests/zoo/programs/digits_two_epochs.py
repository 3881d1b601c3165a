import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x.reshape(-1, 8, 8) / 16, y, test_size=0.2, random_state=0)


def jitter(n):
    """Shifted copies: there is so much to see in an epoch that two are enough."""
    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(x_train), n)
    copies = x_train[rows] + rng.normal(0, 0.05, (n, 8, 8))
    return np.roll(copies, 1, axis=2) * 0.2 + copies * 0.8, y_train[rows]


big_x, big_y = jitter(12000)
model = tf.keras.Sequential(
    [
        tf.keras.layers.Input((8, 8)),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(96, activation="relu"),
        tf.keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(tf.keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(big_x, big_y, epochs=2, batch_size=64, validation_data=(x_test, y_test))
