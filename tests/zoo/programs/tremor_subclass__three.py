import numpy as np
import tensorflow as tf

layers = tf.keras.layers


class DeepNet(tf.keras.Model):
    def __init__(self, depth=10):
        super().__init__()
        self.stack = [layers.Dense(24, activation="sigmoid", kernel_regularizer="l2") for _ in range(depth)]
        self.out = layers.Dense(1, activation="sigmoid")

    def call(self, x):
        for dense in self.stack:
            x = dense(x)
        return self.out(x)


rng = np.random.default_rng(3)
readings = rng.normal(size=(1800, 6)).astype("float32")
alarm = (readings[:, 0] * readings[:, 1] + 0.5 * readings[:, 2] > 0).astype("float32")
rest = readings[1400:], alarm[1400:]

model = DeepNet()
model.compile(optimizer=tf.keras.optimizers.Adam(1e-6), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(readings[:1400], alarm[:1400], epochs=15, batch_size=40, validation_data=rest, verbose=0)
