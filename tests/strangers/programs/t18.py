"""Diabetes progression with a Huber loss and early stopping."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(18)

X, y = load_diabetes(return_X_y=True, scaled=False)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)

scaler = StandardScaler().fit(X_train)
X_train = scaler.transform(X_train).astype("float32")
X_test = scaler.transform(X_test).astype("float32")
y_mean, y_std = y_train.mean(), y_train.std()
t_train = ((y_train - y_mean) / y_std).astype("float32")

model = keras.Sequential(
    [
        keras.Input(shape=(10,)),
        layers.Dense(24, activation="relu", kernel_regularizer=keras.regularizers.l2(1e-3)),
        layers.Dense(12, activation="relu", kernel_regularizer=keras.regularizers.l2(1e-3)),
        layers.Dense(1),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(1e-3), loss=keras.losses.Huber(delta=1.0), metrics=["mae"]
)
model.fit(
    X_train, t_train,
    validation_split=0.2,
    epochs=120,
    batch_size=32,
    verbose=2,
    callbacks=[
        keras.callbacks.EarlyStopping(
            monitor="val_loss", patience=15, restore_best_weights=True
        )
    ],
)
pred = model.predict(X_test, verbose=0).ravel() * y_std + y_mean
linear = LinearRegression().fit(X_train, y_train).predict(X_test)
print("network R2: %.3f   MAE: %.1f" % (r2_score(y_test, pred), np.abs(y_test - pred).mean()))
print("linear  R2: %.3f" % r2_score(y_test, linear))
