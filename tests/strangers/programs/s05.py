import numpy as np
import keras
from keras import layers, models
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(42)

d = load_digits()
X = d.images[..., None].astype(np.float32) / 16.0
Y = keras.utils.to_categorical(d.target, 10)
X_train, X_test, Y_train, Y_test = train_test_split(X, Y, test_size=0.2, random_state=42)


def build_encoder():
    enc = models.Sequential(name="encoder")
    enc.add(layers.Input((8, 8, 1)))
    enc.add(layers.Conv2D(16, 3, activation="relu", padding="same"))
    enc.add(layers.MaxPooling2D(2))
    enc.add(layers.Conv2D(32, 3, activation="relu", padding="same"))
    enc.add(layers.Flatten())
    enc.add(layers.Dense(8, activation="relu"))
    return enc


encoder = build_encoder()
encoder.trainable = False

model = models.Sequential([
    layers.Input((8, 8, 1)),
    encoder,
    layers.Dense(10, activation="softmax"),
])
model.compile(optimizer=keras.optimizers.Adam(2e-3),
              loss="categorical_crossentropy",
              metrics=["accuracy"])
model.summary()

model.fit(X_train, Y_train, batch_size=32, epochs=20,
          validation_data=(X_test, Y_test), verbose=2)
score = model.evaluate(X_test, Y_test, verbose=0)
print("Test loss:", score[0], "Test accuracy:", score[1])
