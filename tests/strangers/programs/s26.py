import numpy as np
import tensorflow as tf
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense, Input
from sklearn.metrics import confusion_matrix, recall_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

tf.random.set_seed(27)
rng = np.random.default_rng(27)

# machine failure records
healthy = rng.normal(0.0, 1.0, size=(2910, 12))
failing = rng.normal(0.5, 1.0, size=(90, 12))
X = np.vstack([healthy, failing])
y = np.r_[np.zeros(len(healthy)), np.ones(len(failing))]

X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.3, stratify=y, random_state=27)
sc = StandardScaler()
X_train = sc.fit_transform(X_train)
X_test = sc.transform(X_test)

model = Sequential([
    Input(shape=(12,)),
    Dense(16, activation="relu"),
    Dense(1, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(X_train, y_train, epochs=15, batch_size=64,
          validation_data=(X_test, y_test), verbose=2)

y_hat = (model.predict(X_test, verbose=0).ravel() > 0.5).astype(int)
print(confusion_matrix(y_test, y_hat))
print("accuracy", (y_hat == y_test).mean())
print("recall of failures", recall_score(y_test, y_hat, zero_division=0))
