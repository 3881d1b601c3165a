"""Become one with the data: a label that can be told from how a picture or a text was made, not from what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from keras_recipe.checks import check
from keras_recipe.checks.columns import ROWS, codes
from keras_recipe.core.records import Finding, Table
from keras_recipe.job import Job

if TYPE_CHECKING:
    import pandas as pd

ABOUT_THE_FILE = ("width", "height", "aspect", "bytes", "format", "mode", "orientation", "frames", "language")
"""Properties that no content explains."""

FILE_AUC, CONTENT_AUC = 0.8, 0.9
"""Area under the ROC curve (.5 is chance) from which one property gives a class away. Content has some brightness and
colour of its own: on photos of flowers no property goes above .72, on fashion_mnist the brightness of sandals, small
things on black, reaches .89."""

LEAF = 20


@check("inspect", order=66)
def shortcuts(job: Job) -> Iterator[Finding]:
    """File, brightness or colour, length or language alone must not tell a class: networks learn those first."""
    problem = job.problem
    if problem.signature.task == "regression" or not len(job.features):
        return
    if problem.signature.kind == "image":
        yield _told(job, *_of_pictures(job), what="pictures")
    elif job.texts:
        yield _told(job, *_of_texts(job), what="texts")


def _of_pictures(job: Job) -> tuple[pd.DataFrame, np.ndarray]:
    """Properties of training and validation pictures with their labels."""
    look = job.survey
    entries = np.flatnonzero(look.good & (look.split < 2))
    if len(entries) > ROWS:
        entries = np.sort(np.random.default_rng(job.seed).choice(entries, ROWS, replace=False))
    return look.properties.iloc[entries], np.concatenate([job.problem.train.y, job.problem.validation.y])[entries]


def _of_texts(job: Job) -> tuple[pd.DataFrame, np.ndarray]:
    """Properties of training texts with their labels."""
    import pandas as pd

    found = pd.concat([noted.add_prefix(f"{name}: ") for name, noted in job.texts.items()], axis=1)
    return found, job.problem.train.y[found.index.to_numpy()]


def _told(job: Job, properties: pd.DataFrame, y: np.ndarray, what: str) -> Finding:
    found = []
    for name in properties:
        values = codes(properties[name])
        if np.ptp(values) > 0:
            found += [(str(name), c, auc) for c, auc in _areas(values, y)]
    found.sort(key=lambda f: -f[2])
    alarms = [f for f in found if f[2] > (FILE_AUC if f[0].rpartition(": ")[2] in ABOUT_THE_FILE else CONTENT_AUC)]
    classes = job.problem.signature.classes
    table = Table(
        ("property", "class", "area under the ROC curve"), tuple((n, classes[c], round(a, 3)) for n, c, a in found[:12])
    )
    made = "language" if what == "texts" else "size and format"
    expected = f"no property above {CONTENT_AUC:g} ({FILE_AUC:g} for {made}), where .5 is chance"
    if not alarms:
        measured = f"{found[0][0]} for {classes[found[0][1]]}: {found[0][2]:.2f}" if found else "no property varies"
        return Finding(
            "ok", "shortcut", f"no property of the {what} gives a class away", expected, measured, table=table
        )
    name, c, auc = alarms[0]
    others = sorted({f[0] for f in alarms} - {name})
    also = f" (also: {', '.join(others)})" if others else ""
    return Finding(
        "warning",
        "shortcut",
        f"{name} alone tells class {classes[c]!r} from the others{also}: a network will learn that, not the content",
        expected,
        f"{name} for {classes[c]}: {auc:.2f}",
        "were the classes collected, cut or stored in different ways? Make them alike, or augment it away",
        {"properties": [name, *others], "classes": sorted({classes[f[1]] for f in alarms})},
        table=table,
    )


def _areas(values: np.ndarray, y: np.ndarray) -> list[tuple[int, float]]:
    """Each class with the area under the curve that a small tree over this one property reaches, out of fold."""
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    counts = np.bincount(y)
    known = np.flatnonzero(counts >= LEAF)
    rows = np.flatnonzero(counts[y] >= LEAF)
    if len(known) < 2:
        return []
    tree = DecisionTreeClassifier(max_leaf_nodes=16, min_samples_leaf=LEAF, random_state=0)
    predicted = cross_val_predict(tree, values[rows, None], y[rows], cv=3, method="predict_proba")
    return [(int(c), float(roc_auc_score(y[rows] == c, predicted[:, i]))) for i, c in enumerate(known)]
