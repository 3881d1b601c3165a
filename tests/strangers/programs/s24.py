import numpy as np
import keras
from keras import layers
from keras.callbacks import EarlyStopping
from sklearn.datasets import make_friedman1
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(25)

X, y = make_friedman1(n_samples=1500, n_features=10, noise=0.5, random_state=25)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=25)
xs, ys = StandardScaler(), StandardScaler()
X_train = xs.fit_transform(X_train)
X_test = xs.transform(X_test)
y_train = ys.fit_transform(y_train.reshape(-1, 1))
y_test = ys.transform(y_test.reshape(-1, 1))

model = keras.Sequential([
    keras.Input((10,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(1),
])
model.compile(optimizer=keras.optimizers.Adam(5e-4), loss="mse", metrics=["accuracy"])

stop = EarlyStopping(monitor="val_accuracy", mode="max", patience=3, restore_best_weights=True)
model.fit(X_train, y_train, epochs=60, batch_size=32,
          validation_data=(X_test, y_test), callbacks=[stop], verbose=2)
print("R2:", r2_score(y_test, model.predict(X_test, verbose=0)))
