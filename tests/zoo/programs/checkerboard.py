import numpy as np
from keras import Sequential
from keras.layers import Dense, Input
from keras.optimizers import Adam

rng = np.random.default_rng(0)


def board(n):
    p = rng.uniform(-2, 2, (n, 2))
    return p, (np.floor(p[:, 0]) + np.floor(p[:, 1])) % 2


x, y = board(3000)
x_val, y_val = board(800)

model = Sequential([Input((2,)), Dense(64, "relu"), Dense(64, "relu"), Dense(64, "relu"), Dense(1, "sigmoid")])
model.compile(Adam(0.005), "binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=64, epochs=25, validation_data=(x_val, y_val), verbose=0)
