"""A small transformer encoder that finds the key word in a token sequence."""
import math

import numpy as np
import keras
from keras import layers, ops

keras.utils.set_random_seed(20)
rng = np.random.default_rng(20)

VOCAB, LENGTH, DIM = 20, 16, 32


def make_sequences(n):
    x = rng.integers(3, VOCAB, size=(n, LENGTH))
    y = rng.integers(0, 3, size=n)
    x[np.arange(n), rng.integers(0, LENGTH, size=n)] = y
    return x.astype("int32"), y.astype("int32")


class SequenceBatches(keras.utils.PyDataset):
    def __init__(self, x, y, batch_size, shuffle, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y = x, y
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.order = np.arange(len(x))
        self.on_epoch_end()

    def __len__(self):
        return math.ceil(len(self.x) / self.batch_size)

    def __getitem__(self, i):
        rows = self.order[i * self.batch_size : (i + 1) * self.batch_size]
        return self.x[rows], self.y[rows]

    def on_epoch_end(self):
        if self.shuffle:
            np.random.shuffle(self.order)


class TokenAndPosition(layers.Layer):
    def __init__(self, length, vocab, dim, **kwargs):
        super().__init__(**kwargs)
        self.length = length
        self.token = layers.Embedding(vocab, dim)
        self.position = layers.Embedding(length, dim)

    def call(self, x):
        return self.token(x) + self.position(ops.arange(self.length))


class EncoderBlock(layers.Layer):
    def __init__(self, dim, heads, **kwargs):
        super().__init__(**kwargs)
        self.attention = layers.MultiHeadAttention(num_heads=heads, key_dim=dim // heads)
        self.ff1 = layers.Dense(2 * dim, activation="relu")
        self.ff2 = layers.Dense(dim)
        self.norm1 = layers.LayerNormalization(epsilon=1e-6)
        self.norm2 = layers.LayerNormalization(epsilon=1e-6)
        self.drop = layers.Dropout(0.1)

    def call(self, x, training=None):
        a = self.drop(self.attention(x, x), training=training)
        x = self.norm1(x + a)
        return self.norm2(x + self.ff2(self.ff1(x)))


x_train, y_train = make_sequences(1500)
x_val, y_val = make_sequences(300)
x_test, y_test = make_sequences(300)

inputs = keras.Input(shape=(LENGTH,), dtype="int32")
h = TokenAndPosition(LENGTH, VOCAB, DIM)(inputs)
h = EncoderBlock(DIM, heads=2)(h)
h = layers.GlobalAveragePooling1D()(h)
h = layers.Dense(32, activation="relu")(h)
outputs = layers.Dense(3)(h)
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.Adam(2e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(
    SequenceBatches(x_train, y_train, 32, shuffle=True),
    validation_data=SequenceBatches(x_val, y_val, 100, shuffle=False),
    epochs=15, verbose=2,
)
logits = model.predict(x_test, verbose=0)
print("test accuracy: %.3f" % np.mean(logits.argmax(axis=1) == y_test))
