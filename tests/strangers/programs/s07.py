import keras
from keras import layers
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(7)

X, y = load_iris(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.2, stratify=y, random_state=7)
sc = StandardScaler()
X_train = sc.fit_transform(X_train).astype("float32")
X_test = sc.transform(X_test).astype("float32")

net = keras.Sequential()
net.add(layers.Input((4,)))
net.add(layers.Dense(16, activation="tanh"))
net.add(layers.Dense(3, activation="softmax"))
net.compile(loss="sparse_categorical_crossentropy",
            optimizer=keras.optimizers.SGD(learning_rate=0.01),
            metrics=["accuracy"])
net.fit(X_train, y_train, batch_size=2, epochs=35,
        validation_data=(X_test, y_test), verbose=2)
print("accuracy:", net.evaluate(X_test, y_test, verbose=0)[1])
