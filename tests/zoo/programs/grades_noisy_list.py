import numpy as np
from keras import Sequential
from keras.layers import Dense, Input

rng = np.random.default_rng(30)
hours = rng.normal(size=(900, 5))
grade = hours @ np.array([0.5, -0.3, 0.2, 0.0, 0.1]) + rng.normal(0, 1.2, 900)  # mostly chance, and linear

model = Sequential([Input((5,)), Dense(16, activation="relu"), Dense(1)])
model.compile(optimizer="adam", loss="mae")
model.fit(hours[:700], grade[:700], epochs=25, batch_size=32, validation_data=(hours[700:], grade[700:]), verbose=0)
