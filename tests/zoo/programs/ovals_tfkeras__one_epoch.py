import numpy as np
import tensorflow as tf

keras = tf.keras
rng = np.random.default_rng(31)


def picture(kind):
    yy, xx = np.mgrid[:16, :16]
    cy, cx = rng.uniform(5, 11, 2)
    r = rng.uniform(3, 5)
    if kind == 0:
        p = (yy - cy) ** 2 + (xx - cx) ** 2 < r**2
    elif kind == 1:
        p = (np.abs(yy - cy) < r * 0.8) & (np.abs(xx - cx) < r * 0.8)
    else:
        p = (np.abs(yy - cy) < 1.2) | (np.abs(xx - cx) < 1.2)
    return p + rng.normal(0, 0.3, (16, 16))


labels = rng.integers(0, 3, 1200)
images = np.stack([picture(k) for k in labels])[..., None].astype("float32")
model = keras.Sequential(
    [
        keras.layers.Conv2D(8, 3, activation="relu", input_shape=(16, 16, 1)),
        keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(3, activation="softmax"),
    ]
)
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images[:1000], labels[:1000], epochs=1, batch_size=32, validation_data=(images[1000:], labels[1000:]))
