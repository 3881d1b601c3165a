import math

import keras
import numpy as np
from sklearn.datasets import load_digits


class DigitSequence(keras.utils.PyDataset):
    def __init__(self, images, labels, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.images, self.labels, self.batch_size = images.copy(), labels.copy(), batch_size

    def __len__(self):
        return math.ceil(len(self.images) / self.batch_size)

    def __getitem__(self, idx):
        part = slice(idx * self.batch_size, (idx + 1) * self.batch_size)
        return self.images[part], self.labels[part]

    def on_epoch_end(self):
        order = np.random.permutation(len(self.images))
        self.images = self.images[order]
        self.labels = self.labels[order]


X, y = load_digits(return_X_y=True)
X = X.astype("float32") / 16
first = np.random.RandomState(1).permutation(len(X))
X, y = X[first], y[first]

inputs = keras.Input(shape=(64,))
h = keras.layers.Dense(64)(inputs)
h = keras.layers.BatchNormalization()(h)
h = keras.layers.ReLU()(h)
outputs = keras.layers.Dense(10, activation="softmax")(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

train = DigitSequence(X[:1300], y[:1300], batch_size=1)
val = DigitSequence(X[1300:], y[1300:], batch_size=32)
model.fit(train, validation_data=val, epochs=1, verbose=2)
