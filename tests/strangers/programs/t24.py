"""Nesterov SGD with a decaying learning rate on digits."""
import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(24)

x, y = load_digits(return_X_y=True)
x = (x / 16.0).astype("float32")
x_train, x_test, y_train, y_test = train_test_split(
    x, y, test_size=0.2, stratify=y, random_state=24
)

model = keras.Sequential(
    [
        keras.Input(shape=(64,)),
        layers.Dense(96, use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Dense(48, use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Dense(10, activation="softmax"),
    ]
)
steps = -(-len(x_train) // 64)
schedule = keras.optimizers.schedules.ExponentialDecay(
    initial_learning_rate=0.1, decay_steps=5 * steps, decay_rate=0.6, staircase=True
)
model.compile(
    optimizer=keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(
    x_train, y_train,
    epochs=25, batch_size=64,
    validation_data=(x_test, y_test), verbose=2,
)
print("test accuracy:", model.evaluate(x_test, y_test, verbose=0)[1])
