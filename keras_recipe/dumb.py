"""Dumb baselines: predictors that a network has to beat before anybody believes in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_recipe.problem import Problem, Split, buffer_rows

NEIGHBOURS = 5
"""Neighbours that vote: of 1 to 15, the best or nearly so on digits and fashion_mnist, where all are within a point."""

Predictor = Callable[[Split], np.ndarray]

ROWS, FEATURES = 5000, 1024
"""Size that the linear model is fitted at; it takes seconds there and gains little above."""


def constant(problem: Problem) -> Predictor:
    """Label frequencies, or the mean target, for every example: what is known without looking at the input."""
    regression = problem.signature.task == "regression"
    value = problem.target_moments()[0] if regression else problem.label_frequencies()
    return lambda split: np.tile(value, (len(split), 1))


def linear(problem: Problem, seed: int = 0) -> Predictor:
    """Logistic or ridge regression of scikit-learn on standardized inputs, with its default penalty.

    Pictures above 1,024 values are averaged down to it, and at most 5,000 training rows are used.
    """
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = np.sort(np.random.default_rng(seed).permutation(len(problem.train))[:ROWS])
    x, y = np.concatenate(list(_features(problem.train, rows))), problem.train.y[rows]
    if problem.signature.task == "regression":
        model = make_pipeline(StandardScaler(), Ridge()).fit(x, y)
        return lambda split: _in_parts(split, lambda part: model.predict(part).reshape(len(part), -1))
    model = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-2, max_iter=1000)).fit(x, y)
    return lambda split: _in_parts(split, lambda part: _of_all_classes(model, part, problem))


def neighbours(problem: Problem, seed: int = 0) -> Predictor:
    """The mean label of the nearest training examples, at most 5,000 of them, on the features of `linear`."""
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = np.sort(np.random.default_rng(seed).permutation(len(problem.train))[:ROWS])
    x, y = np.concatenate(list(_features(problem.train, rows))), problem.train.y[rows]
    count = min(NEIGHBOURS, len(rows))
    if problem.signature.task == "regression":
        model = make_pipeline(StandardScaler(), KNeighborsRegressor(count)).fit(x, y)
        return lambda split: _in_parts(split, lambda part: model.predict(part).reshape(len(part), -1))
    # Pixels share a unit, and those of the margin, which hardly vary, would be blown up.
    scale = [] if problem.signature.kind == "image" else [StandardScaler()]
    model = make_pipeline(*scale, KNeighborsClassifier(count, weights="distance")).fit(x, y)
    return lambda split: _in_parts(split, lambda part: _of_all_classes(model, part, problem))


def baselines(problem: Problem) -> dict[str, Callable[[Problem], Predictor]]:
    """The predictors to beat, by name."""
    simplest = "mean" if problem.signature.task == "regression" else "majority"
    return {simplest: constant, "linear": linear, "nearest neighbours": neighbours}


def _of_all_classes(model: Any, part: np.ndarray, problem: Problem) -> np.ndarray:
    """Probabilities with a column for each class, also for those that were not among the rows fitted."""
    found = np.zeros((len(part), len(problem.signature.classes)))
    found[:, model.classes_] = model.predict_proba(part)
    return found


def _in_parts(split: Split, predict: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return np.concatenate([predict(part) for part in _features(split, np.arange(len(split)))])


def _features(split: Split, rows: np.ndarray) -> Iterator[np.ndarray]:
    """The rows as flat features, a buffer at a time."""
    size = buffer_rows(split.x, ROWS)
    for start in range(0, len(rows), size):
        yield _flat(split.x[rows[start : start + size]])


def _flat(x: Any) -> np.ndarray:
    """Examples as float32 vectors; pictures are averaged over blocks until at most FEATURES values are left."""
    x = np.asarray(x, dtype="float32")
    if x.ndim == 4:
        block = 1
        while np.prod(x.shape[1:]) // block**2 > FEATURES:
            block += 1
        height, width = x.shape[1] // block, x.shape[2] // block
        cropped = x[:, : height * block, : width * block]
        x = cropped.reshape(len(x), height, block, width, block, -1).mean(axis=(2, 4))
    return x.reshape(len(x), -1)
