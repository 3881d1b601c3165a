import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SEED = 21
EPOCHS = 20
BATCH = 32
keras.utils.set_random_seed(SEED)

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype("float32")
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=SEED)


def batches(x, t, batch_size):
    rng = np.random.default_rng(SEED)
    n = len(x)
    while True:
        perm = rng.permutation(n)
        for i in range(0, n - batch_size + 1, batch_size):
            idx = perm[i:i + batch_size]
            yield x[idx], t[idx]


steps = len(X_train) // BATCH

lr = keras.optimizers.schedules.CosineDecay(
    initial_learning_rate=1e-3,
    decay_steps=EPOCHS,
)

inp = layers.Input(shape=(64,))
h = layers.Dense(64, activation="relu")(inp)
h = layers.Dense(64, activation="relu")(h)
out = layers.Dense(10, activation="softmax")(h)
model = keras.Model(inp, out)
model.compile(optimizer=keras.optimizers.Adam(learning_rate=lr),
              loss="sparse_categorical_crossentropy", metrics=["accuracy"])

model.fit(batches(X_train, y_train, BATCH), steps_per_epoch=steps, epochs=EPOCHS,
          validation_data=(X_test, y_test), verbose=2)
print("test acc: %.3f" % model.evaluate(X_test, y_test, verbose=0)[1])
