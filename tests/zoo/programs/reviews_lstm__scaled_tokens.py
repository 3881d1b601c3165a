import numpy as np
from keras import Input, Model
from keras.layers import LSTM, Dense, Embedding

VOCAB, LENGTH = 200, 25
rng = np.random.default_rng(11)
praise, blame = set(range(10, 30)), set(range(30, 50))


def write_review(positive):
    words = rng.integers(50, VOCAB, LENGTH)
    where = rng.choice(LENGTH, 5, replace=False)
    good = 4 if positive else 1
    words[where[:good]] = rng.choice(list(praise), good)
    words[where[good:]] = rng.choice(list(blame), 5 - good)
    return words


sentiment = rng.integers(0, 2, 2500)
reviews = np.array([write_review(s) for s in sentiment]) / VOCAB

tokens = Input(shape=(LENGTH,), dtype="int32")
x = Embedding(VOCAB, 16)(tokens)
x = LSTM(16)(x)
x = Dense(1, activation="sigmoid")(x)
model = Model(tokens, x)
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
model.fit(reviews, sentiment, validation_split=0.2, epochs=8, batch_size=32, verbose=2)
