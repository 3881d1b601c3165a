"""Multi-label tagging: several tags may be on for one row."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.metrics import f1_score

keras.utils.set_random_seed(9)
rng = np.random.default_rng(9)

n, d, n_tags = 2400, 20, 6
X = rng.normal(size=(n, d)).astype("float32")
W = rng.normal(size=(d, n_tags))
score = X @ W + 1.5 * np.abs(X[:, :n_tags]) + rng.normal(0, 0.3, size=(n, n_tags))
Y = (score > 1.0).astype("float32")

X_train, Y_train = X[:1800], Y[:1800]
X_val, Y_val = X[1800:2100], Y[1800:2100]
X_test, Y_test = X[2100:], Y[2100:]

train = (
    tf.data.Dataset.from_tensor_slices((X_train, Y_train))
    .shuffle(1800, seed=9, reshuffle_each_iteration=True)
    .batch(32)
    .prefetch(tf.data.AUTOTUNE)
)
val = tf.data.Dataset.from_tensor_slices((X_val, Y_val)).batch(128)

model = keras.Sequential(
    [
        keras.Input(shape=(d,)),
        layers.Dense(96, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(48, activation="relu"),
        layers.Dense(n_tags, activation="sigmoid"),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss="binary_crossentropy",
    metrics=["binary_accuracy", keras.metrics.AUC(multi_label=True, num_labels=n_tags)],
)
model.fit(train, validation_data=val, epochs=20, verbose=2)

P = (model.predict(X_test, verbose=0) > 0.5).astype(int)
print("micro F1: %.3f" % f1_score(Y_test.astype(int), P, average="micro"))
print("per-tag accuracy: %.3f" % np.mean(P == Y_test))
