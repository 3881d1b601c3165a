"""Logistic regression, on purpose: nothing but one unit."""

import tensorflow as tf
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=10)
scaler = StandardScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)

model = tf.keras.models.Sequential(
    [tf.keras.layers.Input(shape=(30,)), tf.keras.layers.Dense(1, activation="sigmoid")],
)
model.compile(optimizer=tf.keras.optimizers.SGD(1.0), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(X_train, y_train, validation_data=(X_test, y_test), epochs=20, batch_size=40)
print("Train score:", model.evaluate(X_train, y_train))
print("Test score:", model.evaluate(X_test, y_test))
