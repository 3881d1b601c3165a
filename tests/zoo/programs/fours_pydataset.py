import keras
import numpy as np
from sklearn.datasets import load_iris


class Fours(keras.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x) // 4

    def __getitem__(self, i):
        return self.x[4 * i : 4 * i + 4], self.y[4 * i : 4 * i + 4]

    def on_epoch_end(self):
        order = np.random.permutation(len(self.x))
        self.x, self.y = self.x[order], self.y[order]


x, y = load_iris(return_X_y=True)
order = np.random.RandomState(6).permutation(150)
x, y = ((x - x.mean(0)) / x.std(0))[order].astype("float32"), y[order]
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(12, activation="elu"), keras.layers.Dense(3)])
model.compile(
    keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
)
model.fit(Fours(x[:110], y[:110]), epochs=20, validation_data=(x[110:], y[110:]), verbose=0)
