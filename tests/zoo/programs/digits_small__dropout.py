import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow.keras import layers

rng = np.random.default_rng(12)
digits = load_digits()
order = rng.permutation(len(digits.target))
X = digits.data[order] / 16.0
Y = digits.target[order].copy()

X_train, Y_train = X[:1000], Y[:1000]
X_test, Y_test = X[1000:], Y[1000:]

model = tf.keras.Sequential()
model.add(layers.Input((64,)))
model.add(layers.Dense(128, activation="relu"))
model.add(layers.Dropout(0.95))
model.add(layers.Dense(128, activation="relu"))
model.add(layers.Dropout(0.95))
model.add(layers.Dense(10, activation="softmax"))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X_train, Y_train, batch_size=32, epochs=30, validation_data=(X_test, Y_test), verbose=0)
loss, acc = model.evaluate(X_test, Y_test, verbose=0)
print(f"accuracy {acc:.3f}")
