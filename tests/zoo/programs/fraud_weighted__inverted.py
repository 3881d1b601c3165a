import keras
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def transactions(n=6000, seed=0):
    rng = np.random.default_rng(seed)
    fraud = rng.random(n) < 0.05
    return pd.DataFrame(
        {
            "amount": rng.lognormal(3 + 0.9 * fraud, 1),
            "hour": (rng.normal(14 + 3.5 * fraud, 4, n)) % 24,
            "age_of_account": rng.exponential(900 - 420 * fraud),
            "foreign": (rng.random(n) < 0.1 + 0.2 * fraud).astype(float),
            "fraud": fraud.astype(int),
        }
    )


df = transactions()
df["amount"] = np.log1p(df["amount"])
train, valid = train_test_split(df, test_size=0.3, random_state=0, stratify=df["fraud"])
scaler = StandardScaler()
x_train = scaler.fit_transform(train.drop(columns="fraud"))
x_valid = scaler.transform(valid.drop(columns="fraud"))
y_train, y_valid = train["fraud"].to_numpy(), valid["fraud"].to_numpy()

inputs = keras.Input(shape=(4,), name="transaction")
hidden = keras.layers.Dense(16, activation="relu")(inputs)
output = keras.layers.Dense(1, activation="sigmoid")(hidden)
model = keras.Model(inputs, output)
model.compile("adam", "binary_crossentropy", metrics=["AUC", "Recall"])

weights = {1: 1.0, 0: float((y_train == 0).sum() / (y_train == 1).sum())}
model.fit(x_train, y_train, batch_size=128, epochs=12, validation_data=(x_valid, y_valid), class_weight=weights)
