import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(19)

LATENT = 1

X, y = load_digits(return_X_y=True)
X = X.astype("float32") / 16
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.2, random_state=19, stratify=y)


def make_model():
    pixels = keras.Input((64,), name="pixels")
    h = layers.Dense(128, activation="relu", name="enc1")(pixels)
    z = layers.Dense(LATENT, activation="relu", name="latent")(h)
    h = layers.Dense(64, activation="relu", name="head1")(z)
    probs = layers.Dense(10, activation="softmax", name="probs")(h)
    return keras.Model(pixels, probs)


model = make_model()
model.compile(optimizer=keras.optimizers.Adam(1e-3),
              loss="sparse_categorical_crossentropy",
              metrics=["accuracy"])
model.fit(X_train, y_train, batch_size=32, epochs=20,
          validation_data=(X_test, y_test), verbose=2)
print(model.evaluate(X_test, y_test, verbose=0))
