import keras
from keras import ops
from sklearn.datasets import make_circles
from sklearn.model_selection import train_test_split


class Net(keras.Model):
    def __init__(self, width=16):
        super().__init__()
        self.d1 = keras.layers.Dense(width, activation="relu")
        self.d2 = keras.layers.Dense(width, activation="relu")
        self.head = keras.layers.Dense(1)

    def call(self, x):
        x = self.d1(x)
        x = self.d2(x)
        return ops.squeeze(self.head(x), axis=-1)


X, y = make_circles(1500, noise=0.1, factor=0.4, random_state=0)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.2, random_state=0)

net = Net()
net.compile(
    optimizer=keras.optimizers.Adam(learning_rate=5e-3, epsilon=100.0),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
)
net.fit(X_tr, y_tr, batch_size=32, epochs=20, validation_data=(X_te, y_te))
