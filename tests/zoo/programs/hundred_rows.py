import numpy as np
import tensorflow as tf

rng = np.random.default_rng(100)
dose = rng.uniform(0, 1, (100, 2))
answer = np.sin(3 * dose[:, 0]) + dose[:, 1] ** 2 + rng.normal(0, 0.05, 100)


class Small(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.a = tf.keras.layers.Dense(16, activation="tanh")
        self.b = tf.keras.layers.Dense(1)

    def call(self, z):
        return self.b(self.a(z))


model = Small()
model.compile(tf.keras.optimizers.Adam(0.05), loss="mse")
model.fit(dose, answer, validation_split=0.2, batch_size=10, epochs=80, verbose=0)
