"""Residual MLP with pre-LayerNorm blocks for tabular regression."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import make_friedman1
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(6)

X, y = make_friedman1(n_samples=2000, n_features=10, noise=0.5, random_state=6)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=6)

x_scaler = StandardScaler().fit(X_train)
y_scaler = StandardScaler().fit(y_train[:, None])
X_train = x_scaler.transform(X_train).astype("float32")
X_test = x_scaler.transform(X_test).astype("float32")
y_train_s = y_scaler.transform(y_train[:, None]).astype("float32")


def residual_block(x, width):
    h = layers.LayerNormalization()(x)
    h = layers.Dense(2 * width, activation="gelu")(h)
    h = layers.Dense(width)(h)
    return layers.Add()([x, h])


inputs = keras.Input(shape=(10,))
x = layers.Dense(48)(inputs)
for _ in range(3):
    x = residual_block(x, 48)
x = layers.LayerNormalization()(x)
outputs = layers.Dense(1)(x)
model = keras.Model(inputs, outputs)

model.compile(optimizer=keras.optimizers.AdamW(1e-3, weight_decay=1e-3), loss="mse")
model.fit(X_train, y_train_s, validation_split=0.15, epochs=40, batch_size=64, verbose=2)

pred = y_scaler.inverse_transform(model.predict(X_test, verbose=0)).ravel()
print("test R2: %.3f" % r2_score(y_test, pred))
print("test MAE: %.3f" % np.mean(np.abs(y_test - pred)))
