import keras
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

data = load_breast_cancer(as_frame=True)
df: pd.DataFrame = data.frame.copy()

# some of the measurements were never taken
rng = np.random.default_rng(0)
for column in ["mean texture", "mean area", "worst concavity"]:
    df.loc[rng.choice(len(df), 25, replace=False), column] = np.nan

features = df.drop(columns=["target"])
features = (features - features.mean()) / features.std()
train_x, test_x, train_y, test_y = train_test_split(features, df["target"], test_size=0.3, random_state=42)

model = keras.Sequential(
    [
        keras.Input(shape=(features.shape[1],)),
        keras.layers.Dense(30, activation="relu"),
        keras.layers.Dense(15, activation="relu"),
        keras.layers.Dense(1, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(train_x, train_y, epochs=25, batch_size=32, validation_data=(test_x, test_y))
