"""Training and validation data that are not of the same world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import keras
import numpy as np

from keras_recipe.core.diagnosis import Fault
from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.rivals import Rivals, cross_validated, told_apart
from keras_recipe.diagnosis.rows import Data, Rows, leaves
from keras_recipe.diagnosis.targets import labels_of, said

ERRORS = 3.0
"""Standard errors of a share by which other numbers of classes have to be better."""

FEW = 3
"""Held-out rows that have to say of a class that it has another number."""


def unlike_inputs(case: Case, rivals: Rivals, margin: float) -> Iterator[Fault]:
    """Simple models learn the training rows, and fail on validation rows that are numbered or prepared otherwise.

    An ERROR where that is proved: classes that need no more than other numbers, models that do worse than one that
    looks at nothing (which no honest difference of splits brings about), inputs that tell the split they are from, or
    tokens that say as much within the validation rows as in training, and nothing from one to the other.
    """
    target, data = case.target, case.data
    if target is None or case.reconstruction or not data.own or not rivals.scores or len(data.train) < 50:
        return
    inside, _, _ = case.inside
    learnt = inside - rivals.dumb
    if not learnt > 2 * margin:
        return
    classes = target.kind in ("multiclass", "binary")
    numbers = _other_numbers(case, rivals) if classes else {}
    turned = classes and all(s < rivals.dumb - margin for _, s in rivals.scores)
    fails = rivals.best - rivals.dumb <= 0.5 * learnt
    if not (numbers or turned or (fails and learnt > 4 * margin)):
        return
    told, cause = told_apart(data), "labels"
    message = "simple models learn the training data, and fail on the validation data: "
    measured = f"{rivals.best:.3f} on the validation rows"
    proved = turned
    if numbers:
        proved, message = True, "classes have other numbers in the validation data than in training"
        measured += "".join(f"; its {ours} is {theirs} in training" for ours, theirs in list(numbers.items())[:6])
    elif told > 0.95:
        proved, cause = True, "preprocessing-mismatch"
        message += "its inputs are prepared differently"
    elif fails and not turned and _other_words(case, rivals, learnt):
        proved, cause = True, "preprocessing-mismatch"
        message += "its tokens have other numbers, since each can be learnt, and neither from the other"
    else:
        message += "its labels do not go with its inputs in the same way"
    yield Fault(
        "same_world",
        "ERROR" if proved else "WARNING",
        cause,
        message,
        expected=f"{inside:.3f}, as on training rows that they were not fitted on",
        measured=measured,
        hint="prepare every split by the same function, and number its labels and tokens in the same way",
        patch="y_val = encoder.transform(names_val)  # fitted on those of the training rows" if numbers else "",
        location=case.fit.location,
        evidence={
            "inside training": inside,
            "validation": rivals.best,
            "area under the ROC curve of the splits": told,
            "numbers": numbers,
        },
    )


def _other_numbers(case: Case, rivals: Rivals) -> dict[str, str]:
    """Labels of the held-out rows, with those that the same classes have in training, where these differ, and with the
    others trees are nearly as good as on training rows that they were not fitted on.

    Which is which is found on one half of the held-out rows, and judged on the other.
    """
    from scipy.optimize import linear_sum_assignment

    target = case.targets[0]
    if rivals.trees is None:
        return {}
    _, rows, outputs = case.inside
    inside = np.mean(labels_of(target, leaves(case.data.train.take(rows).y)[0]) == said(outputs, len(outputs)))
    truth, told = labels_of(target, leaves(case.data.held.y)[0]), said(rivals.trees, len(rivals.trees))
    finding = np.random.default_rng(0).permutation(len(truth)) % 2 == 0
    table = np.zeros((max(truth.max(), told.max()) + 1,) * 2, int)
    np.add.at(table, (truth[finding], told[finding]), 1)
    number = linear_sum_assignment(-table)[1]
    judged, new = truth[~finding], told[~finding]
    before, after = float(np.mean(judged == new)), float(np.mean(number[judged] == new))
    if after < 0.9 * inside or after - before < max(0.1, ERRORS * (0.25 / max(len(judged), 1)) ** 0.5):
        return {}
    moved = [c for c in range(len(table)) if number[c] != c and table[c, number[c]] >= FEW]
    labels = (
        [f"{v:g}" for v in target.values] if len(target.values) == len(table) else [str(c) for c in range(len(table))]
    )
    return {labels[c]: labels[number[c]] for c in moved}


def _other_words(case: Case, rivals: Rivals, learnt: float) -> bool:
    """Whether inputs are tokens that tell the label among the held-out rows as they do among the training rows, and
    next to nothing of it from training to the held-out ones."""
    assert case.target is not None
    if not any(isinstance(call.layer, keras.layers.Embedding) for call in case.anatomy.calls):
        return False
    if rivals.best - rivals.dumb > 0.3 * learnt:
        return False
    found, _, _ = cross_validated(replace(case.data, train=case.data.held), case.target)
    return found - rivals.dumb > 0.7 * learnt


def shifted(data: Data) -> bool:
    """Whether validation inputs are of another size than training inputs, in most columns."""
    if data.validation is None or len(data.validation) < 10:
        return False
    for (mean, deviation), (other, width) in zip(data.train.moments, data.validation.moments, strict=True):
        varying = deviation > 1e-9
        if not varying.any():
            continue
        ratio = width[varying] / deviation[varying]
        apart = np.abs(other[varying] - mean[varying]) / deviation[varying]
        if np.mean((apart > 1) | (ratio > 3) | (ratio < 0.3)) > 0.5:
            return True
    return False


def rescaled(data: Data) -> bool:
    """Whether one split is the other times a constant, or one is standardized column by column and the other is not."""
    assert data.validation is not None
    for (mean, deviation), (other, width) in zip(data.train.moments, data.validation.moments, strict=True):
        varying = (deviation > 1e-9) & (width > 1e-9)
        if not varying.any() or (mean == 0).all():
            continue
        ratio = width[varying] / deviation[varying]
        common = float(np.median(ratio))
        if max(common, 1 / common) < 3:
            continue
        alike = np.abs(np.log(ratio / common)) < 0.3
        same_place = np.abs(other[varying] / common - mean[varying]) < 0.5 * deviation[varying]
        if np.mean(alike & same_place) > 0.8:
            return True
        for m, d in ((mean, deviation), (other, width)):
            unit = (np.abs(m[varying]) < 0.3) & (np.abs(d[varying] - 1) < 0.3)
            if unit.mean() > 0.9:
                return True
    return False


def matched(data: Data) -> Rows:
    """Validation rows with the mean and deviation of the training rows."""
    assert data.validation is not None
    x = []
    for leaf, (mean, deviation), (other, width) in zip(
        leaves(data.validation.x), data.train.moments, data.validation.moments, strict=True
    ):
        if leaf.dtype.kind not in "iuf":
            x.append(leaf)
            continue
        shape = leaf.shape
        flat = leaf.astype("float64").reshape(len(leaf), -1)
        moved = (flat - other) / np.where(width > 1e-9, width, 1) * deviation + mean
        x.append(moved.reshape(shape).astype("float32"))
    given = data.validation.x
    nested = (
        x[0]
        if not isinstance(given, list | tuple | dict)
        else (dict(zip(sorted(given), x, strict=True)) if isinstance(given, dict) else x)
    )
    return Rows(nested, data.validation.y, data.validation.weights)


def distribution_shift(case: Case) -> float:
    """Total variation between the label distributions of training and validation rows; 0 for regressions."""
    target = case.target
    if target is None or target.kind not in ("multiclass", "binary"):
        return 0.0
    p, q = _shares(case)
    return float(0.5 * np.abs(p - q).sum())


def _shares(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Share of each class among training and held-out rows."""
    target = case.targets[0]
    a, b = (labels_of(target, leaves(rows.y)[0]) for rows in (case.data.train, case.data.held))
    size = int(max(a.max(), b.max())) + 1
    return np.bincount(a, minlength=size) / len(a), np.bincount(b, minlength=size) / len(b)


