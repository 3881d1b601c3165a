import numpy as np
from keras.layers import Dense, Input
from keras.models import Sequential
from keras.optimizers import Adam
from keras.utils import set_random_seed

set_random_seed(1)
# the truth table of XOR is all the data there is
inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype="float32")
outputs = np.array([[0], [1], [1], [0]], dtype="float32")

model = Sequential()
model.add(Input((2,)))
model.add(Dense(16, activation="tanh"))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer=Adam(0.1), metrics=["accuracy"])
model.fit(inputs, outputs, batch_size=4, epochs=100, validation_data=(inputs, outputs), verbose=0)
print(model.predict(inputs, verbose=0).round(2))
