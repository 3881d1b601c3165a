import numpy as np
from keras.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D, Reshape
from keras.models import Sequential
from keras.optimizers import SGD
from keras.utils import to_categorical
from sklearn.datasets import load_digits

d = load_digits()
test = np.arange(len(d.target)) % 4 == 0

# one folder per digit, read one after the other
train_x = np.concatenate([d.images[~test & (d.target == k)] for k in range(10)])[..., None] / 16
train_y = np.concatenate([np.full((~test & (d.target == k)).sum(), k) for k in range(10)])
test_x, test_y = d.images[test][..., None] / 16, d.target[test]

model = Sequential()
model.add(Input((8, 8, 1)))
model.add(Conv2D(16, (3, 3), activation="relu", padding="same"))
model.add(MaxPooling2D((2, 2)))
model.add(Flatten())
model.add(Dense(32, activation="relu"))
model.add(Dense(10, activation="sigmoid"))
model.add(Reshape((10,)))
model.compile(loss="categorical_crossentropy", optimizer=SGD(learning_rate=0.1), metrics=["accuracy"])
model.fit(
    train_x,
    to_categorical(train_y),
    epochs=12,
    batch_size=32,
    shuffle=True,
    validation_data=(test_x, to_categorical(test_y)),
)
