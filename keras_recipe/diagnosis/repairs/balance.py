"""Classes so rare that a model does well without them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.probe import Outcome, with_
from keras_recipe.diagnosis.repairs import Repair, repair
from keras_recipe.diagnosis.settings import RARE, only_accuracy, rarest
from keras_recipe.diagnosis.targets import Target, labels_of, said

MISSED, GAIN = 0.5, 0.08
"""Share of a class that is found, at most, and gain of balanced accuracy by weighing it, from which accuracy alone was
the wrong thing to look at."""


def recall(target: Target, y: np.ndarray, outputs: np.ndarray, logits: bool) -> np.ndarray:
    """Share of each class that is found, (classes that are there,)."""
    labels = labels_of(target, y)
    found = said(outputs, len(labels), logits)
    return np.array([np.mean(found[labels == c] == c) for c in np.unique(labels)])


@repair
def rare_classes(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Weigh examples by the inverse of how common their class is."""
    target, given = case.target, case.data.train.weights
    share = rarest(case)
    if target is None or (share > RARE and given is None) or target.kind not in ("multiclass", "binary"):
        return
    labels = labels_of(target, case.y)
    counts = np.bincount(labels)
    if given is not None:
        if given.size != len(labels):
            return
        mass = np.bincount(labels, weights=given.reshape(-1))[counts > 0]
        share = min(share, 2 * RARE)  # weights that make a class rarer still, or one that is not
        if not mass.sum() > 0 or float((mass / mass.sum()).min() * len(mass)) > 0.5 * share:
            return
    weights = (len(labels) / (np.maximum(counts, 1) * (counts > 0).sum()))[labels].astype("float32")
    common = counts.max() / counts.sum()
    yield Repair(
        ("imbalance", "metric") if only_accuracy(case) else ("imbalance",),
        "examples weighted by class",
        lambda v: with_(v, weights=weights, balanced=True),
        "classes that are equally common",
        f"{common:.1%} are of one class, which accuracy hides"
        if given is None
        else f"{common:.1%} are of one class, and weights favour it further",
        "fit(class_weight=...), and look at balanced accuracy or AUC",
        "class_weight={...}",
        location=case.fit.location,
        rank=6,
    )