def _evened(train: np.ndarray, held: np.ndarray) -> bool:
    """Whether training shares lie between those of the held-out rows and equal ones: rare classes are given more often.

    Splits of sorted rows leave classes out, which no resampling does.
    """
    equal = 1 / np.maximum((train > 0).sum(), 1)
    towards = (train - held) * (equal - held) >= -1e-3
    return bool((held[train > 0] > 0).all() and (towards & (np.abs(train - held) <= np.abs(equal - held) + 0.05)).all())


def unlike_labels(case: Case) -> Iterator[Fault]:
    """Validation data of other classes than the training data, which a split of sorted rows makes."""
    shift = distribution_shift(case)
    noise = np.sqrt(max(len(set(case.target.values)) if case.target else 2, 2) / max(len(case.data.held), 1))
    if not case.data.own or shift < 0.3 + noise or _evened(*_shares(case)):
        return
    yield Fault(
        "split_labels",
        "ERROR",
        "shuffling",
        "the validation data holds other classes than the training data: the rows were sorted when they were split",
        expected="the same shares of the classes in both",
        measured=f"{shift:.0%} of the labels would have to change",
        hint="shuffle the rows before they are split",
        patch="order = np.random.permutation(len(x)); x, y = x[order], y[order]",
        location=case.fit.location,
        evidence={"total variation": shift},
    )
