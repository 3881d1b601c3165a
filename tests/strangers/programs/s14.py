# Fraud-like detection: 5% positives.
import numpy as np
import keras
from keras import layers
from sklearn.datasets import make_classification
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(14)
X, y = make_classification(
    n_samples=3000, n_features=15, n_informative=8, n_redundant=2,
    n_clusters_per_class=1, weights=[0.95, 0.05], class_sep=1.8, flip_y=0.0,
    random_state=14)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.3, stratify=y, random_state=14)
scaler = StandardScaler().fit(X_tr)
X_tr = scaler.transform(X_tr).astype("float32")
X_te = scaler.transform(X_te).astype("float32")
y_tr = y_tr.astype("float32")
y_te = y_te.astype("float32")

neg, pos = np.sum(y_tr == 0), np.sum(y_tr == 1)
total = neg + pos
class_weight = {0: total / (2.0 * neg), 1: total / (2.0 * pos)}
print("class weights", class_weight)

model = keras.Sequential([
    keras.Input((15,)),
    layers.Dense(32, activation="relu"),
    layers.Dense(16, activation="relu"),
    layers.Dense(1, activation="sigmoid"),
])
model.compile(
    optimizer=keras.optimizers.Adam(2e-3),
    loss="binary_crossentropy",
    metrics=[keras.metrics.AUC(name="auc"), keras.metrics.Recall(name="recall"),
             keras.metrics.Precision(name="precision")])
model.fit(X_tr, y_tr, epochs=20, batch_size=64, class_weight=class_weight,
          validation_data=(X_te, y_te), verbose=2)
p = model.predict(X_te, verbose=0).ravel()
print("AUC", roc_auc_score(y_te, p))
print("balanced accuracy", balanced_accuracy_score(y_te, p > 0.5))
