import numpy as np
from keras import Sequential
from keras.layers import GRU, Dense, Input
from keras.optimizers import Adam

STEPS = 20


def swings(n, seed):
    rng = np.random.default_rng(seed)
    phase, freq = rng.uniform(0, 2 * np.pi, (n, 1)), rng.uniform(0.2, 0.5, (n, 1))
    t = np.arange(STEPS + 1)
    s = np.sin(freq * t + phase) + rng.normal(0, 0.03, (n, STEPS + 1))
    return s[:, :-1, None], s[:, -1]


x_train, y_train = swings(1600, 0)
x_val, y_val = swings(400, 1)

model = Sequential()
model.add(Input((STEPS, 1)))
model.add(GRU(16))
model.add(Dense(1, activation="relu"))
model.compile(loss="mse", optimizer=Adam(1e-6))
model.fit(x_train, y_train, epochs=10, batch_size=32, validation_data=(x_val, y_val))
