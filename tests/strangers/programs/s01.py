import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(11)

digits = load_digits()
X = (digits.images / 16.0).astype("float32")[..., None]
y = digits.target.astype("int64")
X_train, X_val, y_train, y_val = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=11)


class DigitLoader(keras.utils.PyDataset):
    """Feeds mini-batches of digit images, with a new order every epoch."""

    def __init__(self, images, labels, batch_size=32, shuffle=True, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.images = images
        self.labels = labels
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.rng = np.random.default_rng(seed)
        self.indices = np.arange(len(images))
        self.on_epoch_end()

    def __len__(self):
        return int(np.ceil(len(self.images) / self.batch_size))

    def __getitem__(self, i):
        start = i * self.batch_size
        stop = min(start + self.batch_size, len(self.images))
        batch_x = self.images[self.indices[start:stop]]
        batch_y = self.labels[start:stop]
        return batch_x, batch_y

    def on_epoch_end(self):
        if self.shuffle:
            self.rng.shuffle(self.indices)


train_loader = DigitLoader(X_train, y_train, batch_size=32, shuffle=True)
val_loader = DigitLoader(X_val, y_val, batch_size=64, shuffle=False)

model = keras.Sequential([
    layers.Input((8, 8, 1)),
    layers.Conv2D(16, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(),
    layers.Conv2D(32, 3, padding="same", activation="relu"),
    layers.Flatten(),
    layers.Dense(64, activation="relu"),
    layers.Dense(10, activation="softmax"),
])
model.compile(optimizer=keras.optimizers.Adam(1e-3),
              loss="sparse_categorical_crossentropy",
              metrics=["accuracy"])
model.fit(train_loader, validation_data=val_loader, epochs=12, verbose=2)
print(model.evaluate(X_val, y_val, verbose=0))
