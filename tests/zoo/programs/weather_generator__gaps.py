import numpy as np
from keras.layers import Dense, Input
from keras.models import Sequential

rng = np.random.default_rng(5)
table = rng.normal(size=(3000, 7)).astype("float32")
tomorrow = (0.7 * table[:, 0] - 0.5 * table[:, 3] + 0.3 * table[:, 1] * table[:, 2] + rng.normal(0, 0.2, 3000)).astype(
    "float32"
)
# the station was down for a while
table[rng.integers(0, 3000, 120), 5] = np.nan


def batches(x, y, size=50):
    while True:
        order = np.random.permutation(len(x))
        for start in range(0, len(x), size):
            take = order[start : start + size]
            yield x[take], y[take]


model = Sequential([Input((7,)), Dense(32, activation="tanh"), Dense(1)])
model.compile(loss="mse", optimizer="rmsprop")
model.fit(
    batches(table[:2500], tomorrow[:2500]),
    steps_per_epoch=50,
    epochs=8,
    validation_data=(table[2500:], tomorrow[2500:]),
    verbose=2,
)
