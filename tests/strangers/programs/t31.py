"""Detect failing devices from twelve telemetry channels."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.metrics import balanced_accuracy_score, confusion_matrix

keras.utils.set_random_seed(31)
rng = np.random.default_rng(31)


def telemetry(n):
    failing = (rng.uniform(size=n) < 0.02).astype("int64")
    x = rng.normal(size=(n, 12)).astype("float32")
    x[:, 0] += 1.2 * failing
    x[:, 3] -= 1.2 * failing
    x[:, 7] += 1.2 * failing
    return x, failing


x_train, y_train = telemetry(3000)
x_test, y_test = telemetry(3000)

train_ds = (
    tf.data.Dataset.from_tensor_slices((x_train, y_train))
    .shuffle(3000, seed=31)
    .batch(64)
    .prefetch(2)
)
test_ds = tf.data.Dataset.from_tensor_slices((x_test, y_test)).batch(256)

inputs = keras.Input(shape=(12,))
h = layers.Dense(16, activation="relu")(inputs)
h = layers.Dense(8, activation="relu")(h)
outputs = layers.Dense(1, activation="sigmoid")(h)
model = keras.Model(inputs, outputs)
model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss="binary_crossentropy",
    metrics=["accuracy"],
)
model.fit(train_ds, validation_data=test_ds, epochs=15, verbose=2)

flag = (model.predict(x_test, verbose=0).ravel() > 0.5).astype(int)
print("accuracy:", float(np.mean(flag == y_test)))
print("balanced accuracy:", balanced_accuracy_score(y_test, flag))
print(confusion_matrix(y_test, flag))
