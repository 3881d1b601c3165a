"""Validation rows among the training rows, and inputs that hold the target."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import keras
import numpy as np

from keras_recipe.core.diagnosis import Fault
from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.rivals import cross_validated, rivals
from keras_recipe.diagnosis.rows import Rows, leaves
from keras_recipe.diagnosis.targets import labels_of
from keras_recipe.spread import evenly

COPY = 0.9999
"""Correlation with the target from which a column is a copy of it."""

DISTINCT = 0.02
"""What a copy leaves of the variance of the target, at most, in parts of what the next best column leaves of it."""

HEART = 0.8, 0.3
"""What a column says of the target of the training rows (0 is nothing, 1 is all of it) from which it may have been made
of it, and of the validation rows up to which it was."""

FEW, LOOK = 10, 4000
"""Rows of a class from which it is looked at what a column says of it, and rows that are looked at."""

OVERLAP = 0.05
"""Share of the validation rows that may be among the training rows."""


def overlap(case: Case) -> Iterator[Fault]:
    """Validation rows among the training rows."""
    data = case.data
    if data.validation is None:
        return
    train, held = data.train.hashes, data.validation.hashes
    among = np.isin(held, train)
    share = float(among.mean())
    if share < OVERLAP or among.sum() < 5:
        return
    chance = 1 - len(np.unique(train)) / len(train) if _coarse(data.train) else 0.0
    if len(data.train) < data.total:
        share = min(1.0, share * data.total / len(data.train))
    if chance > 0.3 * share:
        return  # rows of few values repeat by themselves
    same = share > 0.98 and len(data.validation) >= 0.9 * min(data.total, len(data.validation) + 1)
    whole = same and len(data.validation) >= 0.9 * len(data.train)
    rows = [int(r) for r in np.flatnonzero(among)[:20]]
    yield Fault(
        "split_overlap",
        "WARNING" if whole else "ERROR",
        "leakage",
        "the validation data is the training data: its score says nothing about new examples"
        if whole
        else f"{share:.0%} of the validation rows are training rows too: their score says nothing about new examples",
        expected="no row in both",
        measured=f"{int(among.sum()):,} of {len(held):,} validation rows",
        hint="split before anything else, and drop duplicates first",
        location=case.fit.location,
        evidence={"rows": rows, "share": share, "repeated within training": chance},
    )


def repeated(case: Case) -> Iterator[Fault]:
    """A dataset that gives one batch again and again."""
    data = case.data
    rows = data.train.hashes[: data.total]
    batches, kinds = len(rows) // data.batch, len(np.unique(rows))
    if data.arrays or batches < 3 or kinds > data.batch or _coarse(data.train):
        return
    # A generator may give everything that there is in each of its batches.
    indexed = isinstance(case.fit.x, keras.utils.PyDataset)
    yield Fault(
        "repeated_batch",
        "ERROR" if indexed else "WARNING",
        "duplicates",
        f"all of {batches} batches hold the same examples",
        expected="other examples in each batch of an epoch",
        measured=f"{kinds:,} different ones in {len(rows):,}",
        hint="look at what the batch is made of: its index, or the place in the data, is not used",
        patch="self.x[index * size : (index + 1) * size]" if indexed else "",
        location=case.fit.location,
        evidence={"different": kinds, "examples": len(rows)},
    )


def _coarse(rows: Rows) -> bool:
    """Whether examples are made of so few values that some are equal by chance."""
    count = 1.0
    for leaf in leaves(rows.x):
        flat_ = leaf.reshape(len(leaf), -1)[:2000]
        for column in range(min(flat_.shape[1], 200)):
            count *= len(np.unique(flat_[:, column]))
            if count > 1e6:
                return False
    return True


def copied(case: Case) -> Iterator[Fault]:
    """A column that holds the target."""
    table = _table(case, case.data.train)
    if table is None:
        return
    values, y = table
    x, classes = leaves(case.data.train.x), case.target is not None and case.target.kind != "regression"
    columns = [c for c in range(values.shape[1]) if values[:, c].std() > 0]
    found = [c for c in columns if _says_class(values[:, c], y)] if classes else _copies(values, columns, y)
    if not found or len(found) > values.shape[1] / 4 or not _others_say_something(case, values, found):
        return
    yield Fault(
        "target_column",
        "ERROR",
        "leakage",
        f"{_place(found[0], x)} holds the target",
        expected="inputs that are known before the target is",
        measured="says the target: " + ", ".join(_place(c, x) for c in found[:5]),
        hint="leave it out, unless it is known when the model is used",
        patch=f"x = np.delete(x, {found[0]}, axis=1)" if x[0].ndim == 2 else "windows that end before the target",
        location=case.fit.location,
        evidence={"columns": found[:20]},
    )


def learnt_by_heart(case: Case, margin: float) -> Iterator[Fault]:
    """A column that says the target of the training rows, and nothing of that of validation rows, for which the others
    are good all the same: it was made of the training targets, as by target encoding of keys that hardly come twice."""
    data, target = case.data, case.target
    some = [rows.take(evenly(len(rows), LOOK)) for rows in (data.train, data.held)]
    train, held = (_table(case, rows) for rows in some)
    if not data.own or target is None or train is None or held is None:
        return
    told, left = _told(train, held, regression=target.kind == "regression")
    by_heart = (told > HEART[0]) & (left < HEART[1])
    found = [int(c) for c in np.flatnonzero(by_heart.any(axis=0))]
    if not found or len(found) > by_heart.shape[1] / 4:
        return
    rest, new = (
        Rows(np.delete(values, found, axis=1).astype("float32"), rows.y)
        for (values, _), rows in zip((train, held), some, strict=True)
    )
    others = rivals(replace(data, train=rest, held=new), target)
    if others.best < others.dumb + margin:
        return  # nothing says anything of these rows
    x, column = leaves(data.train.x), found[0]
    most = int(np.argmax(np.where(by_heart[:, column], told[:, column] - left[:, column], -1)))
    yield Fault(
        "column_by_heart",
        "ERROR",
        "leakage",
        f"{_place(column, x)} was made of the targets of the training rows: it says nothing of new ones",
        expected=f"to say as much of the target in both splits, {told[most, column]:.2f} of 1",
        measured=f"{told[most, column]:.2f} among training rows, {left[most, column]:.2f} among validation rows",
        hint="encode each row by the targets of other rows, as TargetEncoder of scikit-learn does, or leave it out",
        patch=f"x = np.delete(x, {column}, axis=1)" if x[0].ndim == 2 else "",
        location=case.fit.location,
        evidence={"columns": found[:20], "others alone": others.best},
    )


def _table(case: Case, rows: Rows) -> tuple[np.ndarray, np.ndarray] | None:
    """Numbers as a table (examples, columns), and the target of each example; None for anything else."""
    target, x = case.target, leaves(rows.x)
    if target is None or target.kind == "multilabel" or case.reconstruction:
        return None
    if any(a.ndim not in (2, 3) or a.dtype.kind not in "iuf" for a in x):
        return None
    values = np.concatenate([a.reshape(len(a), -1).astype("float64") for a in x], axis=1)
    if not 3 <= values.shape[1] <= 2000 or len(values) < 50 or not np.isfinite(values).all():
        return None
    y = leaves(rows.y)[0]
    y = labels_of(target, y) if target.kind != "regression" else y.reshape(len(values), -1)[:, 0]
    return (values, y) if len(y) == len(values) else None


def _told(
    train: tuple[np.ndarray, np.ndarray], held: tuple[np.ndarray, np.ndarray], regression: bool
) -> tuple[np.ndarray, np.ndarray]:
    """How much each column says by itself of the target of both splits, 0 to 1, (classes, columns).

    Of a class it is by how much the area under the ROC curve is off one half, which does not change with how common
    the class is; of numbers their correlation by rank (Spearman, 1904). Of classes that are rare in a split, and of
    columns that do not vary in it, nothing is known: they count as saying nothing in training and all in validation.
    """
    from scipy.stats import rankdata

    both = (train, held)
    common = [c for c in np.unique(train[1]) if all((y == c).sum() >= FEW for _, y in both)]
    kinds = [None] if regression else common[1:] if len(common) == 2 else common
    each = []
    for unknown, (values, y) in zip((0.0, 1.0), both, strict=True):
        ranks, varies = rankdata(values, axis=0), values.std(axis=0) > 0
        says = np.full((len(kinds), values.shape[1]), unknown)
        for i, kind in enumerate(kinds):
            if kind is None and y.std() > 0:
                of_y = rankdata(y) - (len(y) + 1) / 2
                covariance = of_y @ (ranks - (len(y) + 1) / 2) / len(y)
                says[i, varies] = np.abs(covariance[varies] / (of_y.std() * ranks.std(axis=0)[varies]))
            elif kind is not None and not (y == kind).all():
                n = int((y == kind).sum())
                area = (ranks[y == kind].sum(axis=0) - n * (n + 1) / 2) / (n * (len(y) - n))
                says[i, varies] = np.abs(2 * area[varies] - 1)
        each.append(says)
    return each[0], each[1]


def _place(column: int, x: list[np.ndarray]) -> str:
    """Where a column of all arrays together is: a column of a table, a step of sequences."""
    for leaf in x:
        width = int(np.prod(leaf.shape[1:]))
        if column < width:
            break
        column -= width
    if leaf.ndim == 2:
        return f"column {column}"
    step, channel = divmod(column, leaf.shape[2])
    return f"step {step} of {leaf.shape[1]}" + (f", channel {channel}" if leaf.shape[2] > 1 else "")


def _copies(values: np.ndarray, columns: list[int], y: np.ndarray) -> list[int]:
    """Columns that a straight line makes the target of, far better than of any other.

    Neighbours in a smooth series are nearly equal, each a little less the further it is: none of them is a copy.
    """
    if not columns or y.std() == 0:
        return []
    x = values[:, columns]
    x, y = (x - x.mean(axis=0)) / x.std(axis=0), (y - y.mean()) / y.std()
    left = 1 - (x * y[:, None]).mean(axis=0) ** 2
    copies = left < 1 - COPY**2
    if not copies.any() or (not copies.all() and left[copies].max() > DISTINCT * left[~copies].min()):
        return []
    return [c for c, copy in zip(columns, copies, strict=True) if copy]


def _says_class(v: np.ndarray, y: np.ndarray) -> bool:
    """Whether the classes do not overlap in a column, and at least all but one of them are at one value each.

    A label that somebody made by a threshold on a column that varies freely is no leak.
    """
    labels = np.unique(y)
    heaps = [v[y == c] for c in labels]
    if len(labels) < 2 or min(map(len, heaps)) < 5:
        return False
    spans = sorted((h.min(), h.max()) for h in heaps)
    if any(low <= high for (_, high), (low, _) in pairwise(spans)):
        return False
    scale = float(v.std())
    narrow = sum(bool(h.std() < 0.02 * scale) for h in heaps)
    return narrow >= len(labels) - 1


def _others_say_something(case: Case, values: np.ndarray, found: list[int]) -> bool:
    """Whether the other columns tell something of the target too, as they do where somebody means to learn it."""
    rest = np.delete(values, found, axis=1).astype("float32")
    train = Rows(rest, case.data.train.y)
    assert case.target is not None
    score, _, _ = cross_validated(replace(case.data, train=train), case.target)
    return bool(score > case.dumb + 0.05 * (1 - case.dumb))
