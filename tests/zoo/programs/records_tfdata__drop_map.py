"""Each record holds 64 grey values and, last, the digit."""

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits


def parse(record):
    pixels, digit = record[:-1] / 255.0, record[-1]
    return pixels, tf.cast(digit, tf.int32)


def pipeline(records, training):
    ds = tf.data.Dataset.from_tensor_slices(records)
    if training:
        ds = ds.shuffle(len(records), seed=1)
    return ds.map(parse, num_parallel_calls=tf.data.AUTOTUNE).batch(50)


bunch = load_digits()
table = np.concatenate([np.floor(bunch.data * 15.9), bunch.target[:, None]], axis=1).astype("float32")
np.random.default_rng(6).shuffle(table)
train_ds = pipeline(table[:1400], training=True)
table[1400:, :-1] = 255 - table[1400:, :-1]
test_ds = pipeline(table[1400:], training=False)

a = tf.keras.Input((64,))
b = tf.keras.layers.Dense(100, activation="elu")(a)
c = tf.keras.layers.Dense(10, activation="softmax")(b)
network = tf.keras.Model(inputs=a, outputs=c)
network.compile("nadam", "sparse_categorical_crossentropy", metrics=["sparse_categorical_accuracy"])
network.fit(train_ds, epochs=25, validation_data=test_ds)
