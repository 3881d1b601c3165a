import keras
import pandas as pd
from sklearn.datasets import make_friedman1

X, y = make_friedman1(n_samples=1500, n_features=8, noise=0.8, random_state=0)
table = pd.DataFrame(X, columns=list("abcdefgh")).assign(strength=y)
train, test = table.iloc[:1200], table.iloc[1200:]

model = keras.Sequential()
model.add(keras.layers.Input(shape=(8,)))
model.add(keras.layers.Dense(64, activation="relu"))
model.add(keras.layers.Dense(64, activation="relu"))
model.add(keras.layers.Dense(1))
model.compile(loss="mean_squared_error", optimizer=keras.optimizers.Adam(0.01), metrics=["accuracy"])
model.fit(
    train.drop(columns="strength"),
    train["strength"],
    epochs=50,
    batch_size=50,
    validation_data=(test.drop(columns="strength"), test["strength"]),
)
