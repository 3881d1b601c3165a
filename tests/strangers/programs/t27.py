"""Small CNN on the 8x8 digits, rescaling inside the model."""
import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(27)

digits = load_digits()
x = digits.images[..., None].astype("float32")
y = keras.utils.to_categorical(digits.target, 10)
x_train, x_test, y_train, y_test = train_test_split(
    x, y, test_size=0.2, stratify=digits.target, random_state=27
)

inputs = keras.Input(shape=(8, 8, 1))
h = layers.Rescaling(1.0 / 16.0)(inputs)
h = layers.Conv2D(24, 3, padding="same", activation="relu")(h)
h = layers.MaxPooling2D(2)(h)
h = layers.Conv2D(48, 3, padding="same", activation="relu")(h)
h = layers.Flatten()(h)
h = layers.Dropout(0.4)(h)
outputs = layers.Dense(10, activation="softmax")(h)
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.RMSprop(1e-3),
    loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.05),
    metrics=["accuracy"],
)
model.fit(x_train, y_train, epochs=15, batch_size=32, validation_split=0.15, verbose=2)
print("test accuracy:", model.evaluate(x_test, y_test, verbose=0)[1])
