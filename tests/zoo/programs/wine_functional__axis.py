import numpy as np
from keras import Input, Model
from keras.layers import Dense, Dropout, Softmax
from sklearn.datasets import load_wine

rs = np.random.RandomState(0)
X, cultivar = load_wine(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
rows = rs.permutation(X.shape[0])
tr, te = rows[:120], rows[120:]

inp = Input(shape=(13,))
x = Dense(16, activation="relu", name="fc1")(inp)
x = Dropout(0.2)(x)
out = Softmax(axis=0, name="prediction")(Dense(3)(x))
model = Model(inputs=inp, outputs=out)
model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X[tr], cultivar[tr], epochs=40, batch_size=10, validation_data=(X[te], cultivar[te]), verbose=0)
