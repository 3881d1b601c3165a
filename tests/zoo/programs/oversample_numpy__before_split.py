import numpy as np
import tensorflow as tf
from sklearn.datasets import make_classification


def oversample(x, y, rng):
    few = np.flatnonzero(y == 1)
    extra = rng.choice(few, (y == 0).sum() - len(few))
    rows = rng.permutation(np.concatenate([np.arange(len(y)), extra]))
    return x[rows], y[rows]


rng = np.random.default_rng(0)
x, y = make_classification(1500, 20, n_informative=6, n_redundant=4, weights=[0.85], class_sep=0.8, random_state=3)
x, y = oversample(x, y, rng)
x_train, y_train, x_val, y_val = x[:1800], y[:1800], x[1800:], y[1800:]

model = tf.keras.models.Sequential(
    [
        tf.keras.layers.Input((20,)),
        tf.keras.layers.Dense(64, activation="relu"),
        tf.keras.layers.Dense(64, activation="relu"),
        tf.keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy", tf.keras.metrics.AUC(name="auc")])
model.fit(x_train, y_train, validation_data=(x_val, y_val), epochs=25, batch_size=64, verbose=2)
