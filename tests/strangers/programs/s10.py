"""Topic classification of headlines with an embedding and average pooling."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(10)
rng = np.random.default_rng(10)

TOPICS = {
    "sport": "match goal team coach league score win player season cup stadium referee".split(),
    "tech": "chip laptop software cloud data robot phone update code browser server startup".split(),
    "food": "recipe bread cheese oven soup salt chef dinner spice butter menu garlic".split(),
}
COMMON = "the of new in at to for with after over and says week how why first".split()
names = sorted(TOPICS)

docs, labels = [], []
for _ in range(1800):
    k = int(rng.integers(len(names)))
    n = int(rng.integers(6, 20))
    words = [rng.choice(TOPICS[names[k]]) if rng.random() < 0.4 else rng.choice(COMMON)
             for _ in range(n)]
    docs.append(words)
    labels.append(k)
labels = np.array(labels)

n_train = 1400
vocab = {"<pad>": 0, "<unk>": 1}
for d in docs[:n_train]:
    for w in d:
        vocab.setdefault(str(w), len(vocab))

maxlen = 24
ids = np.zeros((len(docs), maxlen), dtype="int32")
for i, d in enumerate(docs):
    row = [vocab.get(str(w), 1) for w in d][:maxlen]
    ids[i, :len(row)] = row

x_train, y_train = ids[:n_train], labels[:n_train]
x_val, y_val = ids[n_train:], labels[n_train:]

inputs = keras.Input((maxlen,), dtype="int32")
e = layers.Embedding(len(vocab), 24, mask_zero=True)(inputs)
p = layers.GlobalAveragePooling1D()(e)
p = layers.Dropout(0.3)(p)
outputs = layers.Dense(len(names), activation="softmax")(p)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(5e-3),
              loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=12, batch_size=32,
          validation_data=(x_val, y_val), verbose=2)
print(dict(zip(["loss", "acc"], model.evaluate(x_val, y_val, verbose=0))))
