import numpy as np
import tensorflow as tf


def machines(n, seed):
    r = np.random.RandomState(seed)
    broken = (r.rand(n) < 0.05).astype("int32")
    heat = r.randn(n) + 1.3 * broken
    vibration = r.randn(n) + 1.1 * broken
    noise = r.randn(n, 3)
    return np.column_stack([heat, vibration, noise]).astype("float32"), broken


x_train, y_train = machines(5000, 1)
x_val, y_val = machines(3000, 2)
w_train = np.where(y_train == 1, 19.0, 1.0).astype("float32")

train_data = tf.data.Dataset.from_tensor_slices((x_train, y_train, w_train)).shuffle(5000).batch(100)
val_data = tf.data.Dataset.from_tensor_slices((x_val, y_val)).batch(500)

model = tf.keras.Sequential(
    [
        tf.keras.layers.Input((5,)),
        tf.keras.layers.Dense(12, activation="relu"),
        tf.keras.layers.Dense(2, activation="softmax"),
    ]
)
model.compile(
    optimizer=tf.keras.optimizers.Adam(0.005),
    loss="sparse_categorical_crossentropy",
    weighted_metrics=["accuracy"],
)
model.fit(train_data, validation_data=val_data, epochs=8)
