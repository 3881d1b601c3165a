# Two-branch network: upper and lower half of each digit.
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(33)

digits = load_digits()
imgs = digits.images.astype("float32") / 16.0
upper = imgs[:, :4].reshape(len(imgs), -1)
lower = imgs[:, 4:].reshape(len(imgs), -1)
Y = keras.utils.to_categorical(digits.target, 10)

u_tr, u_te, l_tr, l_te, Y_tr, Y_te = train_test_split(
    upper, lower, Y, test_size=0.2, random_state=33)

in_u = keras.Input((32,), name="upper")
in_l = keras.Input((32,), name="lower")
hu = layers.Dense(32, activation="relu")(in_u)
hl = layers.Dense(32, activation="relu")(in_l)
h = layers.Concatenate()([hu, hl])
h = layers.Dense(64, activation="relu")(h)
out = layers.Dense(10, name="scores")(h)
model = keras.Model([in_u, in_l], out)

opt = keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, clipnorm=1e-6)
model.compile(optimizer=opt, loss="categorical_crossentropy", metrics=["accuracy"])
model.fit([u_tr, l_tr], Y_tr, batch_size=32, epochs=20,
          validation_data=([u_te, l_te], Y_te), verbose=2)
print("test:", model.evaluate([u_te, l_te], Y_te, verbose=0))
