import keras
import numpy as np
from keras import layers

CLASSES = ["sine", "square", "saw", "noise"]


def wave(rng, kind, n=80):
    t = np.arange(n) / n * rng.uniform(2, 5) + rng.random()
    base = {
        "sine": np.sin(2 * np.pi * t),
        "square": np.sign(np.sin(2 * np.pi * t)),
        "saw": 2 * (t % 1) - 1,
        "noise": rng.normal(0, 0.7, n),
    }[kind]
    return base + rng.normal(0, 0.25, n)


def dataset(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, len(CLASSES), n)
    return np.stack([wave(rng, CLASSES[k]) for k in y])[..., np.newaxis].astype("float32"), y


def build_model():
    signal = keras.Input(shape=(80, 1))
    z = layers.Conv1D(16, 5, strides=2, activation="relu")(signal)
    z = layers.Conv1D(16, 5, strides=2, activation="relu")(z)
    z = layers.GlobalAveragePooling1D()(z)
    scores = layers.Dense(len(CLASSES), activation="softmax")(z)
    return keras.Model(signal, layers.Reshape((len(CLASSES),))(scores))


def main():
    x_train, y_train = dataset(2000, 0)
    x_test, y_test = dataset(500, 1)
    model = build_model()
    model.compile(
        optimizer=keras.optimizers.Adam(0.005),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(x_train, y_train, epochs=10, batch_size=50, validation_data=(x_test, y_test), verbose=2)
    model.evaluate(x_test, y_test)


if __name__ == "__main__":
    main()
