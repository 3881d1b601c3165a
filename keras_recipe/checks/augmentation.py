"""Do augmented examples keep their label? A mirrored 6 is no 6."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keras_recipe import objectives
from keras_recipe.checks import check
from keras_recipe.core.records import Finding, Table
from keras_recipe.job import Job
from keras_recipe.pictures import grid

LOST = 0.15
"""Share of a class's augmented examples, beyond that of the plain ones, which may be taken for one other class. A
picture that augmentation has made hard is taken for this class or that; one whose label has changed, for the class that
it shows now. Where half of the labels change, the model cannot tell plain examples apart either: such an augmentation
lowers the validation score, and the climb refuses it."""

FEW = 20
"""Augmented examples of a class below which its share says nothing."""

ROUNDS = 4
"""Times that the same examples are augmented."""

SHOWN = 16


@check("regularize", order=60)
def augmented_labels(job: Job) -> Iterator[Finding]:
    """Augmented examples must keep their label: the trained model, which has seen them, must recognize them."""
    loop = job.trained() if job.trained is not None else None
    if loop is None or loop.augmentation is None or job.problem.signature.task == "regression":
        return
    x, y = job.sample(job.problem.train)
    classes, targets = job.problem.signature.classes, objectives.targets(job.problem, y)
    plain = objectives.predictions(job.problem, loop.predict(x)).argmax(axis=1)
    changed = []
    for _ in range(ROUNDS):
        fed, labels = loop.augmented(x, targets)
        pictures = np.asarray(fed)
        outputs = objectives.predictions(job.problem, loop.predict(pictures))
        changed.append((pictures, _classes(np.asarray(labels)), outputs))
    given = np.concatenate([labels for _, labels, _ in changed])
    seen = np.concatenate([outputs.argmax(axis=1) for _, _, outputs in changed])
    count = len(classes)
    before, after = _confusion(y, plain, count), _confusion(given, seen, count)
    excess = np.where(np.eye(count, dtype=bool), 0.0, after - before)
    many = np.bincount(given, minlength=count) >= FEW
    worst = [(float(excess[a].max()), a, int(excess[a].argmax())) for a in range(count) if many[a]]
    lost = [entry for entry in worst if entry[0] > LOST]
    right, were = float(np.mean(given == seen)), float(np.mean(y == plain))
    texts = (f"nearly as many as the {were:.1%} of the plain ones", f"{right:.1%} of the augmented training examples")
    evidence = {"augmented": right, "plain": were}
    if not lost:
        yield Finding("ok", "augmentation", "augmented examples are recognized", *texts, evidence=evidence)
        return
    share, a, b = max(lost)
    rows = tuple((classes[a], classes[b], round(s, 3)) for s, a, b in sorted(lost, reverse=True))
    yield Finding(
        "warning",
        "augmentation",
        f"{share:.0%} of the augmented {classes[a]!r} look like {classes[b]!r}: they may have lost their label",
        *texts,
        "look at the pictures, and leave out the augmentation that does this (--moves names those to try)",
        evidence,
        artifact=_shown(job, changed, a, b),
        table=Table(("class", "taken for", "share"), rows, bars="share"),
    )


def _classes(labels: np.ndarray) -> np.ndarray:
    """Class indices of labels as the loss takes them; of mixed ones that with the largest share."""
    if labels.ndim == 1:
        return labels
    found: np.ndarray = labels.argmax(axis=1) if labels.shape[1] > 1 else np.rint(labels[:, 0]).astype(int)
    return found


def _confusion(given: np.ndarray, seen: np.ndarray, count: int) -> np.ndarray:
    """Share of each class (rows) that is taken for each class (columns)."""
    counts = np.zeros((count, count))
    np.add.at(counts, (given, seen), 1)
    shares: np.ndarray = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def _shown(job: Job, changed: list[tuple[np.ndarray, np.ndarray, np.ndarray]], a: int, b: int) -> str | None:
    """Picture of augmented examples of class `a` that look like `b`."""
    if job.problem.signature.kind != "image":
        return None
    found = [p[(labels == a) & (outputs.argmax(axis=1) == b)] for p, labels, outputs in changed]
    pictures = np.concatenate(found)[:SHOWN]
    classes = job.problem.signature.classes
    captions = [f"{classes[a]}, seen as {classes[b]}"] * len(pictures)
    path = grid(job.directory / "artifacts" / "augmented_labels.png", pictures, captions)
    return str(path.relative_to(job.directory))
