"""A deep multi-layer perceptron on a four-class table."""
import keras
from keras import layers
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(8)

X, y = make_classification(
    n_samples=2000, n_features=16, n_informative=10, n_redundant=2,
    n_classes=4, n_clusters_per_class=1, class_sep=2.0, flip_y=0.0,
    random_state=8,
)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.2, stratify=y, random_state=8
)
scaler = StandardScaler().fit(X_train)
X_train = scaler.transform(X_train).astype("float32")
X_test = scaler.transform(X_test).astype("float32")

inputs = keras.Input(shape=(16,))
h = inputs
for i in range(10):
    h = layers.Dense(48, activation="sigmoid", name=f"hidden_{i}")(h)
outputs = layers.Dense(4, activation="softmax")(h)
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(
    X_train, y_train, epochs=25, batch_size=64,
    validation_data=(X_test, y_test), verbose=2,
)
print("test accuracy:", model.evaluate(X_test, y_test, verbose=0)[1])
