"""What targets mean, and a score that no loss and no metric of the script has a say in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np

Kind = Literal["multiclass", "binary", "multilabel", "regression"]

SPARSE = ("sparse_categorical_crossentropy",)
CLASSIFYING = (
    *SPARSE, "categorical_crossentropy", "binary_crossentropy", "hinge", "squared_hinge", "categorical_hinge",
    "binary_focal_crossentropy", "categorical_focal_crossentropy", "kl_divergence",
)  # fmt: skip
REGRESSING = (
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_logarithmic_error",
    "huber", "log_cosh", "poisson",
)  # fmt: skip
"""Losses of Keras by what they are made for; any other is the script's own."""


@dataclass(frozen=True)
class LossOf:
    """The loss of one output.

    Attributes:
        name: as Keras spells it, in full; "" for one of the script's own.
        from_logits: whether it takes outputs before their activation.
    """

    name: str
    from_logits: bool = False


@dataclass(frozen=True)
class Target:
    """What the targets of one output mean.

    Attributes:
        kind: what is asked for.
        classes: how many there are; outputs wanted of a regression.
        one_hot: whether classes are columns.
        positive: the larger of two labels, of a binary target.
        values: the labels, where classes are numbers in one column; () else.
    """

    kind: Kind
    classes: int
    one_hot: bool = False
    values: tuple[float, ...] = ()

    @property
    def wanted_units(self) -> int:
        """Units that an output needs."""
        return 1 if self.kind == "binary" else self.classes


def loss_of(loss: Any) -> LossOf:
    """Name and form of a loss as `compile` takes it."""
    if loss is None:
        return LossOf("")
    try:
        found = keras.losses.get(loss)
    except (ValueError, TypeError):
        return LossOf("")
    inner = getattr(found, "fn", found)
    name = getattr(inner, "__name__", "")
    known = name in CLASSIFYING or name in REGRESSING or name == "cosine_similarity"
    if not known or not getattr(inner, "__module__", "").startswith("keras."):
        return LossOf("")
    options = getattr(found, "_fn_kwargs", {})
    return LossOf(name, bool(options.get("from_logits", False)))


def target_of(y: np.ndarray, loss: LossOf, units: int) -> Target:
    """What these targets, (n, ...), mean to an output of so many units that is trained with this loss."""
    flat = y.reshape(-1, 1) if loss.name in SPARSE else y.reshape(-1, y.shape[-1] if y.ndim > 1 else 1)
    if flat.dtype.kind not in "iufb":
        return Target("regression", 1)
    finite = flat[np.isfinite(flat.astype("float64")).all(axis=1)][:200_000]
    values = np.unique(finite[:, 0]) if flat.shape[1] == 1 else np.unique(finite[:5000])
    if flat.shape[1] > 1:
        if set(values.tolist()) <= {0.0, 1.0}:
            one_hot = bool((finite.sum(axis=1) == 1).all())
            if one_hot:
                return Target("multiclass", flat.shape[1], one_hot=True)
            return Target("multilabel", flat.shape[1])
        soft = loss.name in ("categorical_crossentropy", "kl_divergence") and values.min() >= 0
        if soft and np.allclose(finite.sum(axis=1), 1, atol=1e-3):
            return Target("multiclass", flat.shape[1], one_hot=True)
        return Target("regression", flat.shape[1])
    named = tuple(float(v) for v in values)
    whole = bool(np.all(values == np.round(values)))
    classifying = loss.name in CLASSIFYING
    if loss.name in SPARSE:
        return Target("multiclass", max(units, len(values)) if whole else len(values), values=named)
    if len(values) == 2 and (set(named) in ({0.0, 1.0}, {-1.0, 1.0}) or (classifying and whole)):
        return Target("multiclass" if units == 2 else "binary", 2, values=named)
    labels = whole and 3 <= len(values) <= 1000 and values.min() >= 0
    if labels and (classifying or (units > 1 and units == int(values.max()) + 1)):
        return Target("multiclass", max(len(values), int(values.max()) + 1), values=named)
    return Target("regression", max(1, flat.shape[1]))


def dumb(target: Target, y: np.ndarray) -> float:
    """Score of whoever always says the same."""
    if target.kind in ("multiclass", "binary"):
        labels = labels_of(target, y)
        counts = np.bincount(labels)
        counts = counts[counts > 0]
        if target.kind == "binary":
            return 0.5
        return float(0.5 * counts.max() / counts.sum() + 0.5 / len(counts))
    return 0.5 if target.kind == "multilabel" else 0.0


