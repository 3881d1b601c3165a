import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

tf.random.set_seed(3)
np.random.seed(3)

# 8-bit grayscale images
data = load_digits()
images = np.clip(np.round(data.images * (255.0 / 16.0)), 0, 255).astype("uint8")
images = images[..., np.newaxis].astype("float32")
labels = data.target

train_x, test_x, train_y, test_y = train_test_split(
    images, labels, test_size=0.2, random_state=3, stratify=labels)
print(train_x.shape, train_x.min(), train_x.max())

inputs = keras.Input(shape=(8, 8, 1))
x = layers.Rescaling(1.0 / 255)(inputs)
x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
x = layers.MaxPooling2D(2)(x)
x = layers.Flatten()(x)
x = layers.Dropout(0.25)(x)
x = layers.Dense(64, activation="relu")(x)
outputs = layers.Dense(10)(x)
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=1e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(train_x, train_y, batch_size=32, epochs=15,
          validation_data=(test_x, test_y), verbose=2)
print(model.evaluate(test_x, test_y, verbose=0))
