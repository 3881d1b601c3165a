import numpy as np
import tensorflow as tf
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

tf.random.set_seed(3)
X, y = load_breast_cancer(return_X_y=True)
X = StandardScaler().fit_transform(X)
y = np.where((X[:, 0] * X[:, 1] + 0.3 * X[:, 4] > 0), 1, 0)  # an interaction, to make it harder
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=3)

inputs = tf.keras.Input(shape=(30,))
h = tf.keras.layers.Dense(24, activation="relu")(inputs)
h = tf.keras.layers.Dropout(0.8)(h)
h = tf.keras.layers.Dense(12, activation="relu")(h)
h = tf.keras.layers.Dropout(0.8)(h)
h = tf.keras.layers.Dense(12, activation="relu")(h)
h = tf.keras.layers.Dropout(0.8)(h)
outputs = tf.keras.layers.Dense(1, activation="sigmoid")(h)
model = tf.keras.Model(inputs, outputs)
model.compile(optimizer=tf.keras.optimizers.Adam(0.005), loss="binary_crossentropy", metrics=["accuracy"])
history = model.fit(X_train, y_train, epochs=40, batch_size=16, validation_data=(X_test, y_test), verbose=0)
print(max(history.history["val_accuracy"]))
