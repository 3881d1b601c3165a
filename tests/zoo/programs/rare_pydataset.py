import keras
import numpy as np


class Balanced(keras.utils.PyDataset):
    """Half of each batch is rare."""

    def __init__(self, x, y, size=64, **kwargs):
        super().__init__(**kwargs)
        self.x, self.size = x, size
        self.rare, self.common = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
        self.y = y

    def __len__(self):
        return 40

    def __getitem__(self, index):
        rng = np.random.default_rng(index)
        rows = np.concatenate([rng.choice(self.rare, self.size // 2), rng.choice(self.common, self.size // 2)])
        return self.x[rows], self.y[rows]


rng = np.random.default_rng(2)
y = (rng.random(6000) < 0.03).astype("float32")
x = rng.normal(size=(6000, 6)).astype("float32")
x[y == 1, :2] += 1.6
train = Balanced(x[:4500], y[:4500])
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(1, "sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=[keras.metrics.AUC(name="auc")])
model.fit(train, epochs=6, validation_data=(x[4500:], y[4500:]), verbose=2)
