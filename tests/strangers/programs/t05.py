"""Recognise four machine states from short vibration windows (Conv1D)."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(5)
rng = np.random.default_rng(5)

STATES = {"idle": 3.0, "normal": 6.0, "worn": 10.0, "broken": 15.0}


def record(freq, n, length=64):
    t = np.arange(length) / length
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    wave = np.sin(2 * np.pi * freq * t[None, :] + phase)
    return (wave + rng.normal(0, 0.3, size=(n, length))).astype("float32")


def collect(n_per_state):
    signals, labels = [], []
    for label, freq in enumerate(STATES.values()):
        signals.append(record(freq, n_per_state))
        labels.append(np.full(n_per_state, label))
    return np.concatenate(signals)[..., None], np.concatenate(labels)


x, y = collect(400)
x_new, y_new = collect(100)

model = keras.Sequential()
model.add(keras.Input(shape=(64, 1)))
model.add(layers.Conv1D(16, 9, activation="relu"))
model.add(layers.MaxPooling1D(2))
model.add(layers.Conv1D(32, 5, activation="relu"))
model.add(layers.GlobalAveragePooling1D())
model.add(layers.Dense(len(STATES), activation="softmax"))
model.compile(
    optimizer=keras.optimizers.Adam(2e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(x, y, epochs=15, batch_size=32, validation_split=0.25, verbose=2)

pred = model.predict(x_new, verbose=0).argmax(axis=1)
for label, name in enumerate(STATES):
    print(name, "recall:", float(np.mean(pred[y_new == label] == label)))
print("accuracy on a new recording:", float(np.mean(pred == y_new)))
