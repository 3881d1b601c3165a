import keras
import numpy as np
from sklearn.datasets import load_wine
from sklearn.preprocessing import MinMaxScaler

X, y = load_wine(return_X_y=True)
X = MinMaxScaler().fit_transform(X)
Y = keras.utils.to_categorical(y)
np.random.seed(4)
p = np.random.permutation(len(X))
X, Y = X[p], Y[p]

# the textbook way
mlp = keras.models.Sequential()
mlp.add(keras.layers.Input(shape=(13,)))
mlp.add(keras.layers.Dense(20, activation="sigmoid"))
mlp.add(keras.layers.Dense(3, activation="sigmoid"))
mlp.compile(loss="mean_squared_error", optimizer=keras.optimizers.SGD(learning_rate=0.001), metrics=["accuracy"])
mlp.fit(X[:120], Y[:120], epochs=40, batch_size=16, validation_data=(X[120:], Y[120:]), verbose=0)
