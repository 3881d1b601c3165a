"""Become one with the data: do training and held out rows come from one distribution, and is there an order in them?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipe import cheap
from keras_recipe.checks import check
from keras_recipe.checks.columns import JUDGED, ROWS, codes, frame_of, known_part
from keras_recipe.core.records import Finding, Table
from keras_recipe.data.table import is_dates, is_numbers
from keras_recipe.job import Job

if TYPE_CHECKING:
    import pandas as pd

AUC = 0.6
"""Area under the ROC curve (.5 is chance) from which two splits are told apart; its whole interval must lie above."""

DISTANCE = 0.15
"""Kolmogorov-Smirnov distance of two samples of a column (largest difference of their shares below a value) that
matters; whether it is more than chance is tested as well."""

CHANCE = 1e-4

ORDERED = 0.2
"""Part of the way from guessing to knowing that the place in the file may go."""


@check("inspect", order=70)
def drift(job: Job) -> Iterator[Finding]:
    """Training and validation rows must not be told apart: else validation scores speak of other data."""
    data = job.features
    if not len(data):
        return
    some = np.random.default_rng(job.seed).permutation(len(data))[:ROWS]
    split = data.split[some].astype("int64")
    rows, found = cheap.out_of_fold(
        data.values[some],
        split,
        regression=False,
        seed=job.seed,
        words=None if data.words is None else data.words[some],
    )
    columns = _shifted(job)
    if len(np.unique(split[rows])) < 2:
        yield Finding("info", "drift", "too few validation examples to compare")
        return
    auc, error = _area(split[rows].astype(bool), found[:, 1])
    measured = f"area under the ROC curve {auc:.2f} ± {1.96 * error:.2f} (a model that guesses the split; .5 is chance)"
    expected = f"at most {AUC:g}"
    evidence = {"auc": auc, "columns": [name for name, *_ in columns]}
    table = Table(("column", "distance", "training median", "validation median"), tuple(columns)) if columns else None
    if auc - 1.96 * error <= AUC and not columns:
        yield Finding("ok", "drift", "training and validation look alike", expected, measured, evidence=evidence)
        return
    named = f": {', '.join(name for name, *_ in columns[:5])}" if columns else ""
    yield Finding(
        "warning",
        "drift",
        f"training and validation differ{named}",
        expected,
        measured,
        "another camera, unit, time or place? Split so that validation is what the model will meet, and training too",
        evidence,
        table=table,
    )


@check("inspect", order=85)
def order(job: Job) -> Iterator[Finding]:
    """Rows that have a time, or labels that depend on the place in the file."""
    problem = job.problem
    by_time = problem.split_by.startswith("time")
    raw = problem.train.raw
    dates = [str(n) for n in raw if is_dates(raw[n])] if raw is not None and not by_time else []
    if dates:
        yield Finding(
            "warning",
            "time-order",
            f"the rows have a time ({', '.join(dates)}), but the split does not heed it",
            "the latest rows held out, where the future is to be predicted",
            f"split {problem.split_by}",
            f"--time {dates[0]}, if the model will be used on later rows",
            {"columns": dates},
        )
    places = _places(job)
    if by_time:
        yield Finding("ok", "time-order", "the split heeds the time: later rows are held out")
    if places is None or by_time:
        return
    y = problem.train.y[: len(places)]
    part = known_part(places[:, None], y, regression=problem.signature.task == "regression")
    measured = f"the place in the file goes {max(part, 0):.0%} of the way from guessing the label to knowing it"
    if part > ORDERED:
        yield Finding(
            "info",
            "time-order",
            "labels depend on the place in the file: it is sorted, or was made bit by bit",
            f"at most {ORDERED:.0%}",
            measured,
            "the split is drawn at random, so this does no harm, unless neighbours are alike: then use --groups",
            {"part": part},
        )
    elif not dates:
        yield Finding("ok", "time-order", "labels do not depend on the place in the file", "", measured)


def _shifted(job: Job) -> list[tuple[str, float, float | None, float | None]]:
    """Columns whose values differ between training and validation: name, distance, medians of numbers."""
    from scipy.stats import ks_2samp

    train, validation = frame_of(job.problem.train), frame_of(job.problem.validation)
    if train is None or validation is None:
        return []
    generator = np.random.default_rng(job.seed)
    a = train.iloc[np.sort(generator.permutation(len(train))[:ROWS])]
    b = validation.iloc[np.sort(generator.permutation(len(validation))[:ROWS])]
    found = []
    for name in list(train.columns)[:JUDGED]:
        left, right = _comparable(a[name], b[name])
        test = ks_2samp(left, right, method="asymp")
        if test.statistic > DISTANCE and test.pvalue < CHANCE / min(JUDGED, train.shape[1]):
            medians = [float(np.median(v)) for v in (left, right)] if is_numbers(a[name]) else [None, None]
            found.append((str(name), round(float(test.statistic), 3), *medians))
    return sorted(found, key=lambda row: -row[1])


def _comparable(a: pd.Series[Any], b: pd.Series[Any]) -> tuple[np.ndarray, np.ndarray]:
    import pandas as pd

    both = codes(pd.concat([a, b], ignore_index=True))
    return both[: len(a)], both[len(a) :]


def _area(positive: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """Area under the ROC curve with its standard error (Hanley & McNeil, 1982)."""
    from sklearn.metrics import roc_auc_score

    auc = float(roc_auc_score(positive, score))
    m, n = int(positive.sum()), int((~positive).sum())
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = (auc * (1 - auc) + (m - 1) * (q1 - auc**2) + (n - 1) * (q2 - auc**2)) / (m * n)
    return auc, float(np.sqrt(max(variance, 0.0)))


def _places(job: Job) -> np.ndarray | None:
    """Row numbers of the training examples, float32; None for files, whose folders are their labels."""
    ids = job.problem.train.ids
    if job.problem.train.folder is not None or not len(ids) or not str(ids[0]).isdecimal():
        return None
    return np.array([int(i) for i in ids[:ROWS]], "float32")
