import numpy as np
import tensorflow as tf

np.random.seed(7)
n = 2000
area = np.random.uniform(30, 300, n)
age = np.random.uniform(0, 90, n)
distance = np.random.exponential(6000, n)  # metres to the centre
rooms = np.clip(area // 28 + np.random.randint(-1, 2, n), 1, None)
price = 2800 * area * np.exp(-distance / 15000) + 9000 * rooms - 700 * age + np.random.normal(0, 20000, n)

X = np.column_stack([area, age, distance, rooms])
y = price.reshape(-1, 1)

# split, then standardize
X_train, X_val, y_train, y_val = X[:1600], X[1600:], y[:1600], y[1600:]
X_mean, X_std = X_train.mean(0), X_train.std(0)
y_mean, y_std = y_train.mean(), y_train.std()

inputs = tf.keras.Input(shape=(4,))
x = tf.keras.layers.Dense(32, activation="relu")(inputs)
x = tf.keras.layers.Dense(32, activation="relu")(x)
outputs = tf.keras.layers.Dense(1, activation="sigmoid")(x)
model = tf.keras.Model(inputs, outputs)

model.compile(optimizer=tf.keras.optimizers.Adam(), loss="mse", metrics=["mae"])
model.fit(X_train, y_train, validation_data=(X_val, y_val), epochs=25, batch_size=32, verbose=0)
print(model.evaluate(X_val, y_val, verbose=0))
