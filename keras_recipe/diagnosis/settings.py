"""What a script looks at while it trains: metrics, and callbacks that act on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_recipe.core.diagnosis import Fault
from keras_recipe.diagnosis.anatomy import compiled_at
from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.rows import leaves
from keras_recipe.diagnosis.targets import labels_of

RARE = 0.15
"""Share of the rarest class, in parts of an equal share, below which accuracy hides what happens to it."""


def metrics(case: Case) -> Iterator[Fault]:
    """Metrics that cannot say what is wanted."""
    target = case.target
    if target is None or target.kind != "regression" or not case.y.size:
        return
    y = case.y.astype("float64")
    if len(np.unique(y)) <= 20 and np.all(y == np.round(y)):
        return  # a few whole numbers may be ranks, of which accuracy says something
    if case.reconstruction:
        return
    names = [str(n).lower() for n in _metric_names(case.model)]
    if not any(
        n in ("accuracy", "acc", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy")
        for n in names
    ):
        return
    yield Fault(
        "metric",
        "ERROR",
        "metric",
        "accuracy counts targets that are met exactly, which no regression does",
        expected="a metric of distances",
        measured="accuracy",
        hint="use mae or RootMeanSquaredError",
        patch="metrics=['mae']",
        location=compiled_at(case.model),
        evidence={"distinct targets": len(np.unique(y))},
    )


def callbacks(case: Case) -> Iterator[Fault]:
    """Callbacks that wait for a loss to rise, or for an accuracy to fall."""
    for callback in case.fit.callbacks:
        stops = isinstance(callback, keras.callbacks.EarlyStopping)
        if not (stops or isinstance(callback, keras.callbacks.ReduceLROnPlateau)):
            continue
        monitor, mode = str(callback.monitor).lower(), str(getattr(callback, "mode", "auto"))
        falls = any(word in monitor for word in ("loss", "error", "mae", "mse"))
        rises = any(word in monitor for word in ("acc", "auc", "precision", "recall", "f1"))
        if not ((falls and not rises and mode == "max") or (rises and not falls and mode == "min")):
            continue
        right, name = "min" if falls else "max", type(callback).__name__
        yield Fault(
            "callback_mode",
            "ERROR",
            "epochs" if stops else "schedule",
            f"{name} waits for {monitor} to {'rise' if falls else 'fall'}: it acts while the model still learns",
            expected=f"mode={right!r} for {monitor}",
            measured=f"mode={mode!r}",
            hint=f"use mode={right!r}, or leave it out",
            patch=f"{name}(monitor={monitor!r}, mode={right!r})",
            location=case.fit.location,
        )


def _metric_names(model: keras.Model) -> list[Any]:
    compiled = getattr(model, "_compile_metrics", None)
    given = getattr(compiled, "_user_metrics", None) or []
    found: list[Any] = []
    for each in leaves(given) if not isinstance(given, str) else [given]:
        found.append(each if isinstance(each, str) else getattr(each, "name", getattr(each, "__name__", "")))
    return found


def only_accuracy(case: Case) -> bool:
    """Whether accuracy is the only metric."""
    names = [str(n).lower() for n in _metric_names(case.model)]
    return all("acc" in n and "balanced" not in n for n in names)


def rarest(case: Case) -> float:
    """Share of the rarest class in parts of an equal share; 1 where there are no classes."""
    target = case.target
    if target is None or target.kind not in ("multiclass", "binary") or not case.y.size:
        return 1.0
    counts = np.bincount(labels_of(target, case.y))
    counts = counts[counts > 0]
    return float(counts.min() / counts.sum() * len(counts)) if len(counts) > 1 else 1.0
