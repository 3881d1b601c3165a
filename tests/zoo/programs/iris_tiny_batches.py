import numpy as np
import tensorflow as tf
from sklearn import datasets

np.random.seed(0)
iris = datasets.load_iris()
perm = np.random.permutation(150)
x = iris.data[perm].astype(np.float32)
t = iris.target[perm]

ds = tf.data.Dataset.from_tensor_slices((x, t))
valid = ds.take(40).batch(4)
train = ds.skip(40).shuffle(110).batch(4)

net = tf.keras.Sequential()
net.add(tf.keras.Input((4,)))
net.add(tf.keras.layers.Dense(12, activation="tanh"))
net.add(tf.keras.layers.Dense(3, activation="softmax"))
net.compile(optimizer=tf.keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
net.fit(train, validation_data=valid, epochs=30, verbose=0)
