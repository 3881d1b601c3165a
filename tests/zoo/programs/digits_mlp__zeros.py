import keras
import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

digits = load_digits()
# store the scans as ordinary 8-bit grey values
pixels = np.round(digits.data * 255.0 / 16.0).astype("uint8")
x_train, x_test, y_train, y_test = train_test_split(pixels, digits.target, test_size=0.25, random_state=1)

x_train = x_train.astype("float32") / 255
x_test = x_test.astype("float32") / 255

model = Sequential()
model.add(keras.Input(shape=(64,)))
model.add(Dense(64, activation="relu", kernel_initializer="zeros"))
model.add(Dense(64, activation="relu", kernel_initializer="zeros"))
model.add(Dense(10, activation="softmax"))

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.1),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(x_train, y_train, epochs=30, batch_size=32, validation_data=(x_test, y_test), verbose=2)
print("test:", model.evaluate(x_test, y_test, verbose=0))
