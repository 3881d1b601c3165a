from keras import Model, layers, optimizers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

x, y = load_digits(return_X_y=True)
x = x * 15.0  # 0..240, as the scanner gives them
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=36)

inputs = layers.Input((64,))
h = inputs
for i in range(11):
    h = layers.Dense(32, activation="tanh", kernel_initializer="random_uniform", name=f"hidden_{i}")(h)
outputs = layers.Dense(10, activation="softmax")(h)
model = Model(inputs, outputs)
model.compile(optimizers.SGD(learning_rate=0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=15, validation_data=(x_test, y_test), verbose=0)
