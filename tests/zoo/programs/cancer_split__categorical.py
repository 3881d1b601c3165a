import numpy as np
from keras import Input, Model, layers
from sklearn.datasets import load_breast_cancer

X, y = load_breast_cancer(return_X_y=True)
X = (X - X.mean(0)) / X.std(0)
rng = np.random.default_rng(17)
index = rng.permutation(len(X))
X, y = X[index], y[index]

X_train, y_train = X[:430], y[:430]
X_val, y_val = X[430:], y[430:]

patient = Input((30,))
z = layers.Dense(32, activation="relu")(patient)
z = layers.Dense(32, activation="relu")(z)
verdict = layers.Dense(1, activation="sigmoid")(z)
model = Model(patient, verdict)
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
model.fit(X_train, y_train, epochs=30, batch_size=32, validation_data=(X_val, y_val), verbose=0)
