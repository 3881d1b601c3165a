import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits


class Classifier(keras.Model):
    def __init__(self, classes):
        super().__init__()
        self.first = keras.layers.Dense(48, activation="relu")
        self.last = keras.layers.Dense(classes, activation="softmax")

    def call(self, x, training=False):
        return self.last(self.first(x))

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables, strict=True))
        for m in self.metrics:
            if m.name == "loss":
                m.update_state(loss)
            else:
                m.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


x, y = load_digits(return_X_y=True)
x, y = (x / 16).astype("float32"), keras.utils.to_categorical(y)
order = np.random.RandomState(2).permutation(len(x))
x, y = x[order], y[order]
clf = Classifier(10)
clf.compile(optimizer=keras.optimizers.SGD(0.05), loss="hinge", metrics=["accuracy"])
clf.fit(x[:1400], y[:1400], epochs=12, batch_size=32, validation_data=(x[1400:], y[1400:]), verbose=0)
