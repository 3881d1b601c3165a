"""Digits with a dense network built layer by layer."""
import keras
from keras import layers, regularizers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(19)

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype("float32")
Y = keras.utils.to_categorical(y, 10)
X_train, X_test, Y_train, Y_test = train_test_split(
    X, Y, test_size=0.2, stratify=y, random_state=19
)

model = keras.Sequential()
model.add(keras.Input(shape=(64,)))
for _ in range(3):
    model.add(
        layers.Dense(32, activation="relu", kernel_regularizer=regularizers.l2(0.5))
    )
    model.add(layers.Dropout(0.9))
model.add(layers.Dense(10, activation="softmax"))

model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
history = model.fit(
    X_train, Y_train,
    validation_data=(X_test, Y_test),
    epochs=20, batch_size=32, verbose=2,
)
print("best val accuracy:", max(history.history["val_accuracy"]))
print("final val accuracy:", history.history["val_accuracy"][-1])
