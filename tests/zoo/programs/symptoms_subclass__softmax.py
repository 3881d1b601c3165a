import numpy as np
import tensorflow as tf


class Symptoms(tf.keras.Model):
    def __init__(self, n_labels):
        super().__init__()
        self.dense = tf.keras.layers.Dense(48, activation=tf.nn.relu)
        self.classifier = tf.keras.layers.Dense(n_labels, activation=tf.nn.softmax)

    def call(self, inputs, training=None):
        return self.classifier(self.dense(inputs))


rng = np.random.default_rng(1)
causes = rng.gamma(0.5, 1.0, size=(5, 30))
present = (rng.random((3000, 5)) < 0.45).astype(np.float32)
counts = rng.poisson(0.3 + present @ causes)
counts = np.log1p(counts).astype(np.float32)

model = Symptoms(n_labels=5)
model.compile(
    optimizer=tf.keras.optimizers.Adam(learning_rate=0.003),
    loss=tf.keras.losses.CategoricalCrossentropy(),
    metrics=[tf.keras.metrics.BinaryAccuracy()],
)
model.fit(counts[:2400], present[:2400], batch_size=60, epochs=10, validation_data=(counts[2400:], present[2400:]))
