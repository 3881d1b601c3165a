"""Claim counts: a neural Poisson regression."""
import numpy as np
import keras
from keras import layers
from sklearn.metrics import d2_tweedie_score
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(2)
rng = np.random.default_rng(2)

n = 2500
X = rng.normal(size=(n, 6)).astype("float32")
log_rate = 0.6 + 0.6 * X[:, 0] - 0.5 * X[:, 1] + 0.4 * np.tanh(X[:, 2] * X[:, 3])
y = rng.poisson(np.exp(np.clip(log_rate, -2.0, 3.0))).astype("float32")

X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.2, random_state=2)
X_tr, X_va, y_tr, y_va = train_test_split(X_tr, y_tr, test_size=0.2, random_state=2)

model = keras.Sequential(
    [
        keras.Input(shape=(6,)),
        layers.Dense(48, activation="relu"),
        layers.Dense(24, activation="relu"),
        layers.Dense(1, activation="exponential"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(2e-3), loss="poisson", metrics=["mae"])
model.fit(
    X_tr, y_tr,
    validation_data=(X_va, y_va),
    batch_size=64,
    epochs=60,
    verbose=2,
    callbacks=[
        keras.callbacks.EarlyStopping(
            monitor="val_loss", patience=10, restore_best_weights=True
        )
    ],
)
mu = np.clip(model.predict(X_te, verbose=0).ravel(), 1e-6, None)
print("explained deviance (D2):", round(float(d2_tweedie_score(y_te, mu, power=1)), 3))
print("mean count %.2f, mean prediction %.2f" % (y_te.mean(), mu.mean()))
