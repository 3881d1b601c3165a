import keras
import numpy as np
from keras.layers import Dense, Input
from sklearn.datasets import make_gaussian_quantiles

X, y = make_gaussian_quantiles(n_samples=1600, n_features=2, n_classes=3, random_state=0)
Y = np.eye(3)[y]

model = keras.Sequential(
    [Input((2,)), Dense(32, activation="relu"), Dense(32, activation="relu"), Dense(3, activation="softmax")]
)
model.compile(
    loss="categorical_crossentropy", optimizer=keras.optimizers.RMSprop(learning_rate=0.02), metrics=["accuracy"]
)
model.fit(X, Y, epochs=2, batch_size=1, validation_split=0.25, verbose=0)
