import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class ConvBlock(tf.keras.layers.Layer):
    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.conv = tf.keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)
        self.bn = tf.keras.layers.BatchNormalization(momentum=0.9)

    def call(self, x, training=False):
        return tf.nn.relu(self.bn(self.conv(x), training=training))


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.block1 = ConvBlock(8)
        self.pool = tf.keras.layers.MaxPooling2D()
        self.block2 = ConvBlock(16)
        self.flat = tf.keras.layers.Flatten()
        self.fc = tf.keras.layers.Dense(10)

    def call(self, x, training=False):
        x = self.pool(self.block1(x, training=training))
        x = self.block2(x, training=training)
        return self.fc(self.flat(x))


digits = load_digits()
x_train, x_test, y_train, y_test = train_test_split(
    digits.images[..., None], digits.target, test_size=0.3, random_state=3
)
net = Net()
net.compile(
    optimizer=tf.keras.optimizers.Adam(10.0),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
net.fit(x_train, y_train, epochs=6, batch_size=32, validation_data=(x_test, y_test))
