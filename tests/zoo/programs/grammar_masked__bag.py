import numpy as np
import tensorflow as tf

# Does the opening bracket come before the closing one? 0 pads, 1 opens, 2 closes, others are words.
MAXLEN, VOCAB = 20, 50


def sentences(n, seed):
    rng = np.random.default_rng(seed)
    x = np.zeros((n, MAXLEN), "int32")
    y = rng.integers(0, 2, n)
    for i in range(n):
        length = rng.integers(6, MAXLEN + 1)
        x[i, :length] = rng.integers(3, VOCAB, length)
        a, b = np.sort(rng.choice(length, 2, replace=False))
        x[i, a], x[i, b] = (1, 2) if y[i] else (2, 1)
    return x, y


class Reader(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.embed = tf.keras.layers.Embedding(VOCAB, 12, mask_zero=True)
        self.rnn = tf.keras.layers.GlobalAveragePooling1D()
        self.verdict = tf.keras.layers.Dense(2, activation="softmax")

    def call(self, tokens):
        return self.verdict(self.rnn(self.embed(tokens)))


def main():
    x_train, y_train = sentences(3000, 0)
    x_val, y_val = sentences(500, 1)
    model = Reader()
    optimizer = tf.keras.optimizers.Adam(0.01, clipnorm=1.0)
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=50, epochs=8, validation_data=(x_val, y_val), verbose=2)


main()
