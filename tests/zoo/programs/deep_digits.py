import argparse

import keras
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def deep_model(depth, width):
    model = keras.Sequential([keras.Input((64,))])
    for _ in range(depth):
        model.add(keras.layers.Dense(width, activation="selu", kernel_initializer="lecun_normal"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    return model


def main():
    parser = argparse.ArgumentParser(description="a deep one")
    parser.add_argument("--depth", type=int, default=11)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=12)
    opt = parser.parse_args()
    x, y = load_digits(return_X_y=True)
    x = x / 16
    x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.2, random_state=0)
    model = deep_model(opt.depth, opt.width)
    model.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=32, epochs=opt.epochs, validation_data=(x_val, y_val), verbose=2)


if __name__ == "__main__":
    main()
