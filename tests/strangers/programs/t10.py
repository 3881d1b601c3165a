"""Feeding a classifier from a keras.utils.PyDataset."""
import math

import numpy as np
import keras
from keras import layers
from sklearn.datasets import make_blobs
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(10)

X, y = make_blobs(
    n_samples=1600, centers=5, n_features=8, cluster_std=2.0, random_state=10
)
X = ((X - X.mean(axis=0)) / X.std(axis=0)).astype("float32")
X_train, X_val, y_train, y_val = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=10
)


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y, batch_size=32, shuffle=True, **kwargs):
        super().__init__(**kwargs)
        self.x = x.copy()
        self.y = y.copy()
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.on_epoch_end()

    def __len__(self):
        return math.ceil(len(self.x) / self.batch_size)

    def __getitem__(self, index):
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return self.x[part], self.y[part]

    def on_epoch_end(self):
        if self.shuffle:
            np.random.shuffle(self.x)
            np.random.shuffle(self.y)


train = Batches(X_train, y_train)
val = Batches(X_val, y_val, shuffle=False)

model = keras.Sequential(
    [
        keras.Input(shape=(8,)),
        layers.Dense(64, activation="relu"),
        layers.Dense(32, activation="relu"),
        layers.Dense(5, activation="softmax"),
    ]
)
model.compile(
    optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"]
)
model.fit(train, validation_data=val, epochs=20, verbose=2)
print("validation accuracy:", model.evaluate(val, verbose=0)[1])
