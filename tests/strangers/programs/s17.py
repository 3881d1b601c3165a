"""Wide sparse code for digits: only a small part of the hidden units fires per image."""
import numpy as np
import keras
from keras import layers, regularizers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(17)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.2, random_state=17, stratify=y)
scaler = StandardScaler().fit(X_train)
X_train = np.clip(scaler.transform(X_train), -8, 8).astype("float32")
X_test = np.clip(scaler.transform(X_test), -8, 8).astype("float32")

inputs = keras.Input((64,))
code = layers.Dense(512, activation="relu", kernel_initializer="he_normal",
                    bias_initializer=keras.initializers.Constant(-1.5),
                    activity_regularizer=regularizers.L1(1e-5), name="code")(inputs)
outputs = layers.Dense(10, activation="softmax")(code)
model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X_train, y_train, epochs=15, batch_size=32,
          validation_data=(X_test, y_test), verbose=2)

acts = keras.Model(inputs, code).predict(X_test, verbose=0)
print("fraction of active units:", float((acts > 0).mean()))
print("test:", model.evaluate(X_test, y_test, verbose=0))
