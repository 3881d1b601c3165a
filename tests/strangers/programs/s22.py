import numpy as np
import keras
from keras import layers, regularizers
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, StandardScaler

keras.utils.set_random_seed(23)

wine = load_wine()
cultivars = np.array(["nebbiolo", "barbera", "grignolino"])
names = cultivars[wine.target]

idx_train, idx_test = train_test_split(
    np.arange(len(names)), test_size=0.25, stratify=wine.target, random_state=23)

scaler = StandardScaler().fit(wine.data[idx_train])
X_train = scaler.transform(wine.data[idx_train]).astype("float32")
X_test = scaler.transform(wine.data[idx_test]).astype("float32")

le = LabelEncoder()
y_train = le.fit_transform(names[idx_train])
y_test = wine.target[idx_test]

l2 = regularizers.L2(1.0)
model = keras.Sequential([
    keras.Input((13,)),
    layers.Dense(32, activation="relu", kernel_regularizer=l2),
    layers.Dense(16, activation="relu", kernel_regularizer=l2),
    layers.Dense(3, activation="softmax", kernel_regularizer=l2),
])
model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy",
              metrics=["accuracy"])
model.fit(X_train, y_train, epochs=50, batch_size=16,
          validation_data=(X_test, y_test), verbose=2)
print("test", model.evaluate(X_test, y_test, verbose=0))
