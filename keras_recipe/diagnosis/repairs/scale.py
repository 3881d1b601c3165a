"""Inputs and targets of a size that weights of the usual size can work with."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np

from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.probe import Outcome, Scaling, with_
from keras_recipe.diagnosis.repairs import Repair, repair
from keras_recipe.diagnosis.rows import leaves

SMALL, LARGE = 0.05, 5.0
"""Root mean square of what the first kernel layer takes, beyond which inputs are a suspect."""

FAR = 10.0
"""Deviation or mean of regression targets from which they are one."""


@repair
def input_scale(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """What reaches the first layer with weights, after whatever scaling the model does itself."""
    size = case.first_input
    if not np.isfinite(size):
        return
    spread = _spread(case)
    if SMALL <= size <= LARGE and spread <= 100:
        return
    scalings = tuple(scaling_of(a) for a in leaves(case.data.train.x))
    if all(s is None for s in scalings):
        return
    said = f"{size:.3g} in root mean square"
    if spread > 100:
        said += f", some columns {spread:,.0f} times as wide as others"
    yield Repair(
        ("input-scale",),
        "standardized inputs",
        lambda v: with_(v, inputs=scalings),
        f"values of about 1 ({SMALL} to {LARGE:g}) at the first layer with weights",
        said,
        "divide pixels by 255, standardize columns: keras.layers.Rescaling, keras.layers.Normalization",
        "x = (x - x_train.mean(axis=0)) / x_train.std(axis=0)",
        location=case.fit.location,
        rank=4,
    )


@repair
def target_scale(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Targets of a regression far from the outputs of a fresh network, which are about 1. Of several outputs those with
    such targets drown the others, whose losses are nothing beside theirs."""
    if case.reconstruction or (len(case.targets) == 1 and case.last_activation not in ("linear", "")):
        return
    far = tuple(_far(single) for single in case.apart)
    if not any(far):
        return
    yield Repair(
        ("target-scale",),
        "standardized targets",
        lambda v: with_(v, targets=far),
        f"targets around 0 with a deviation of about 1 ({FAR:g} at most)",
        "; ".join(
            f"deviation {np.max(s.deviation):.4g}, mean {np.ravel(s.mean)[np.abs(s.mean).argmax()]:.4g}"
            for s in far
            if s
        ),
        "standardize the targets, and undo it on predictions",
        "y = (y - y_train.mean()) / y_train.std()",
        location=case.fit.location,
        rank=4,
    )


def _far(single: Case) -> Scaling | None:
    """Standardization of the targets of one output; None where they are no numbers, or near enough."""
    if single.target is None or single.target.kind != "regression" or not single.y.size:
        return None
    y = single.y.reshape(len(single.y), -1).astype("float64")
    y = y[np.isfinite(y).all(axis=1)]
    if len(y) < 2:
        return None
    mean, deviation = y.mean(axis=0), y.std(axis=0)
    if max(deviation.max(), np.abs(mean).max()) <= FAR and deviation.max() >= 0.01:
        return None
    if y.shape[1] == 1:
        return Scaling(float(mean[0]), float(deviation[0]) or 1.0)
    shape = single.y.shape[1:]
    return Scaling(mean.reshape(shape), np.where(deviation > 0, deviation, 1.0).reshape(shape))


def scaling_of(x: np.ndarray) -> Scaling | None:
    """Standardization of an array of inputs: by column in tables, by one number in anything larger; None for tokens."""
    if x.dtype.kind not in "iuf" or (x.dtype.kind in "iu" and x.ndim < 3 and x.dtype != np.uint8):
        integer_table = x.dtype.kind in "iu" and x.ndim == 2
        if not integer_table:
            return None
    values = x.astype("float64")
    finite = np.where(np.isfinite(values), values, np.nan)
    if x.ndim == 2 and x.shape[1] < 200:
        mean, deviation = np.nanmean(finite, axis=0), np.nanstd(finite, axis=0)
        return Scaling(mean, np.where(deviation > 1e-12, deviation, 1.0))
    if x.ndim == 3:
        mean, deviation = np.nanmean(finite, axis=(0, 1)), np.nanstd(finite, axis=(0, 1))
        return Scaling(mean, np.where(deviation > 1e-12, deviation, 1.0))
    return Scaling(float(np.nanmean(finite)), float(np.nanstd(finite)) or 1.0)


def _spread(case: Case) -> float:
    """Deviation of the widest column of a table in parts of the median one, as the first kernel layer takes them."""
    call = next((c for c in case.anatomy.weighted if not isinstance(c.layer, keras.layers.Embedding)), None)
    if call is None or len(call.input.shape) != 2:
        return 1.0
    deviation = np.nanstd(np.asarray(call.input, "float64"), axis=0)
    deviation = deviation[deviation > 0]
    if len(deviation) < 2:
        return 1.0
    return float(deviation.max() / np.median(deviation))
