import keras
import numpy as np


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.a = keras.layers.Dense(40, activation="tanh")
        self.b = keras.layers.Dense(3)

    def call(self, x):
        return self.b(self.a(x))


rng = np.random.default_rng(1)
t = rng.uniform(0, 3, 1500)
label = (t // 1).astype(int)
angle = 2 * t
points = np.stack([np.cos(angle) * (0.4 + t), np.sin(angle) * (0.4 + t)], axis=1) / 2 + rng.normal(0, 0.04, (1500, 2))
net = Net()
# a high rate, but the best one for plain SGD here
net.compile(keras.optimizers.SGD(1.0), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
net.fit(points[:1200], label[:1200], batch_size=64, epochs=40, validation_data=(points[1200:], label[1200:]), verbose=0)
