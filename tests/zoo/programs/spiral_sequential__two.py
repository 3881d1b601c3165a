import argparse

import keras
import numpy as np


def spiral(n_per_arm, arms, seed):
    rng = np.random.default_rng(seed)
    xs, ys = [], []
    for arm in range(arms):
        t = np.sqrt(rng.uniform(0.02, 1, n_per_arm))
        angle = 4.5 * t + arm * 2 * np.pi / arms + rng.normal(0, 0.08, n_per_arm)
        xs.append(np.stack([t * np.cos(angle), t * np.sin(angle)], 1))
        ys.append(np.full(n_per_arm, arm))
    order = rng.permutation(n_per_arm * arms)
    return np.concatenate(xs)[order], np.concatenate(ys)[order]


parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=60)
parser.add_argument("--lr", type=float, default=1e-6)
args = parser.parse_args()

keras.utils.set_random_seed(3)
x, y = spiral(400, 3, seed=0)
x_val, y_val = spiral(150, 3, seed=1)

model = keras.Sequential(name="spiral")
model.add(keras.layers.Input(shape=(2,)))
model.add(keras.layers.Dense(32))
model.add(keras.layers.Dense(32))
model.add(keras.layers.Dense(3, activation="softmax"))
model.compile(
    loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.Adam(learning_rate=args.lr), metrics=["acc"]
)
model.fit(x, y, epochs=args.epochs, batch_size=64, validation_data=(x_val, y_val), verbose=0)
print(model.evaluate(x_val, y_val, verbose=0))
