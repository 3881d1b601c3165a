"""Classes so rare that a model does well without them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.evidence import RARE, only_accuracy, rarest
from keras_recipe.diagnosis.probe import Outcome, with_
from keras_recipe.diagnosis.repairs import Repair, repair
from keras_recipe.diagnosis.targets import Target, labels_of

MISSED, GAIN = 0.5, 0.08
"""Share of a class that is found, at most, and gain of balanced accuracy by weighing it, from which accuracy alone was
the wrong thing to look at."""


def recall(target: Target, y: np.ndarray, outputs: np.ndarray, logits: bool) -> np.ndarray:
    """Share of each class that is found, (classes that are there,)."""
    labels = labels_of(target, y)
    flat = outputs.reshape(len(labels), -1)
    said = (flat[:, 0] > (0.0 if logits else 0.5)).astype(int) if flat.shape[1] == 1 else flat.argmax(axis=1)
    return np.array([np.mean(said[labels == c] == c) for c in np.unique(labels)])


@repair
def rare_classes(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Weigh examples by the inverse of how common their class is."""
    target = case.target
    share = rarest(case)
    if target is None or share > RARE or case.data.train.weights is not None:
        return
    labels = labels_of(target, case.y)
    counts = np.bincount(labels)
    weights = (len(labels) / (np.maximum(counts, 1) * (counts > 0).sum()))[labels].astype("float32")
    common = counts.max() / counts.sum()
    yield Repair(
        ("imbalance", "metric") if only_accuracy(case) else ("imbalance",),
        "examples weighted by class",
        lambda v: with_(v, weights=weights, balanced=True),
        "classes that are equally common",
        f"{common:.1%} are of one class, which accuracy hides",
        "fit(class_weight=...), and look at balanced accuracy or AUC",
        "class_weight={...}",
        location=case.fit.location,
        rank=6,
    )
