from keras.layers import Dense, Input
from keras.models import Sequential
from keras.optimizers import SGD
from keras.utils import to_categorical
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

iris = load_iris()
X = StandardScaler().fit_transform(iris.data)
X_train, X_test, y_train, y_test = train_test_split(X, iris.target, test_size=0.4, random_state=2, stratify=iris.target)
y_train, y_test = to_categorical(y_train), to_categorical(y_test)

model = Sequential()
model.add(Input((4,)))
model.add(Dense(8))
model.add(Dense(8))
model.add(Dense(3, activation="softmax"))
model.compile(loss="mse", optimizer=SGD(learning_rate=3.0), metrics=["accuracy"])
model.fit(X_train, y_train, epochs=30, batch_size=8, verbose=0, validation_data=(X_test, y_test))
print("Test accuracy:", model.evaluate(X_test, y_test, verbose=0)[1])
