import numpy as np
from keras import Model, layers, losses, metrics, optimizers
from sklearn.datasets import load_breast_cancer


class Doctor(Model):
    def __init__(self, hidden):
        super().__init__()
        self.norm = layers.Normalization()
        self.body = [layers.Dense(n, activation="swish", kernel_initializer="zeros") for n in hidden]
        self.head = layers.Dense(1, activation="sigmoid")

    def call(self, inputs):
        x = self.norm(inputs)
        for layer in self.body:
            x = layer(x)
        return self.head(x)


X, y = load_breast_cancer(return_X_y=True)
rng = np.random.default_rng(21)
perm = rng.permutation(len(X))
X, y = X[perm].astype("float32"), y[perm].astype("float32")
X_train, y_train, X_val, y_val = X[:369], y[:369], X[369:], y[369:]

model = Doctor([64, 64])
model.norm.adapt(X_train)
model.compile(optimizers.Adam(2e-3), losses.BinaryCrossentropy(), metrics=[metrics.BinaryAccuracy()])
model.fit(X_train, y_train, epochs=30, batch_size=24, validation_data=(X_val, y_val), verbose=0)
