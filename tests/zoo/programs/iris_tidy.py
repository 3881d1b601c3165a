from keras import Sequential, layers, optimizers
from sklearn.datasets import load_iris
from sklearn.utils import shuffle

iris = load_iris()
X, y = iris.data, iris.target
X, y = shuffle(X, y, random_state=0)

model = Sequential(
    [layers.Input(shape=(4,)), layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")]
)
model.compile(optimizer=optimizers.Adam(0.02), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(X, y, validation_split=0.3, epochs=40, batch_size=10, verbose=0)
print(history.history["val_accuracy"][-1])
