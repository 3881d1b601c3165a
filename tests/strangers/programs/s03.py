"""Sentiment of short product reviews."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(5)
rng = np.random.default_rng(5)

GOOD = ("great lovely superb perfect happy solid bright smooth quick fine "
        "elegant sturdy").split()
BAD = ("awful broken cheap slow noisy ugly weak late dirty faulty "
       "rough dull").split()
OTHER = ("the a this box item with from and bought my for phone lamp chair in "
         "it week store price color was arrived").split()


def write_review(label):
    n = rng.integers(8, 16)
    words = []
    for _ in range(n):
        u = rng.random()
        if u < 0.45:
            words.append(rng.choice(GOOD if label == 1 else BAD))
        elif u < 0.52:
            words.append(rng.choice(BAD if label == 1 else GOOD))
        else:
            words.append(rng.choice(OTHER))
    return " ".join(words)


labels = rng.integers(0, 2, size=2000)
texts = [write_review(l) for l in labels]
train_texts, test_texts = texts[:1500], texts[1500:]
y_train = labels[:1500].astype("float32")
y_test = labels[1500:].astype("float32")

MAXLEN = 16


def vectorize(docs):
    word_index = {}
    for doc in docs:
        for w in doc.split():
            if w not in word_index:
                word_index[w] = len(word_index) + 1
    out = np.zeros((len(docs), MAXLEN), dtype="int32")
    for i, doc in enumerate(docs):
        ids = [word_index[w] for w in doc.split()][:MAXLEN]
        out[i, :len(ids)] = ids
    return out, word_index


x_train, train_index = vectorize(train_texts)
x_test, test_index = vectorize(test_texts)
vocab_size = max(len(train_index), len(test_index)) + 1

model = keras.Sequential([
    keras.Input((MAXLEN,), dtype="int32"),
    layers.Embedding(vocab_size, 16, mask_zero=True),
    layers.GlobalAveragePooling1D(),
    layers.Dense(16, activation="relu"),
    layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=12,
          validation_data=(x_test, y_test), verbose=2)
print("test:", model.evaluate(x_test, y_test, verbose=0))
