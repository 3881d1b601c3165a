"""Digit classifier: a convolutional encoder with a small classification head."""
import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(12)

images, labels = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8, 1).astype("float32")
train_x, test_x, train_y, test_y = train_test_split(
    images, labels, test_size=0.25, stratify=labels, random_state=12
)


def load_train():
    return train_x / 8.0 - 1.0, train_y


def load_test():
    return test_x / 255.0, test_y


encoder = keras.Sequential(
    [
        keras.Input(shape=(8, 8, 1)),
        layers.Conv2D(16, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(32, activation="relu"),
        layers.Dense(6, activation="relu"),
    ],
    name="encoder",
)
encoder.trainable = False

model = keras.Sequential(
    [
        keras.Input(shape=(8, 8, 1)),
        encoder,
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(2e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.summary()

x, y = load_train()
x_val, y_val = load_test()
model.fit(x, y, validation_data=(x_val, y_val), epochs=25, batch_size=32, verbose=2)
print("test accuracy:", model.evaluate(x_val, y_val, verbose=0)[1])
