import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import make_friedman1
from sklearn.preprocessing import StandardScaler
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(1)

X, y = make_friedman1(n_samples=1600, n_features=8, noise=0.4, random_state=1)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)

xs = StandardScaler().fit(X_train)
X_train = xs.transform(X_train).astype("float32")
X_test = xs.transform(X_test).astype("float32")
mu, sd = y_train.mean(), y_train.std()
y_train = ((y_train - mu) / sd).astype("float32")
y_test = ((y_test - mu) / sd).astype("float32")

train_ds = (tf.data.Dataset.from_tensor_slices((X_train, y_train))
            .shuffle(2000, seed=1).batch(32))

model = keras.Sequential([
    keras.Input((8,)),
    keras.layers.Dense(64, activation="relu"),
    keras.layers.Dense(64, activation="relu"),
    keras.layers.Dense(1),
])
optimizer = keras.optimizers.Adam(learning_rate=2e-3)
optimizer.build(model.trainable_variables)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        pred = model(xb, training=True)
        loss = tf.reduce_mean(tf.square(yb - pred))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(30):
    losses = []
    for xb, yb in train_ds:
        losses.append(float(train_step(xb, yb)))
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1:3d}  loss {np.mean(losses):.4f}")

pred = model.predict(X_test, verbose=0).ravel()
r2 = 1 - np.mean((pred - y_test) ** 2) / np.var(y_test)
print("test R2:", r2)
