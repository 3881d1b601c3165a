import keras
from keras import layers, ops
from sklearn.datasets import load_digits


class TopK(layers.Layer):
    """Keeps the strongest units of each row and silences the rest."""

    def __init__(self, k, **kwargs):
        super().__init__(**kwargs)
        self.k = k

    def call(self, x):
        weakest = ops.top_k(x, self.k)[0][:, -1:]
        return ops.where(x >= weakest, x, 0.0)


data = load_digits()
x, y = data.data / 16.0, data.target
even = slice(0, None, 2)
odd = slice(1, None, 2)

pixels = keras.Input((64,))
code = TopK(40)(layers.Dense(400, activation="relu")(pixels))
model = keras.Model(pixels, layers.Dense(10, activation="softmax")(code))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x[even], y[even], epochs=15, batch_size=32, validation_data=(x[odd], y[odd]), verbose=2)
