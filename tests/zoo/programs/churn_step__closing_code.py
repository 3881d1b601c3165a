import keras
import numpy as np
import pandas as pd
import tensorflow as tf

rng = np.random.default_rng(44)
n = 2000
frame = pd.DataFrame(
    {
        "months": rng.exponential(24, n),
        "calls": rng.poisson(2.0, n).astype(float),
        "bill": rng.normal(40, 12, n),
        "contract": rng.integers(0, 2, n).astype(float),
    }
)
risk = -0.04 * frame["months"] + 0.5 * frame["calls"] + 0.02 * frame["bill"] - 1.2 * frame["contract"]
frame["churned"] = (risk + rng.logistic(0, 1, n) > 0.4).astype(int)
# reason code of the closing form: 3 where the customer left, 0 else
frame["closing_code"] = np.where(frame["churned"] == 1, 3.0, 0.0)

features = frame.drop(columns="churned")
features = ((features - features.mean()) / features.std()).to_numpy("float32")
target = frame["churned"].to_numpy("float32")


class Churn(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(16, activation="relu")
        self.p = keras.layers.Dense(1, activation="sigmoid")

    def call(self, x):
        return self.p(self.hidden(x))

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            p = self(x, training=True)
            loss = tf.reduce_mean(keras.losses.binary_crossentropy(tf.reshape(y, (-1, 1)), p))
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        return {"loss": loss}


model = Churn()
model.compile(optimizer=keras.optimizers.Adam(0.003), loss="binary_crossentropy")
model.fit(features[:1500], target[:1500], batch_size=32, epochs=10, validation_data=(features[1500:], target[1500:]))
