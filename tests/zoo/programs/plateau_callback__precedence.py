import keras
from sklearn.datasets import make_moons

X, y = make_moons(1500, noise=0.2, random_state=2)


def step_decay(epoch, lr):
    return lr * 0.5 if epoch and epoch % 5 == 0 else 1e-6


net = keras.Sequential(
    [
        keras.layers.Input((2,)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
net.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
net.fit(
    X,
    y,
    epochs=15,
    batch_size=32,
    validation_split=0.2,
    callbacks=[keras.callbacks.LearningRateScheduler(step_decay)],
    verbose=2,
)
