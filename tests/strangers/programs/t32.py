"""Two rings in the plane: inner or outer?"""
import keras
from keras import layers
from sklearn.datasets import make_circles
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(32)

X, y = make_circles(n_samples=1600, noise=0.08, factor=0.4, random_state=32)
X = X.astype("float32")
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=32
)

model = keras.Sequential(
    [
        keras.Input(shape=(2,)),
        layers.Dense(32),
        layers.Dense(32),
        layers.Dense(1, activation="sigmoid"),
    ]
)
learning_rate = keras.optimizers.schedules.ExponentialDecay(
    initial_learning_rate=1e-3, decay_steps=5, decay_rate=0.5
)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate),
    loss="binary_crossentropy",
    metrics=["accuracy"],
)
model.fit(
    X_train, y_train, validation_data=(X_test, y_test),
    epochs=30, batch_size=32, verbose=2,
)
print("test accuracy:", model.evaluate(X_test, y_test, verbose=0)[1])
