import numpy as np
from keras import Sequential
from keras.layers import Dense, Input
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

X, y = make_classification(2400, 12, n_informative=8, n_classes=3, class_sep=2.0, flip_y=0, random_state=14)
X = X / X.std(axis=0)
X_train, X_val, y_train, y_val = train_test_split(X, y, random_state=14)

# annotations came from two crowds, one of them careless
rng = np.random.default_rng(14)
careless = rng.random(len(y_train)) < 0.3
y_train[careless] = rng.integers(0, 3, careless.sum())

model = Sequential(
    [Input((12,)), Dense(64, activation="relu"), Dense(64, activation="relu"), Dense(3, activation="softmax")]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X_train, y_train, epochs=25, batch_size=32, validation_data=(X_val, y_val), verbose=0)
