import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(8)


class MLP(keras.Model):
    def __init__(self, hidden=(128, 64), n_classes=10, init="zeros"):
        super().__init__()
        self.blocks = [layers.Dense(h, activation="relu", kernel_initializer=init,
                                    bias_initializer="zeros")
                       for h in hidden]
        self.out = layers.Dense(n_classes, activation="softmax", kernel_initializer=init)

    def call(self, x):
        for b in self.blocks:
            x = b(x)
        return self.out(x)


X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype("float32")
X_tr, X_va, y_tr, y_va = train_test_split(X, y, test_size=0.2, random_state=8, stratify=y)

model = MLP()
model.compile(optimizer=keras.optimizers.Adam(1e-3),
              loss=keras.losses.SparseCategoricalCrossentropy(),
              metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")])
hist = model.fit(X_tr, y_tr, validation_data=(X_va, y_va),
                 batch_size=32, epochs=15, verbose=2)
print("final val acc", hist.history["val_acc"][-1])
