import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(13)

data = load_digits()
x = data.images[..., None].astype("float32") / 16.0
x_train, x_test, y_train, y_test = train_test_split(
    x, data.target, test_size=0.2, random_state=13, stratify=data.target)

augment = keras.Sequential([
    layers.RandomFlip("horizontal_and_vertical"),
    layers.RandomRotation(0.5, fill_mode="constant"),
    layers.RandomTranslation(0.9, 0.9, fill_mode="constant"),
    layers.GaussianNoise(1.0),
], name="augment")

inputs = keras.Input((8, 8, 1))
h = augment(inputs)
h = layers.Conv2D(16, 3, padding="same", activation="relu")(h)
h = layers.MaxPooling2D()(h)
h = layers.Conv2D(32, 3, padding="same", activation="relu")(h)
h = layers.Flatten()(h)
h = layers.Dense(64, activation="relu")(h)
outputs = layers.Dense(10, activation="softmax")(h)
model = keras.Model(inputs, outputs)

model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=15,
          validation_data=(x_test, y_test), verbose=2)
print("test accuracy:", model.evaluate(x_test, y_test, verbose=0)[1])
