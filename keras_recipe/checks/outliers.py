"""Become one with the data: the most unusual examples of each class. Outliers along any axis uncover bugs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keras_recipe.cheap import Features
from keras_recipe.checks import check
from keras_recipe.core.records import Finding, Table
from keras_recipe.job import Job
from keras_recipe.pictures import CELL, grid
from keras_recipe.survey import look
from keras_recipe.texts import with_contents

NEIGHBOURS = 5
"""The distance to the fifth nearest of its class: one or two equally odd twins do not hide an outlier (Ramaswamy et
al., 2000, rank outliers so)."""

MOST = 20_000
"""Examples of a class that are compared with each other."""

PER_CLASS, CLASSES, ROWS = 8, 12, 12


@check("inspect", order=45)
def unusual(job: Job) -> Iterator[Finding]:
    """Look at the most unusual examples of every class: those that lie furthest from others of it."""
    data = job.features
    if not data.dense.size:
        return
    groups = _groups(job, data)
    scores, scaled = np.zeros(len(data)), _scaled(data.dense)
    for number, rows in enumerate(groups.values(), start=1):
        scores[rows] = _isolation(scaled[rows], job.seed)
        job.progress("unusual examples", number, len(groups))
    if job.problem.signature.kind == "image":
        yield _pictures(job, data, groups, scores)
    else:
        yield _rows(job, data, scores)


def _groups(job: Job, data: Features) -> dict[str, np.ndarray]:
    if not job.problem.signature.classes:
        return {"": np.arange(len(data))}
    return {c: np.flatnonzero(data.y == i) for i, c in enumerate(job.problem.signature.classes)}


def _isolation(values: np.ndarray, seed: int) -> np.ndarray:
    """Distance of each row to its NEIGHBOURS-th nearest, in medians of it; 0 where most rows are alike."""
    from sklearn.neighbors import NearestNeighbors

    if len(values) <= NEIGHBOURS:
        return np.ones(len(values))
    some = np.random.default_rng(seed).permutation(len(values))[:MOST]
    model = NearestNeighbors(n_neighbors=NEIGHBOURS + 1, algorithm="brute").fit(values[some])
    distance = model.kneighbors(values)[0][:, -1]
    middle = float(np.median(distance))
    return np.asarray(distance / middle) if middle > 1e-3 else np.zeros(len(values))


def _scaled(values: np.ndarray) -> np.ndarray:
    """Features weighed by their deviation over all classes; components of pictures keep their own weights."""
    scale = values.std(axis=0)
    return values / np.maximum(scale.mean() if values.shape[1] > 64 else scale, 1e-9)


def _pictures(job: Job, data: Features, groups: dict[str, np.ndarray], scores: np.ndarray) -> Finding:
    chosen: list[int] = []
    for rows in list(groups.values())[:CLASSES]:
        count = PER_CLASS if job.problem.signature.classes else 3 * PER_CLASS
        chosen += rows[np.argsort(-scores[rows], kind="stable")][:count].tolist()
    splits = [job.problem.validation if data.split[i] else job.problem.train for i in chosen]
    shown = np.stack([look(s, data.row[[i]], CELL)[0] for s, i in zip(splits, chosen, strict=True)])
    captions = [f"{job.problem.label(data.y[i])} {scores[i]:.1f}x" for i in chosen]
    path = grid(job.directory / "artifacts" / "unusual.png", shown, captions, columns=PER_CLASS)
    return Finding(
        "info",
        "outliers",
        f"the {PER_CLASS} most unusual of each class, with how much further they lie from others of it than most do",
        hint="broken, of another kind, or merely rare?",
        artifact=str(path.relative_to(job.directory)),
        table=_table(job, data, np.array(chosen)[np.argsort(-scores[chosen], kind="stable")][:ROWS], scores),
    )


def _rows(job: Job, data: Features, scores: np.ndarray) -> Finding:
    order = np.argsort(-scores, kind="stable")[:ROWS]
    order = order[scores[order] > 0]
    if not len(order):
        return Finding("ok", "outliers", "most rows are alike, and none lies apart")
    return Finding(
        "info",
        "outliers",
        "the most unusual rows, with how much further they lie from others of their class than most do",
        hint="broken, of another kind, or merely rare?",
        table=_table(job, data, order, scores),
    )


def _table(job: Job, data: Features, order: np.ndarray, scores: np.ndarray) -> Table:
    places = [data.place(i) for i in order]
    rows = tuple(
        (str(getattr(job.problem, split).ids[row]), split, job.problem.label(data.y[i]), float(scores[i]))
        for i, (split, row) in zip(order, places, strict=True)
    )
    return with_contents(Table(("example", "split", "label", "distance"), rows, bars="distance"), job.problem, places)
