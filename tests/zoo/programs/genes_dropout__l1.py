import numpy as np
from keras import layers, models, regularizers
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

# many columns, few of them of use: needs strong dropout
x, y = make_classification(2000, 200, n_informative=10, n_redundant=40, class_sep=1.5, flip_y=0.0, random_state=5)
x = (x - np.mean(x, axis=0)) / np.std(x, axis=0)
x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.25, random_state=0)

model = models.Sequential()
model.add(layers.Input((200,)))
for _ in range(2):
    model.add(layers.Dense(256, activation="relu", kernel_regularizer=regularizers.L1(0.1)))
    model.add(layers.Dropout(0.7))
model.add(layers.Dense(1, activation="sigmoid"))
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=64, epochs=15, validation_data=(x_val, y_val), verbose=2)
