import numpy as np
from keras.callbacks import EarlyStopping
from keras.layers import Dense, Input
from keras.models import Sequential
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

data = load_diabetes()
y = (data.target - data.target.mean()) / data.target.std()
X = data.data * np.sqrt(len(y))
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=7)

model = Sequential([Input((10,)), Dense(24, activation="relu"), Dense(1)])
model.compile(optimizer="adam", loss="mse")
stop = EarlyStopping(monitor="val_loss", mode="max", patience=8, restore_best_weights=True)
model.fit(X_train, y_train, epochs=1000, batch_size=32, validation_data=(X_test, y_test), callbacks=[stop], verbose=0)
print(len(model.history.history["loss"]), "epochs")
