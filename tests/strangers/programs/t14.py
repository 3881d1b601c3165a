"""Fraud detection with 5 % positives and balanced sample weights."""
import numpy as np
import keras
from keras import layers
from sklearn.metrics import balanced_accuracy_score, recall_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.utils.class_weight import compute_sample_weight

keras.utils.set_random_seed(14)
rng = np.random.default_rng(14)

n = 3000
y = (rng.uniform(size=n) < 0.05).astype("int64")
X = rng.normal(size=(n, 12)).astype("float32")
X[:, :4] += 1.6 * y[:, None]

X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
X_tr, X_va, y_tr, y_va = train_test_split(
    X_tr, y_tr, test_size=0.2, stratify=y_tr, random_state=0
)
w_tr = compute_sample_weight("balanced", y_tr)

inputs = keras.Input(shape=(12,))
h = layers.Dense(24, activation="relu", kernel_regularizer=keras.regularizers.l2(1e-3))(inputs)
h = layers.Dropout(0.2)(h)
h = layers.Dense(12, activation="relu")(h)
outputs = layers.Dense(1, activation="sigmoid")(h)
model = keras.Model(inputs, outputs)
model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss="binary_crossentropy",
    metrics=[keras.metrics.AUC(name="auc"), keras.metrics.Recall(name="recall")],
)
model.fit(
    X_tr, y_tr, sample_weight=w_tr,
    validation_data=(X_va, y_va),
    epochs=20, batch_size=64, verbose=2,
)
p = model.predict(X_te, verbose=0).ravel()
print("AUC: %.3f" % roc_auc_score(y_te, p))
print("recall: %.3f" % recall_score(y_te, p > 0.5))
print("balanced accuracy: %.3f" % balanced_accuracy_score(y_te, p > 0.5))
