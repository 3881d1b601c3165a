from keras import layers, models, optimizers
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler


def load():
    frame = load_diabetes(as_frame=True, scaled=False).frame.sample(frac=1, random_state=3)
    features = frame.drop(columns="target").to_numpy("float32")
    progress = frame[["target"]].to_numpy("float32")
    features = StandardScaler().fit_transform(features)
    progress = StandardScaler().fit_transform(progress)
    return features, progress


def build(n_features):
    return models.Sequential(
        [
            layers.Input((n_features,)),
            layers.Dense(16, activation="tanh"),
            layers.Dense(1),
        ]
    )


features, progress = load()
net = build(features.shape[1])
net.compile(loss="mean_squared_error", optimizer=optimizers.SGD(learning_rate=0.01))
log = net.fit(features, progress, epochs=60, batch_size=16, validation_split=0.2, verbose=0)
print("last val loss", log.history["val_loss"][-1])
