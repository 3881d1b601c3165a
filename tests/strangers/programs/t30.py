"""Ordinal regression: five ordered grades as four cumulative questions."""
import numpy as np
import keras
from keras import layers, ops

keras.utils.set_random_seed(30)
rng = np.random.default_rng(30)

n, n_grades = 2400, 5
X = rng.normal(size=(n, 9)).astype("float32")
latent = (
    1.5 * X[:, 0] - X[:, 1] + 0.8 * X[:, 2] + 0.5 * X[:, 3] ** 2
    + rng.normal(0, 0.2, n)
)
cuts = np.quantile(latent, [0.2, 0.4, 0.6, 0.8])
grade = np.searchsorted(cuts, latent)
Y = (grade[:, None] > np.arange(n_grades - 1)[None, :]).astype("float32")

tr, va, te = slice(0, 1700), slice(1700, 2000), slice(2000, None)


def ordinal_loss(y_true, y_pred):
    bce = keras.losses.binary_crossentropy(y_true, y_pred)
    gap = ops.abs(ops.sum(y_true, axis=-1) - ops.sum(y_pred, axis=-1))
    return bce + 0.1 * gap


class GradeNet(keras.Model):
    def __init__(self):
        super().__init__()
        self.body = [layers.Dense(64, activation="swish"), layers.Dense(32, activation="swish")]
        self.head = layers.Dense(n_grades - 1, activation="sigmoid")

    def call(self, x):
        for layer in self.body:
            x = layer(x)
        return self.head(x)


model = GradeNet()
model.compile(
    optimizer=keras.optimizers.Adam(2e-3), loss=ordinal_loss, metrics=["binary_accuracy"]
)
model.fit(
    X[tr], Y[tr], validation_data=(X[va], Y[va]), epochs=30, batch_size=32, verbose=2
)
pred = (model.predict(X[te], verbose=0) > 0.5).sum(axis=1)
print("exact grade: %.3f" % np.mean(pred == grade[te]))
print("within one grade: %.3f" % np.mean(np.abs(pred - grade[te]) <= 1))
print("mean absolute error in grades: %.3f" % np.mean(np.abs(pred - grade[te])))
