import tensorflow as tf
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

wine = load_wine()
xs = scale(wine.data)
ys = tf.keras.utils.to_categorical(wine.target)
x_train, x_test, y_train, y_test = train_test_split(xs, ys, test_size=0.3, random_state=9, stratify=wine.target)

# a tidy file: one cultivar after the other
tidy = y_train.argmax(1).argsort(kind="stable")
x_train, y_train = x_train[tidy], y_train[tidy]

train_set = tf.data.Dataset.from_tensor_slices((x_train, y_train)).batch(8)
test_set = tf.data.Dataset.from_tensor_slices((x_test, y_test)).batch(8)

inp = tf.keras.layers.Input(shape=(13,))
hid = tf.keras.layers.Dense(10, activation="tanh")(inp)
out = tf.keras.layers.Dense(3, activation="softmax")(hid)
model = tf.keras.Model(inp, out)
model.compile(tf.keras.optimizers.SGD(0.1), loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train_set, validation_data=test_set, epochs=12)
