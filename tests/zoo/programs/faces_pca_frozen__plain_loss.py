# A fixed first layer (principal components, fitted beforehand) and a head that is trained on top of it.
import keras
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

scans, names = load_digits(return_X_y=True)
scans = scans / 16.0
a_train, a_test, b_train, b_test = train_test_split(scans, names, test_size=0.3, random_state=1)
pca = PCA(n_components=24).fit(a_train)

encoder = keras.layers.Dense(24, name="encoder", trainable=False)
model = keras.Sequential([keras.Input((64,)), encoder])
model.add(keras.layers.Dense(48, activation="relu"))
model.add(keras.layers.Dense(10))
encoder.set_weights([pca.components_.T, -pca.mean_ @ pca.components_.T])

model.compile(
    optimizer=keras.optimizers.Adam(0.003),
    loss=keras.losses.SparseCategoricalCrossentropy(),
    metrics=["accuracy"],
)
model.fit(a_train, b_train, epochs=15, batch_size=64, validation_data=(a_test, b_test))
