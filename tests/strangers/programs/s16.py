import keras
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(16)

X, y = load_breast_cancer(return_X_y=True)
X = X.astype("float32")
y = y.astype("float32")
X_train, X_val, y_train, y_val = train_test_split(
    X, y, test_size=0.2, stratify=y, random_state=16)

BN = dict(momentum=0.9999, epsilon=1e-3)

model = keras.Sequential([
    keras.Input((30,)),
    layers.BatchNormalization(**BN),
    layers.Dense(32),
    layers.BatchNormalization(**BN),
    layers.Activation("relu"),
    layers.Dense(16),
    layers.BatchNormalization(**BN),
    layers.Activation("relu"),
    layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer=keras.optimizers.Adam(2e-3),
              loss="binary_crossentropy",
              metrics=["accuracy"])
history = model.fit(X_train, y_train, validation_data=(X_val, y_val),
                    epochs=20, batch_size=32, verbose=2)
print("val accuracy", history.history["val_accuracy"][-1])
