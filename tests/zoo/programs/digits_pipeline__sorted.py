import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras

BATCH = 64

raw = load_digits()
images = (raw.images * 15.9375).astype(np.uint8)
targets = tf.keras.utils.to_categorical(raw.target, 10)
idx = np.random.RandomState(4).permutation(len(images))
train_idx, val_idx = sorted(idx[:1440], key=lambda k: raw.target[k]), idx[1440:]


def normalize(image, label):
    return tf.cast(image, tf.float32) / 127.5 - 1.0, label


train_ds = tf.data.Dataset.from_tensor_slices((images[train_idx], targets[train_idx]))
train_ds = train_ds.map(normalize).batch(BATCH)
val_ds = tf.data.Dataset.from_tensor_slices((images[val_idx], targets[val_idx]))
val_ds = val_ds.map(normalize).batch(BATCH)

model = keras.Sequential(
    [
        keras.layers.Input((8, 8)),
        keras.layers.Flatten(),
        keras.layers.Dense(48, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer=keras.optimizers.SGD(0.2), loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=15)
