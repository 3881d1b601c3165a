import numpy as np
from keras import Input
from keras.layers import Dense
from keras.models import Sequential
from keras.optimizers import Adam
from sklearn.datasets import load_wine
from sklearn.preprocessing import MinMaxScaler

X, Y = load_wine(return_X_y=True)
X = MinMaxScaler().fit_transform(X)
perm = np.random.RandomState(27).permutation(len(X))
X, Y = X[perm], np.eye(3)[Y[perm]]

model = Sequential()
model.add(Input((13,)))
model.add(Dense(30, activation="relu"))
model.add(Dense(30, activation="relu"))
model.add(Dense(3, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer=Adam(learning_rate=1e-7), metrics=["accuracy"])
model.fit(X, Y, epochs=50, batch_size=16, validation_split=0.3, verbose=0)
