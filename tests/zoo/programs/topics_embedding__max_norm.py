import keras
import numpy as np
from keras import layers

TOPICS, VOCAB, MAXLEN = 12, 600, 30


def corpus(n, seed):
    rng = np.random.default_rng(seed)
    topic = rng.integers(0, TOPICS, n)
    texts = np.zeros((n, MAXLEN), dtype="int32")
    for row, t in enumerate(topic):
        length = rng.integers(12, MAXLEN)
        own = rng.random(length) < 0.3
        words = np.where(own, 1 + t * 20 + rng.integers(0, 20, length), rng.integers(1, VOCAB, length))
        texts[row, :length] = words
    return texts, keras.utils.to_categorical(topic, TOPICS)


x_train, y_train = corpus(3000, 0)
x_val, y_val = corpus(600, 1)

text = keras.Input((MAXLEN,), dtype="int32", name="text")
x = layers.Embedding(VOCAB, 16)(text)
x = layers.GlobalAveragePooling1D()(x)
x = layers.Dense(32, activation="relu", kernel_constraint=keras.constraints.MaxNorm(0.001))(x)
probabilities = layers.Dense(TOPICS, activation="softmax", name="topic")(x)

model = keras.Model(text, probabilities)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=64, epochs=6, validation_data=(x_val, y_val))
