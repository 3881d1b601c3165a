import keras
import numpy as np

rng = np.random.default_rng(66)
x = rng.normal(size=(2000, 10)).astype("float32")
kind = (x[:, 0] + x[:, 1] * x[:, 2] > 0).astype(int) + (x[:, 3] > 0.5).astype(int)
level = (x[:, 4] - 0.5 * x[:, 5]).astype("float32")

x_train, x_val = x[:1600], x[1600:]
kind_train, kind_val = kind[:1600], kind[1600:]
level_train, level_val = level[:1600], level[1600:]
rng.shuffle(x_train)  # new order every run

inp = keras.Input((10,))
h = keras.layers.Dense(48, activation="relu")(inp)
h = keras.layers.Dense(48, activation="relu")(h)
model = keras.Model(
    inp,
    {
        "kind": keras.layers.Dense(3, activation="softmax", name="kind")(h),
        "level": keras.layers.Dense(1, name="level")(h),
    },
)
model.compile("adam", loss={"kind": "sparse_categorical_crossentropy", "level": "mse"}, metrics={"kind": ["accuracy"]})
model.fit(
    x_train,
    {"kind": kind_train, "level": level_train},
    epochs=15,
    batch_size=32,
    validation_data=(x_val, {"kind": kind_val, "level": level_val}),
    verbose=0,
)
