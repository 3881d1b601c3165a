# Reuse a network trained on digits 0-4 to recognise digits 5-9.
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(12)

d = load_digits()
X = d.images[..., None].astype("float32") / 16.0
y = d.target
src = y < 5
X_src, y_src = X[src], y[src]
X_dst, y_dst = X[~src], y[~src] - 5

inp = keras.Input((8, 8, 1))
h = layers.Conv2D(24, 3, padding="same", activation="relu")(inp)
h = layers.Conv2D(48, 3, padding="same", activation="relu")(h)
h = layers.MaxPooling2D()(h)
features = layers.Flatten()(h)
src_out = layers.Dense(5, activation="softmax")(features)

source_model = keras.Model(inp, src_out, name="source")
source_model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
source_model.fit(X_src, y_src, batch_size=32, epochs=8,
                 validation_split=0.1, verbose=0)

base = keras.Model(inp, features, name="base")
base.trainable = False

X_tr, X_te, y_tr, y_te = train_test_split(
    X_dst, y_dst, test_size=0.25, stratify=y_dst, random_state=12)

target_in = keras.Input((8, 8, 1))
z = base(target_in, training=False)
z = layers.Dropout(0.2)(z)
z = layers.Dense(64, activation="relu")(z)
target_out = layers.Dense(5, activation="softmax")(z)
model = keras.Model(target_in, target_out)
model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy",
              metrics=["accuracy"])
model.fit(X_tr, y_tr, validation_data=(X_te, y_te), batch_size=32, epochs=15, verbose=2)
print("target task:", model.evaluate(X_te, y_te, verbose=0))
