"""Energy demand (standardised) from ten standardised readings."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(25)
rng = np.random.default_rng(25)

n = 1800
X = rng.normal(size=(n, 10)).astype("float32")
demand = (
    2.0 * X[:, 0] - 1.5 * X[:, 1] + X[:, 2] * X[:, 3]
    + np.sin(2 * X[:, 4]) + rng.normal(0, 0.2, n)
)
y = ((demand - demand.mean()) / demand.std()).astype("float32").reshape(-1, 1)
X_train, X_val = X[:1400], X[1400:]
y_train, y_val = y[:1400], y[1400:]


class DemandNet(keras.Model):
    def __init__(self, width=64):
        super().__init__()
        start = keras.initializers.Constant(-5.0)
        self.h1 = layers.Dense(width, activation="relu", bias_initializer=start)
        self.h2 = layers.Dense(width, activation="relu", bias_initializer=start)
        self.head = layers.Dense(1, activation="relu")

    def call(self, x):
        return self.head(self.h2(self.h1(x)))


model = DemandNet()
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse", metrics=["mae"])
model.fit(
    X_train, y_train, validation_data=(X_val, y_val),
    epochs=25, batch_size=32, verbose=2,
)
pred = model.predict(X_val, verbose=0)
r2 = 1.0 - np.mean((y_val - pred) ** 2) / np.var(y_val)
print("validation R2: %.3f" % r2)
