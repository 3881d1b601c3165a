import keras
from sklearn.datasets import load_digits

images = load_digits().data.astype("float32") / 16.0
train, test = images[:1400], images[1400:]

encoder_input = keras.Input(shape=(64,), name="img")
x = keras.layers.Dense(64, activation="relu")(encoder_input)
code = keras.layers.Dense(16, activation="relu", name="code")(x)
x = keras.layers.Dense(64, activation="relu")(code)
decoded = keras.layers.Dense(64, activation="sigmoid")(x)

autoencoder = keras.Model(encoder_input, decoded, name="autoencoder")
autoencoder.compile(optimizer=keras.optimizers.Adam(0.003), loss="mse")
autoencoder.fit(train, train, epochs=25, batch_size=64, shuffle=True, validation_data=(test, test), verbose=2)
