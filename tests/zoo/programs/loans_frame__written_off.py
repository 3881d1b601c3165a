import keras
import numpy as np
import pandas as pd

rng = np.random.default_rng(33)
n = 3000
loans = pd.DataFrame(
    {
        "income": rng.lognormal(10.3, 0.5, n),
        "amount": rng.lognormal(9.0, 0.7, n),
        "years_employed": rng.exponential(6, n),
        "late_payments": rng.poisson(0.7, n),
    }
)
risk = (
    1.2 * np.log(loans["amount"] / loans["income"]) + 0.7 * loans["late_payments"] - 0.1 * loans["years_employed"] + 1.5
)
loans["default"] = (rng.random(n) < 1 / (1 + np.exp(-risk))).astype(int)
loans["written_off"] = loans["default"] * loans["amount"] * rng.uniform(0.3, 1.0, n)

columns = ["income", "amount", "years_employed", "late_payments", "written_off"]
x = loans[columns]
x = (x - x.mean()) / x.std()
y = loans["default"]

model = keras.Sequential(
    [
        keras.layers.Input(shape=(len(columns),)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x.to_numpy(), y.to_numpy(), validation_split=0.2, epochs=12, batch_size=64)
