"""What a cheap model makes of the data: features without training a network, and out-of-fold predictions.

Extremely randomized trees (Geurts, Ernst & Wehenkel, 2006) are quick, need no tuning, and take any features as they
are. Words are for a linear model, which ranks wrong labels of rt-polarity at an average precision of .31, where trees
over their principal components reach .14. What such models predict for examples that they have not seen is what label
errors, leaks and shifts are judged by.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from keras_recipe import texts
from keras_recipe.problem import Problem
from keras_recipe.survey import Survey

ROWS = 60_000
"""Examples that cheap models look at, drawn at random where there are more: seconds, and shares known to a point."""

COMPONENTS = 64
"""Principal components of pictures and of wide vectors. On fashion_mnist trees over 64 of them rank wrong labels as
well as trees over all 784 pixels (average precision .92 and .93)."""

LEVELS = 6
"""Levels a channel of the colour histogram, 216 in all. On photos of flowers it is what tells classes apart best (.63
of the labels, principal components .53; wrong labels ranked at .43 against .23)."""

TREES, LEAF = 100, 3
FOLDS = 3

SOME = 20_000
"""Examples that principal components are learnt from."""


@dataclass(frozen=True, eq=False)
class Features:
    """Train and validation examples as numbers. The test split is not among them: nobody looks at its labels.

    Attributes:
        values: float32 (rows, features), all finite; of a table that is all text, none.
        y: labels, as in a Split.
        split: 0 for train, 1 for validation, (rows,).
        row: row within the split, (rows,).
        sampled: whether these are not all of the examples.
        words: of tables with text a sparse (rows, terms), else None.
    """

    values: np.ndarray
    y: np.ndarray
    split: np.ndarray
    row: np.ndarray
    sampled: bool
    words: Any = None

    def __len__(self) -> int:
        return len(self.y)

    def place(self, index: int) -> tuple[str, int]:
        """Split and row of one of them."""
        return "validation" if self.split[index] else "train", int(self.row[index])

    @cached_property
    def dense(self) -> np.ndarray:
        """Values and principal components of the words, float32 (rows, features)."""
        if self.words is None:
            return self.values
        from sklearn.decomposition import TruncatedSVD

        found = TruncatedSVD(min(COMPONENTS, self.words.shape[1]), random_state=0).fit_transform(self.words)
        return np.concatenate([self.values, found.astype("float32")], axis=1)


def features(problem: Problem, look: Survey | None, seed: int) -> Features:
    """Features of at most ROWS examples; of pictures that can be decoded, from their thumbnails.

    Args:
        problem: the data.
        look: the survey of its pictures; None for tables and vectors.
        seed: of the draw.
    """
    sizes = (len(problem.train), len(problem.validation))
    entries = np.arange(sum(sizes))
    if look is not None:
        entries = entries[look.good[: sum(sizes)]]
    every = len(entries)
    if every > ROWS:
        entries = np.sort(np.random.default_rng(seed).choice(entries, ROWS, replace=False))
    y = np.concatenate([problem.train.y, problem.validation.y])[entries]
    split = (entries >= sizes[0]).astype("int8")
    row = np.where(split, entries - sizes[0], entries)
    values = _of_rows(problem, split, row) if look is None else _of_pictures(look, entries, seed)
    return Features(values, y, split, row, every > len(entries), _words(problem, split, row))


def out_of_fold(
    values: np.ndarray, y: np.ndarray, *, regression: bool, seed: int, words: Any = None
) -> tuple[np.ndarray, np.ndarray]:
    """Predictions for rows by models that were not fitted on them: of trees, of a linear model where there are words.

    Args:
        values: (rows, features).
        y: class numbers, or targets (rows, targets).
        regression: which of the two.
        seed: of folds and trees.
        words: sparse (rows, terms), or None. Where there are values, too, the mean of both models is taken.

    Returns:
        rows that were judged (classes with fewer than FOLDS examples are not), and for them probabilities
        (judged, classes 0..max) or targets (judged, targets).
    """
    from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict

    models = _models(values, words, regression=regression, seed=seed)
    if not models:  # texts without two words in common
        return np.empty(0, int), np.empty((0, 1))
    if regression:
        folds = KFold(FOLDS, shuffle=True, random_state=seed)
        targets = y[:, 0] if y.shape[1] == 1 else y
        found = np.mean([cross_val_predict(model, x, targets, cv=folds) for model, x in models], axis=0)
        return np.arange(len(y)), found.reshape(len(y), -1)
    counts = np.bincount(y)
    rows = np.flatnonzero(counts[y] >= FOLDS)
    known = np.flatnonzero(counts >= FOLDS)
    probabilities = np.zeros((len(rows), len(counts)), "float32")
    if len(known) < 2:
        probabilities[:, known] = 1
        return rows, probabilities
    stratified = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    probabilities[:, known] = np.mean(
        [cross_val_predict(m, x[rows], y[rows], cv=stratified, method="predict_proba") for m, x in models], axis=0
    )
    return rows, probabilities


def judged_by_trees(values: np.ndarray, y: np.ndarray, new: np.ndarray, classes: int, seed: int) -> np.ndarray:
    """What trees that are fitted on some examples predict for others.

    Args:
        values, y: (rows, features), and class numbers or targets (rows, targets).
        new: (others, features).
        classes: number of classes, 0 for regression.
        seed: of the trees.

    Returns:
        probabilities (others, classes), or targets (others, targets).
    """
    model = _models(values, None, regression=not classes, seed=seed)[0][0]
    if not classes:
        return np.asarray(model.fit(values, y[:, 0] if y.shape[1] == 1 else y).predict(new)).reshape(len(new), -1)
    found = np.zeros((len(new), classes))
    model.fit(values, y)
    found[:, model.classes_] = model.predict_proba(new)
    return found


def _models(values: np.ndarray, words: Any, *, regression: bool, seed: int) -> list[tuple[Any, Any]]:
    """Models with what each is fitted on; one at least."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
    from sklearn.linear_model import LogisticRegression, Ridge

    options = {"n_estimators": TREES, "min_samples_leaf": LEAF, "n_jobs": -1, "random_state": seed}
    trees = ExtraTreesRegressor(**options) if regression else ExtraTreesClassifier(**options)
    linear = Ridge() if regression else LogisticRegression(max_iter=1000)
    found = [(trees, values)] if values.shape[1] else []
    return found if words is None else [*found, (linear, words)]


