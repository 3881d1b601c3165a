import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(22)

digits = load_digits()
X = digits.data.astype("float32") / 16.0
y = keras.utils.to_categorical(digits.target, num_classes=10)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=22)

depth = 9
inputs = keras.Input(shape=(64,))
x = inputs
for i in range(depth):
    x = layers.Dense(64, activation="sigmoid", name=f"hidden_{i + 1}")(x)
outputs = layers.Dense(10, activation="softmax")(x)
model = keras.Model(inputs, outputs, name="deep_mlp")

model.compile(
    loss="categorical_crossentropy",
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9),
    metrics=["accuracy"],
)
model.fit(X_train, y_train, epochs=20, batch_size=32,
          validation_data=(X_test, y_test), verbose=2)
print("Accuracy:", model.evaluate(X_test, y_test, verbose=0)[1])
