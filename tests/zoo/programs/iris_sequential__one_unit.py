from keras.layers import Dense, Input
from keras.models import Sequential
from keras.optimizers import SGD
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

iris = load_iris()
X = StandardScaler().fit_transform(iris.data)
X_train, X_test, y_train, y_test = train_test_split(X, iris.target, test_size=0.4, random_state=2, stratify=iris.target)

model = Sequential()
model.add(Input((4,)))
model.add(Dense(8, activation="relu"))
model.add(Dense(8, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer=SGD(learning_rate=0.05, momentum=0.9), metrics=["accuracy"])
model.fit(X_train, y_train, epochs=30, batch_size=8, verbose=0, validation_data=(X_test, y_test))
print("Test accuracy:", model.evaluate(X_test, y_test, verbose=0)[1])
