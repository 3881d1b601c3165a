"""Dropout and batch normalization disagree: statistics of training are not those of inference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from keras_recipe.checks import check
from keras_recipe.core.records import Finding, Table
from keras_recipe.job import Job
from keras_recipe.models.layers import Placed, inputs_of, placed

if TYPE_CHECKING:
    import keras

EXAMPLES = 256
"""Training examples whose variance is taken: each channel has as many values, times its positions."""

SHIFT = 1.05
"""Times by which the variance that is stored is larger than that which is met, from which on it is a warning. Behind
dropout of a share p it is 1 + p / (1 - p) or more, where nothing comes between them."""


@check("regularize", order=75)
def dropout_before_norm(job: Job) -> Iterator[Finding]:
    """Behind dropout, batch normalization stores variances that it does not meet without it (Li et al., 2018)."""
    loop = job.trained() if job.trained is not None else None
    if loop is None:
        return
    layers = placed(loop.model)
    behind = _norms_behind_dropout(layers)
    if not behind:
        return
    x, _ = job.sample(job.problem.train, EXAMPLES)
    shifts = [_shift(loop.model, p, x) for p in behind]
    worst = int(np.argmax(shifts))
    measured = f"{shifts[worst]:.3g} times the variance that it meets without dropout, in {behind[worst].name}"
    rows = tuple((p.name, round(s, 3)) for p, s in zip(behind, shifts, strict=True))
    yield Finding(
        "warning" if shifts[worst] > SHIFT else "ok",
        "dropout",
        "batch normalization comes behind dropout"
        + (", and normalizes by a variance that is gone without it" if shifts[worst] > SHIFT else ""),
        f"a stored variance of at most {SHIFT:g} times that which is met",
        measured,
        "drop less, or behind the last batch normalization only" if shifts[worst] > SHIFT else "",
        {"layers": [p.name for p in behind], "shifts": shifts},
        table=Table(("layer", "stored variance, times that which is met"), rows),
    )


def _norms_behind_dropout(layers: list[Placed]) -> list[Placed]:
    """Batch normalization that what was dropped reaches, within one graph of layers, in order."""
    import keras

    # Dropout, SpatialDropout2D, GaussianDropout and their like: those that have a rate and no weights.
    dropping = [p.layer for p in layers if "Dropout" in type(p.layer).__name__ and getattr(p.layer, "rate", None)]
    known = {id(p.layer) for p in layers}
    reached: set[int] = set()
    while dropping:
        followers = [node.operation for node in dropping.pop()._outbound_nodes]
        new = [layer for layer in followers if id(layer) in known and id(layer) not in reached]
        reached |= {id(layer) for layer in new}
        dropping += new
    return [p for p in layers if id(p.layer) in reached and isinstance(p.layer, keras.layers.BatchNormalization)]


def _shift(model: keras.Model, norm: Placed, x: np.ndarray) -> float:
    """Median over channels of stored variance by that of its inputs in inference."""
    values = np.concatenate([part for (part,) in inputs_of(model, [norm])(x)])
    axis = norm.layer.axis if isinstance(norm.layer.axis, int) else norm.layer.axis[0]
    met = np.moveaxis(values, axis, -1).reshape(-1, values.shape[axis]).var(axis=0)
    stored = np.asarray(norm.layer.moving_variance)
    return float(np.median((stored + norm.layer.epsilon) / (met + norm.layer.epsilon)))
