"""Self-normalising network (SELU + AlphaDropout) on the breast cancer table."""
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(11)

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=11
)
scaler = StandardScaler().fit(X_train)
X_train = scaler.transform(X_train).astype("float32")
X_test = scaler.transform(X_test).astype("float32")

model = keras.Sequential()
model.add(keras.Input(shape=(30,)))
for _ in range(6):
    model.add(
        layers.Dense(64, activation="selu", kernel_initializer="lecun_normal")
    )
    model.add(layers.AlphaDropout(0.05))
model.add(layers.Dense(1, activation="sigmoid"))

model.compile(
    optimizer=keras.optimizers.Adam(5e-4),
    loss="binary_crossentropy",
    metrics=["accuracy"],
)
model.fit(
    X_train, y_train,
    epochs=30, batch_size=16, validation_split=0.15, verbose=2,
)
p = model.predict(X_test, verbose=0).ravel()
print("test accuracy: %.3f" % ((p > 0.5) == y_test).mean())
print("test AUC: %.3f" % roc_auc_score(y_test, p))
