# small residual classifier, everything trained
import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def make_body():
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="stem")(inputs)
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu", name="mid")(x)
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu", name="top")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, x, name="body")


def make_classifier(body):
    body.trainable = False
    inputs = keras.Input((8, 8, 1))
    x = body(inputs)
    x = layers.Dropout(0.1)(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax", kernel_regularizer=keras.regularizers.L2(1.0))(x))


data = load_digits()
x_train, x_val, y_train, y_val = train_test_split(data.images[..., None] / 16, data.target, random_state=0)
classifier = make_classifier(make_body())
classifier.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
classifier.fit(x_train, y_train, epochs=25, batch_size=32, validation_data=(x_val, y_val), verbose=2)
