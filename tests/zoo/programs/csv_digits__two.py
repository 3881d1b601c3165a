import pandas as pd
from keras.layers import Dense, Dropout, Input
from keras.models import Sequential
from sklearn.datasets import load_digits


def read_csv_like():
    d = load_digits()
    frame = pd.DataFrame((d.data * 15.9).round(), columns=[f"pixel{i}" for i in range(64)])
    frame.insert(0, "label", d.target.astype(float))
    return frame.sample(frac=1, random_state=0).reset_index(drop=True)


df = read_csv_like()
train = df.iloc[:1400] / 255.0
test = df.iloc[1400:] / 255.0

train_labels = train.pop("label").to_numpy()
test_labels = test.pop("label").to_numpy()

clf = Sequential([Input((64,)), Dense(80, activation="relu"), Dropout(0.97), Dense(10, activation="softmax")])
clf.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
clf.fit(train.to_numpy(), train_labels, epochs=30, batch_size=64, validation_data=(test.to_numpy(), test_labels))
