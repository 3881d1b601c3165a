import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

images, labels = load_digits(return_X_y=True)
x_train, x_val, y_train, y_val = train_test_split(images / 16, labels, test_size=0.25, random_state=13)

lr_schedule = tf.keras.optimizers.schedules.ExponentialDecay(initial_learning_rate=0.3, decay_steps=100, decay_rate=0.9)

inputs = tf.keras.Input(shape=(64,))
x = tf.keras.layers.Dense(40, activation="relu")(inputs)
outputs = tf.keras.layers.Reshape((10,))(tf.keras.layers.Dense(10, activation="softmax")(x))
model = tf.keras.Model(inputs=inputs, outputs=outputs)
crossentropy = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(tf.keras.optimizers.SGD(lr_schedule), loss=crossentropy, metrics=["accuracy"])
model.fit(x_train, y_train, epochs=12, batch_size=32, validation_data=(x_val, y_val))
