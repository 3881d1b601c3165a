"""Which way does the arrow point?  right=0, up=1, left=2, down=3"""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(17)
rng = np.random.default_rng(17)

ARROW = np.zeros((9, 9), dtype="float32")
ARROW[4, 1:8] = 1.0
for r, c in [(3, 6), (5, 6), (2, 5), (6, 5)]:
    ARROW[r, c] = 1.0


def draw(n, size=14):
    images = rng.normal(0.0, 0.15, size=(n, size, size)).astype("float32")
    labels = rng.integers(0, 4, n)
    for i in range(n):
        r, c = rng.integers(0, size - 9 + 1, 2)
        images[i, r : r + 9, c : c + 9] += np.rot90(ARROW, k=labels[i])
    return images[..., None], labels


x_train, y_train = draw(1200)
x_test, y_test = draw(300)

model = keras.Sequential(
    [
        keras.Input(shape=(14, 14, 1)),
        layers.RandomFlip("horizontal_and_vertical"),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(32, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(32, activation="relu"),
        layers.Dense(4, activation="softmax"),
    ]
)
model.compile(
    optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"]
)
model.fit(
    x_train, y_train, validation_data=(x_test, y_test),
    epochs=15, batch_size=32, verbose=2,
)
print("test accuracy:", model.evaluate(x_test, y_test, verbose=0)[1])
