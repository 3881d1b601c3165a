# Softmax regression on the 8x8 digits, plain SGD.
import keras
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(0)

X, y = load_digits(return_X_y=True)
X = X.astype("float32") / 16.0
x_tr, x_te, y_tr, y_te = train_test_split(X, y, test_size=0.2, random_state=0, stratify=y)

model = keras.Sequential([
    keras.Input(shape=(64,)),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.5),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
history = model.fit(x_tr, y_tr, validation_data=(x_te, y_te),
                    epochs=25, batch_size=32, verbose=2)
loss, acc = model.evaluate(x_te, y_te, verbose=0)
print(f"test accuracy {acc:.3f}")
