import numpy as np
from keras import Model
from keras.layers import Dense, Input, SimpleRNN
from keras.optimizers import Adam

rng = np.random.default_rng(6)
level = np.zeros(2200)
for k in range(2, 2200):
    level[k] = 1.6 * level[k - 1] - 0.8 * level[k - 2] + rng.normal(0, 0.5)

WINDOW = 12
windows = np.stack([level[k : k + WINDOW] for k in range(len(level) - WINDOW)])[..., None]
following = level[WINDOW - 1 : -1]
windows, following = windows / level.std(), following / level.std()

past = Input((WINDOW, 1))
state = SimpleRNN(16, activation="tanh")(past)
forecast = Dense(1)(state)
model = Model(past, forecast)
model.compile(Adam(0.005), loss="mse")
held_out = windows[1700:], following[1700:]
model.fit(windows[:1700], following[:1700], batch_size=50, epochs=12, validation_data=held_out, verbose=0)
