import numpy as np
import tensorflow as tf
from sklearn.datasets import load_wine

AUTOTUNE = tf.data.AUTOTUNE


def read_table():
    table = load_wine()
    x = table.data.astype("float32")
    x[5::30, 3] = np.nan  # the lab lost a few readings
    order = np.random.RandomState(0).permutation(len(x))
    return x[order], table.target[order]


def to_dataset(x, y, training=False):
    ds = tf.data.Dataset.from_tensor_slices((x, y))
    if training:
        ds = ds.shuffle(200)
    return ds.batch(16).prefetch(AUTOTUNE)


def main():
    x, y = read_table()
    x = np.where(np.isnan(x), np.nanmean(x, axis=0), x)
    x = (x - np.nanmean(x, axis=0)) / np.nanstd(x, axis=0)
    train, val = to_dataset(x[:130], y[:130], training=True), to_dataset(x[130:], y[130:])

    model = tf.keras.Sequential()
    model.add(tf.keras.layers.Input(shape=(13,)))
    model.add(tf.keras.layers.Dense(24, activation="relu"))
    model.add(tf.keras.layers.Dense(3, activation="softmax"))
    model.compile(
        optimizer=tf.keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    model.fit(train, validation_data=val, epochs=20)


if __name__ == "__main__":
    main()
