"""Two-tower recommender: does this user like this item?"""
import numpy as np
import keras
from keras import layers
from sklearn.metrics import roc_auc_score

keras.utils.set_random_seed(16)
rng = np.random.default_rng(16)

n = 3000
U = rng.normal(size=(n, 8)).astype("float32")
V = rng.normal(size=(n, 8)).astype("float32")
A = rng.normal(size=(8, 2))
B = rng.normal(size=(8, 2))
affinity = np.sum((U @ A) * (V @ B), axis=1)
y = (affinity > 0).astype("float32")

tr, va, te = slice(0, 2100), slice(2100, 2500), slice(2500, None)


def tower(name):
    inp = keras.Input(shape=(8,), name=name)
    h = layers.Dense(32, activation="relu")(inp)
    h = layers.Dense(8)(h)
    return inp, h


user_in, user_vec = tower("user")
item_in, item_vec = tower("item")
dot = layers.Dot(axes=1)([user_vec, item_vec])
out = layers.Activation("sigmoid")(dot)
model = keras.Model([user_in, item_in], out)

model.compile(
    optimizer=keras.optimizers.Adam(2e-3),
    loss="binary_crossentropy",
    metrics=["accuracy"],
)
model.fit(
    [U[tr], V[tr]], y[tr],
    validation_data=([U[va], V[va]], y[va]),
    epochs=40, batch_size=64, verbose=2,
    callbacks=[
        keras.callbacks.EarlyStopping(
            monitor="val_loss", patience=6, restore_best_weights=True
        )
    ],
)
p = model.predict([U[te], V[te]], verbose=0).ravel()
print("test accuracy: %.3f" % np.mean((p > 0.5) == (y[te] > 0.5)))
print("test AUC: %.3f" % roc_auc_score(y[te], p))
