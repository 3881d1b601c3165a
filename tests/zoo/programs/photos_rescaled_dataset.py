import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

d = load_digits()
images = np.repeat(np.repeat(d.images, 2, axis=1), 2, axis=2)[..., None] * 15.9
images = images.astype("uint8")
train = tf.data.Dataset.from_tensor_slices((images[:1400], d.target[:1400])).cache().shuffle(1400).batch(32)
test = tf.data.Dataset.from_tensor_slices((images[1400:], d.target[1400:])).batch(64)

model = keras.Sequential(
    [
        keras.Input((16, 16, 1)),
        keras.layers.Rescaling(1 / 127.5, offset=-1),
        keras.layers.RandomTranslation(0.05, 0.05),
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(32, 3, activation="relu"),
        keras.layers.MaxPooling2D(),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, epochs=8, validation_data=test, verbose=2)
