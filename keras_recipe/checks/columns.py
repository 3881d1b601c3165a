"""Become one with the data: every column of a table, or feature of a vector, by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipe.checks import check
from keras_recipe.core.records import Finding, Table
from keras_recipe.core.wording import plural
from keras_recipe.data.table import is_numbers, is_text
from keras_recipe.job import Job
from keras_recipe.problem import Split

if TYPE_CHECKING:
    import pandas as pd

SUMMARIZED = 60
"""Columns that are listed, the first ones."""

ROWS = 20_000
"""Rows that a single column is judged on, drawn at random where there are more."""

JUDGED = 200
"""Features that are judged one by one, the first ones: pixels and embeddings by the thousand mean nothing alone."""

SELDOM = 5
"""Rows with a word from which it can be told what goes with it."""

NEARLY, FEW = 0.999, 20
"""Share of one value, or all rows but one of at least FEW, from which a column says next to nothing."""

ALONE = 0.97
"""Part of the way from guessing to knowing that a column may go alone; the best single feature of iris goes .96 of it,
and nobody calls petal width a leak."""

REPEATED, FAR = 3, 10
"""Rows that make a lonely value a placeholder, and how many times further away than all others are from each other one
that comes seldom must lie: a heavy tail has single values at once or twice that distance."""

MIXED = (0.02, 0.98)
"""Share of numbers among the cells of a column of words between which it mixes two kinds."""


@check("inspect", order=25)
def columns(job: Job) -> Iterator[Finding]:
    """Every column: what is missing, how many values differ, where they lie."""
    frame = frame_of(job.problem.train)
    if frame is None:
        return
    shown = frame.iloc[:, :SUMMARIZED]
    left = f"; the first {SUMMARIZED} are listed" if frame.shape[1] > SUMMARIZED else ""
    yield Finding(
        "info",
        "data",
        f"{plural(frame.shape[1], 'column')}, {plural(len(frame), 'training row')}{left}",
        table=Table(
            ("column", "kind", "missing", "distinct", "lowest", "median", "highest", "commonest"),
            tuple(_summary(shown.iloc[:, i]) for i in range(shown.shape[1])),
        ),
    )
    yield from _nearly_constant(frame)
    yield from _mixed(frame)
    yield from _far_values(frame)


@check("inspect", order=65)
def single_column(job: Job) -> Iterator[Finding]:
    """A column that predicts the label alone may hold it, and not be known when the model is used."""
    problem = job.problem
    frame = frame_of(problem.train)
    if frame is None:
        return
    chosen = np.arange(len(frame))
    if len(frame) > ROWS:
        chosen = np.sort(np.random.default_rng(job.seed).choice(len(frame), ROWS, replace=False))
    y = problem.train.y[chosen]
    names = list(frame.columns)[:JUDGED]
    scores = {}
    for number, name in enumerate(names, start=1):
        scores[str(name)] = _alone(frame[name].iloc[chosen], y, regression=problem.signature.task == "regression")
        job.progress("each column alone", number, len(names))
    best = sorted(scores.items(), key=lambda pair: -pair[1])
    table = Table(
        ("column", "of the way to knowing"),
        tuple((n, round(s, 3)) for n, s in best[:12]),
        "of the way to knowing",
    )
    expected = f"no column that goes more than {ALONE:.0%} of the way from guessing to knowing"
    measured = f"{best[0][0]}: {best[0][1]:.1%}"
    evidence = {"columns": [n for n, s in best if s > ALONE]}
    if best[0][1] <= ALONE:
        yield Finding(
            "ok", "leakage", "no column tells the label alone", expected, measured, evidence=evidence, table=table
        )
        return
    named = ", ".join(repr(n) for n, s in best if s > ALONE)
    yield Finding(
        "warning",
        "leakage",
        f"the {'target' if problem.signature.task == 'regression' else 'label'} can be told from {named} alone",
        expected,
        measured,
        "would it be known before the label is? If not, take the column out",
        evidence,
        table=table,
    )


def frame_of(split: Split) -> pd.DataFrame | None:
    """Columns of a table as they were read, features of vectors as they are; None for pictures."""
    import pandas as pd

    if split.raw is not None:
        return split.raw
    if len(split.x.shape) != 2:
        return None
    values = np.asarray(split.x[:])
    return pd.DataFrame(values, columns=[str(i) for i in range(values.shape[1])])


def codes(column: pd.Series[Any]) -> np.ndarray:
    """A column as numbers, float32: words by their rank in frequency, missing numbers as the lowest of all.

    Words that are seen fewer than SELDOM times have one rank: keys and texts, all distinct, say nothing.
    """
    if is_numbers(column):
        values = column.to_numpy("float32")
        finite = np.isfinite(values)
        low = float(values[finite].min()) if finite.any() else 0.0
        return np.where(finite, values, low - 1).astype("float32")
    counts = column.value_counts()
    frequent = counts[counts >= SELDOM]
    ranks = column.map(dict(zip(frequent.index, range(len(frequent)), strict=True)))
    return ranks.fillna(len(frequent)).to_numpy("float32")


def known_part(values: np.ndarray, y: np.ndarray, *, regression: bool) -> float:
    """How far features (rows, features) go from guessing to knowing: 0 to 1, out of fold, by a small tree.

    Balanced accuracy above that of guessing, as a part of what is to be had, or the share of the variance explained.
    """
    from sklearn.metrics import balanced_accuracy_score, r2_score
    from sklearn.model_selection import cross_val_predict
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if regression:
        tree = DecisionTreeRegressor(max_leaf_nodes=256, min_samples_leaf=5, random_state=0)
        target = y[:, 0]
        return float(r2_score(target, cross_val_predict(tree, values, target, cv=3))) if len(y) > 10 else 0.0
    counts = np.bincount(y)
    rows = np.flatnonzero(counts[y] >= 3)
    classes = int((counts >= 3).sum())
    if classes < 2:
        return 0.0
    tree = DecisionTreeClassifier(max_leaf_nodes=256, min_samples_leaf=2, class_weight="balanced", random_state=0)
    found = balanced_accuracy_score(y[rows], cross_val_predict(tree, values[rows], y[rows], cv=3))
    return float((found - 1 / classes) / (1 - 1 / classes))


def _alone(column: pd.Series[Any], y: np.ndarray, *, regression: bool) -> float:
    values = codes(column)
    return max(0.0, known_part(values[:, None], y, regression=regression)) if np.ptp(values) > 0 else 0.0


def _summary(column: pd.Series[Any]) -> tuple[str | float | int | None, ...]:
    name, distinct = str(column.name), int(column.nunique())
    if is_numbers(column):
        known = column[np.isfinite(column)]
        extremes = [float(known.min()), float(known.median()), float(known.max())] if len(known) else [None] * 3
        return (name, "number", int(len(column) - len(known)), distinct, *extremes, None)
    filled = column[column != ""]
    commonest = filled.value_counts().head(1)
    repeated = len(commonest) and commonest.iloc[0] > 1
    said = f"{str(commonest.index[0])[:40]} ({int(commonest.iloc[0]):,})" if repeated else None
    return (
        name,
        "text" if is_text(column) else "words",
        int(len(column) - len(filled)),
        distinct,
        None,
        None,
        None,
        said,
    )


def _nearly_constant(frame: pd.DataFrame) -> Iterator[Finding]:
    found = []
    for name in frame.columns[:JUDGED]:
        counts = frame[name].value_counts(dropna=False)
        others = len(frame) - int(counts.iloc[0])
        if 0 < others <= max(1, (1 - NEARLY) * len(frame)) and len(frame) >= FEW:
            found.append(f"{name} ({plural(others, 'other row')})")
    if found:
        yield Finding(
            "warning",
            "constant",
            f"columns with hardly more than one value: {', '.join(found[:10])}",
            f"more than {1 - NEARLY:.1%} of the rows, and more than one, with another value",
            f"{plural(len(found), 'column')} above",
            "leave them out, unless the rare value is what it is all about",
            evidence={"columns": found},
        )


def _mixed(frame: pd.DataFrame) -> Iterator[Finding]:
    import pandas as pd

    found = []
    for name in frame.columns[:JUDGED]:
        column = frame[name]
        filled = column[column != ""] if not is_numbers(column) else column.iloc[:0]
        if not len(filled):
            continue
        share = float(pd.to_numeric(filled, errors="coerce").notna().mean())
        if MIXED[0] < share < MIXED[1]:
            found.append(f"{name} ({share:.0%} numbers)")
    if found:
        yield Finding(
            "warning",
            "mixed-types",
            f"columns that mix numbers and words: {', '.join(found[:10])}",
            "numbers or words",
            f"{plural(len(found), 'column')} with both, read as words",
            "write one kind into each column: a number with its unit is a word",
            evidence={"columns": found},
        )


def _far_values(frame: pd.DataFrame) -> Iterator[Finding]:
    """Values that lie further from all others than those are wide: a placeholder such as 9999, or another unit."""
    rows = []
    for name in frame.columns[:JUDGED]:
        if not is_numbers(frame[name]):
            continue
        values = frame[name].to_numpy("float64")
        distinct, counts = np.unique(values[np.isfinite(values)], return_counts=True)
        if len(distinct) < 10:
            continue  # codes and counts
        for value, count, gap, rest in (
            (distinct[-1], counts[-1], distinct[-1] - distinct[-2], distinct[-2] - distinct[0]),
            (distinct[0], counts[0], distinct[1] - distinct[0], distinct[-1] - distinct[1]),
        ):
            if gap > rest * (1 if count >= REPEATED else FAR):
                others = (distinct[0], distinct[-2]) if value == distinct[-1] else (distinct[1], distinct[-1])
                rows.append((str(name), float(value), int(count), float(others[0]), float(others[1])))
    if rows:
        named = ", ".join(f"{name} = {value:g} ({plural(count, 'row')})" for name, value, count, _, _ in rows[:5])
        yield Finding(
            "warning",
            "outliers",
            f"values far from all others: {named}",
            "values that are not further from the others than those are from each other",
            plural(len(rows), "such value"),
            "a placeholder for what is missing, another unit, or a slip of the finger? If so, empty these cells",
            evidence={"columns": [name for name, *_ in rows]},
            table=Table(("column", "value", "rows", "lowest other", "highest other"), tuple(rows)),
        )