def _words(problem: Problem, split: np.ndarray, row: np.ndarray) -> Any:
    import pandas as pd

    names = texts.text_columns(problem.train.raw)
    if not names:
        return None
    parts = [(problem.train.raw, row[split == 0]), (problem.validation.raw, row[split == 1])]
    return texts.vectors(pd.concat([texts.joined(raw.iloc[rows], names) for raw, rows in parts if raw is not None]))


def _of_rows(problem: Problem, split: np.ndarray, row: np.ndarray) -> np.ndarray:
    parts = [problem.train.x[row[split == 0]], problem.validation.x[row[split == 1]]]
    flat = np.concatenate([np.asarray(p, "float32").reshape(len(p), -1) for p in parts])
    finite: np.ndarray = np.nan_to_num(flat, nan=0.0, posinf=0.0, neginf=0.0)
    return components(finite) if finite.shape[1] > 4 * COMPONENTS else finite


def _of_pictures(look: Survey, entries: np.ndarray, seed: int) -> np.ndarray:
    values = components(_flat(look.thumbnails, entries), seed)
    if look.thumbnails.shape[-1] == 1:
        return values
    return np.concatenate([values, _histogram(look.thumbnails, entries)], axis=1)


def _flat(thumbnails: np.ndarray, entries: np.ndarray) -> np.ndarray:
    """Thumbnails as vectors; those in colour are halved first, for they weigh three times as much."""
    small = thumbnails if thumbnails.shape[-1] == 1 or thumbnails.shape[1] <= 16 else None
    if small is not None:
        return small[entries].reshape(len(entries), -1).astype("float32")
    return halved(thumbnails, entries, 2)


def halved(thumbnails: np.ndarray, entries: np.ndarray, factor: int) -> np.ndarray:
    """These thumbnails averaged over blocks of `factor` x `factor`, as float32 vectors."""
    side = thumbnails.shape[1] // factor
    found = np.empty((len(entries), side * side * thumbnails.shape[-1]), "float32")
    for start in range(0, len(entries), 4096):
        part = thumbnails[entries[start : start + 4096]].astype("float32")
        blocks = part.reshape(len(part), side, factor, side, factor, -1).mean(axis=(2, 4))
        found[start : start + len(part)] = blocks.reshape(len(part), -1)
    return found


def components(values: np.ndarray, seed: int = 0) -> np.ndarray:
    """Principal components of these rows, float32 (rows, at most COMPONENTS)."""
    from sklearn.decomposition import PCA

    count = min(COMPONENTS, *values.shape)
    chosen = np.random.default_rng(seed).permutation(len(values))[:SOME]
    if not len(values) or np.ptp(values[chosen], axis=0).max() == 0:
        return np.zeros((len(values), 1), "float32")  # pictures without a difference have no components
    model: Any = PCA(count, random_state=seed, svd_solver="randomized").fit(values[chosen])
    found = np.empty((len(values), count), "float32")
    for start in range(0, len(values), SOME):
        found[start : start + SOME] = model.transform(values[start : start + SOME])
    return found


def _histogram(thumbnails: np.ndarray, entries: np.ndarray) -> np.ndarray:
    """Share of the pixels in each of LEVELS ** 3 colours, as large as the values of a component."""
    bins = LEVELS**3
    found = np.empty((len(entries), bins), "float32")
    for start in range(0, len(entries), 4096):
        part = thumbnails[entries[start : start + 4096]]
        level = np.minimum(part // (256 // LEVELS + 1), LEVELS - 1).astype("int64").reshape(len(part), -1, 3)
        colour = level @ np.array([LEVELS**2, LEVELS, 1]) + bins * np.arange(len(part))[:, None]
        counts = np.bincount(colour.ravel(), minlength=bins * len(part)).reshape(len(part), bins)
        found[start : start + len(part)] = counts / colour.shape[1]
    return found