def labels_of(target: Target, y: np.ndarray) -> np.ndarray:
    """Class numbers 0, 1, ... of targets, (n,)."""
    if target.one_hot:
        return np.asarray(y.reshape(-1, y.shape[-1]).argmax(axis=-1))
    flat = y.reshape(-1)
    if target.values and list(target.values) != list(range(len(target.values))):
        return np.searchsorted(np.array(target.values), flat.astype("float64")).clip(0, len(target.values) - 1)
    return flat.astype("int64")


def score(target: Target, y: np.ndarray, outputs: np.ndarray, logits: bool = False) -> float:
    """How good outputs are: 1 is perfect, `dumb` what a constant reaches. Not finite outputs count as a constant.

    Classes: the mean of accuracy and balanced accuracy, which are equal where classes are. Two classes in one unit:
    the mean of balanced accuracy and the area under the ROC curve, so that a threshold alone does not decide.
    Several labels: the mean over labels of the same. Regression: one minus the root mean square error in standard
    deviations of the targets, -1 at least; unlike R squared it still tells good from very good.

    Args:
        target: what is meant.
        y: targets, (n, ...).
        outputs: (n, ..., units).
        logits: whether 0, not one half, parts two classes.
    """
    if not np.isfinite(outputs).all():
        return dumb(target, y) if target.kind != "regression" else -1.0
    outputs = outputs.astype("float64")
    if target.kind == "multiclass":
        labels = labels_of(target, y)
        if outputs.size // (outputs.shape[-1] or 1) != len(labels):
            return dumb(target, y)
        right = said(outputs, len(labels), logits) == labels
        each = np.bincount(labels, weights=right) / np.maximum(np.bincount(labels), 1)
        present = np.bincount(labels) > 0
        return float(0.5 * right.mean() + 0.5 * each[present].mean())
    if target.kind == "binary":
        decided = outputs.reshape(len(labels_of(target, y)), -1)
        value = decided[:, 0] if decided.shape[1] == 1 else decided[:, 1] - decided[:, 0] + 0.5
        return _two(labels_of(target, y) == 1, value, 0.0 if logits and decided.shape[1] == 1 else 0.5)
    if target.kind == "multilabel":
        truth, found = y.reshape(-1, y.shape[-1]), outputs.reshape(-1, outputs.shape[-1])
        return float(np.mean([_two(t == 1, f, 0.0 if logits else 0.5) for t, f in zip(truth.T, found.T, strict=False)]))
    truth = y.reshape(-1, y.shape[-1] if y.ndim > 1 else 1).astype("float64")
    found = outputs.reshape(len(truth), -1) if outputs.size % len(truth) == 0 else outputs.reshape(-1, 1)
    if found.shape[1] != truth.shape[1] or len(found) != len(truth):
        return -1.0
    error = ((truth - found) ** 2).mean(axis=0)
    varying = truth.var(axis=0) > 0
    if not varying.any():
        return 0.0
    return float(np.maximum(1 - np.sqrt(error[varying] / truth.var(axis=0)[varying]), -1).mean())


def said(outputs: np.ndarray, count: int, logits: bool = False) -> np.ndarray:
    """Class numbers that outputs of so many labels stand for, (count,); one unit can at best say two of them."""
    found = outputs.reshape(count, -1)
    return found.argmax(axis=1) if found.shape[1] > 1 else (found[:, 0] > (0.0 if logits else 0.5)).astype(int)


def _two(positive: np.ndarray, value: np.ndarray, threshold: float) -> float:
    """Mean of balanced accuracy and the area under the ROC curve."""
    if positive.all() or not positive.any():
        return 0.5
    said = value > threshold
    balanced = 0.5 * (said[positive].mean() + (~said[~positive]).mean())
    return float(0.5 * balanced + 0.5 * area(positive, value))


def area(positive: np.ndarray, value: np.ndarray) -> float:
    """Area under the ROC curve: how often a positive has the larger value; ties count half."""
    _values, inverse, counts = np.unique(value, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[inverse]  # ties share their rank
    above = rank[positive].sum() - positive.sum() * (positive.sum() + 1) / 2
    return float(above / (positive.sum() * (~positive).sum()))


def error_of(target: Target, y: np.ndarray) -> float:
    """A standard error of `score` near one half, in its unit: what chance moves it by."""
    n = len(y) if target.kind in ("regression", "multilabel") else len(labels_of(target, y))
    if target.kind == "binary":
        labels = labels_of(target, y)
        n = 2 * min(int((labels == 1).sum()), int((labels != 1).sum()))
    return float(0.5 / np.sqrt(max(n, 1)))
