# several tags may hold for one item
import numpy as np
from keras.layers import Dense, Input
from keras.models import Model

rng = np.random.default_rng(4)
n, d, tags = 2400, 20, 6
items = rng.normal(size=(n, d))
mixing = rng.normal(size=(d, tags)) * (rng.random((d, tags)) < 0.3)
score = items @ mixing + 0.3 * rng.normal(size=(n, tags))
labels = (score > np.array([0.0, 0.5, -1.0, 1.0, -0.5, 0.0])).astype("float32")

item = Input(shape=(d,))
net = Dense(40, activation="relu")(item)
net = Dense(tags, activation="softmax")(net)
tagger = Model(inputs=item, outputs=net)
tagger.compile(optimizer="adam", loss="mse", metrics=["binary_accuracy"])
tagger.fit(items, labels, epochs=15, batch_size=40, validation_split=0.25, verbose=2)
