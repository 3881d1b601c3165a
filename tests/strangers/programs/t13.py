"""In which quarter of the picture is the bright spot?"""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(13)
rng = np.random.default_rng(13)

SIZE = 24


def make_images(n):
    quarter = rng.integers(0, 4, n)
    cy = np.where(quarter // 2 == 0, rng.integers(7, 11, n), rng.integers(13, 17, n))
    cx = np.where(quarter % 2 == 0, rng.integers(7, 11, n), rng.integers(13, 17, n))
    yy, xx = np.mgrid[0:SIZE, 0:SIZE]
    d2 = (yy[None] - cy[:, None, None]) ** 2 + (xx[None] - cx[:, None, None]) ** 2
    img = np.exp(-d2 / (2 * 0.8**2)) + rng.normal(0, 0.05, (n, SIZE, SIZE))
    return img[..., None].astype("float32"), quarter


x_train, y_train = make_images(1200)
x_val, y_val = make_images(300)

inputs = keras.Input(shape=(SIZE, SIZE, 1))
x = layers.Conv2D(8, 3, activation="relu")(inputs)
x = layers.Conv2D(8, 3, activation="relu")(x)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dense(32, activation="relu")(x)
outputs = layers.Dense(4, activation="softmax")(x)
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.Adam(2e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(
    x_train, y_train, validation_data=(x_val, y_val),
    epochs=15, batch_size=32, verbose=2,
)
print("validation accuracy:", model.evaluate(x_val, y_val, verbose=0)[1])
