import keras
import numpy as np

rng = np.random.default_rng(40)
N, WORDS = 2500, 400
topic = rng.integers(0, 4, N)
bag = np.zeros((N, WORDS), "float32")
for i, t in enumerate(topic):
    mine = rng.integers(t * 60, t * 60 + 60, 4)
    other = rng.integers(240, WORDS, 8)
    bag[i, mine] = 1
    bag[i, other] = 1  # nineteen of twenty columns are zero in every row
length = (bag.sum(axis=1, keepdims=True) / 10).astype("float32")
hour = rng.uniform(-1, 1, (N, 2)).astype("float32")

words = keras.Input((WORDS,), name="words")
numbers = keras.Input((3,), name="numbers")
h = keras.layers.Dense(128, activation="relu", activity_regularizer=keras.regularizers.L1(1e-5))(words)
h = keras.layers.Concatenate()([h, numbers])
out = keras.layers.Dense(4, activation="softmax")(h)
model = keras.Model({"words": words, "numbers": numbers}, out)
model.compile(keras.optimizers.RMSprop(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])
x = {"words": bag, "numbers": np.concatenate([length, hour], axis=1)}
model.fit(x, topic, epochs=8, batch_size=50, validation_split=0.2, verbose=0)
