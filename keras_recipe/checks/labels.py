"""Become one with the data: labels that disagree with what a cheap model predicts for examples it has not seen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keras_recipe import cheap
from keras_recipe.checks import check
from keras_recipe.core.records import Finding, Suspect, Table
from keras_recipe.job import Job
from keras_recipe.pictures import CELL, grid
from keras_recipe.survey import look
from keras_recipe.texts import with_contents

CONFIDENT = 0.9
"""p(likely) / (p(likely) + p(given)) from which a model strongly disagrees. With 5 % of the labels exchanged, 93 % of
those above it were wrong on fashion_mnist, 95 % on photos of flowers, 82 % on adult, all on digits; where no label was
exchanged, hardly any is, and few are above it (WORRYING)."""

SKILLED, ENOUGH = 0.9, 0.75
"""Share of unseen labels that a model gets right from which less confidence is enough, and how much: on digits, with
.97, each of 67 suspects was wrong; noise at the border of two classes has .7."""

KNOWS = 0.25
"""Part of the way from the commonest class to all labels that a model must go for its word to count: on adult it goes
.35, on photos of flowers .5, on fashion_mnist .8."""

WORRYING = 0.01
"""Share of labels that a model strongly disagrees with from which wrong ones cost more than most changes of a model
bring. Untouched data have .003 (photos of flowers) to .007 (adult), with 5 % exchanged .007 to .05."""

MOST, SHOWN, PICTURES = 5000, 30, 24
"""Suspects that are recorded, in the table, and in the picture."""

FAR = 6.0
"""Errors of a regression, in robust standard deviations, from which a target is suspected."""


@check("inspect", order=60)
def label_errors(job: Job) -> Iterator[Finding]:
    """Rank the labels that a cheap model, fitted on other examples, would not have given (Northcutt et al., 2021)."""
    data = job.features
    if not len(data):
        return
    regression = job.problem.signature.task == "regression"
    job.progress("looking for wrong labels", 0, 1)
    rows, predicted = cheap.out_of_fold(data.values, data.y, regression=regression, seed=job.seed, words=data.words)
    job.progress("looking for wrong labels", 1, 1)
    if not len(rows):
        yield Finding("info", "labels", f"too few examples of each class (fewer than {cheap.FOLDS})")
        return
    found = _targets(job, data, predicted) if regression else _classes(job, data, rows, predicted)
    yield from found
    if data.sampled:
        yield Finding("info", "labels", f"{len(data):,} examples, drawn at random, were judged")


def quality(y: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """How well each label fits, 0 (wrong) to 1, (rows,): the probability that the model gives it."""
    from cleanlab.rank import get_label_quality_scores

    return np.asarray(get_label_quality_scores(y, probabilities, method="self_confidence"))


def _classes(job: Job, data: cheap.Features, rows: np.ndarray, predicted: np.ndarray) -> Iterator[Finding]:
    from cleanlab.filter import find_label_issues

    y = data.y[rows]
    known = np.unique(y)
    if len(known) < 2:
        yield Finding("info", "labels", "one class only is left to judge")
        return
    compact = np.searchsorted(known, y)  # cleanlab takes classes without gaps
    probabilities = predicted[:, known] / predicted[:, known].sum(axis=1, keepdims=True)
    right = float((probabilities.argmax(axis=1) == compact).mean())
    majority = float(np.bincount(compact).max() / len(compact))
    if right - majority < KNOWS * (1 - majority):
        message = f"a cheap model gets {right:.1%} right on unseen examples, the commonest class {majority:.1%}"
        yield Finding(
            "info", "labels", f"{message}: it knows too little to judge labels", evidence={"judged": len(rows)}
        )
        return
    issues = find_label_issues(compact, probabilities, filter_by="both", n_jobs=1)
    order = np.flatnonzero(issues)[np.argsort(quality(compact, probabilities)[issues], kind="stable")]
    given = probabilities[order, compact[order]]
    likely = probabilities[order].argmax(axis=1)
    best = probabilities[order, likely]
    confidence = best / np.maximum(best + given, 1e-9)
    ranking = np.argsort(-confidence, kind="stable")
    suspects = tuple(
        _suspect(job, data, rows[order[k]], job.problem.label(known[likely[k]]), float(confidence[k]), right)
        for k in ranking[:MOST]
    )
    ranked = rows[order[ranking]]
    threshold = CONFIDENT if right < SKILLED else ENOUGH
    sure = int((confidence >= threshold).sum())
    share = sure / len(rows)
    worrying = share > WORRYING and sure > 2
    measured = f"{sure:,} ({share:.2%}) with a confidence of {threshold:g} or more; {len(order):,} in all"
    evidence = {"suspected": len(order), "confident": sure, "out of fold accuracy": right, "judged": len(rows)}
    expected = f"at most {WORRYING:.0%} that a model strongly disagrees with"
    if not suspects:
        yield Finding("ok", "labels", "no label looks wrong", expected, measured, evidence=evidence)
        return
    yield Finding(
        "warning" if worrying else "info",
        "labels",
        f"{'many labels look wrong' if worrying else 'some labels are worth a look'}: "
        f"a model that gets {right:.1%} right on unseen examples disagrees with {len(order):,} of {len(rows):,}, "
        f"strongly with {sure:,}",
        expected,
        measured,
        "look at the first ones; write fix, drop or keep into suspects.csv and run again with --apply",
        evidence,
        _picture(job, data, ranked[:PICTURES], suspects),
        _table(job, data, ranked, suspects),
        suspects,
    )


def _targets(job: Job, data: cheap.Features, predicted: np.ndarray) -> Iterator[Finding]:
    error = np.abs(data.y - predicted).mean(axis=1)
    scale = 1.4826 * float(np.median(error))  # of a normal distribution, the standard deviation
    far = error / scale if scale > 0 else np.zeros(len(error))
    order = np.argsort(-far, kind="stable")
    order = order[far[order] > FAR]
    measured = f"{len(order):,} targets more than {FAR:g} deviations from the prediction"
    evidence = {"suspected": len(order), "judged": len(error), "robust deviation": scale}
    if not len(order):
        yield Finding("ok", "labels", "no target looks wrong", "", measured, evidence=evidence)
        return
    suspects = tuple(
        Suspect(
            *_example(job, data, k),
            job.problem.label(data.y[k]),
            job.problem.label(predicted[k]),
            round(float(1 - FAR / (2 * far[k])), 4),
            "the target is far from what similar examples have",
        )
        for k in order[:MOST]
    )
    yield Finding(
        "info",
        "labels",
        f"{len(order):,} targets are far from what a model predicts for them, fitted on other examples",
        "",
        measured,
        "look at the first ones: units, typing errors, or merely rare",
        evidence,
        _picture(job, data, order[:PICTURES], suspects),
        _table(job, data, order, suspects),
        suspects,
    )


def _suspect(job: Job, data: cheap.Features, index: int, likely: str, confidence: float, right: float) -> Suspect:
    reason = f"a model that is right for {right:.0%} of unseen examples disagrees"
    return Suspect(*_example(job, data, index), job.problem.label(data.y[index]), likely, round(confidence, 4), reason)


def _example(job: Job, data: cheap.Features, index: int) -> tuple[str, str]:
    split, row = data.place(index)
    return split, str(getattr(job.problem, split).ids[row])


def _table(job: Job, data: cheap.Features, indices: np.ndarray, suspects: tuple[Suspect, ...]) -> Table:
    rows = tuple((s.example, s.split, s.given, s.likely, s.confidence) for s in suspects[:SHOWN])
    table = Table(("example", "split", "given", "likely", "confidence"), rows)
    return with_contents(table, job.problem, [data.place(i) for i in indices[: len(rows)]])


def _picture(job: Job, data: cheap.Features, indices: np.ndarray, suspects: tuple[Suspect, ...]) -> str | None:
    if job.problem.signature.kind != "image":
        return None
    splits = [job.problem.validation if data.split[i] else job.problem.train for i in indices]
    pictures = [look(s, data.row[[i]], CELL)[0] for s, i in zip(splits, indices, strict=True)]
    captions = [f"{s.given}, {s.likely}?" for s in suspects[: len(pictures)]]
    path = grid(job.directory / "artifacts" / "label_errors.png", np.stack(pictures), captions)
    return str(path.relative_to(job.directory))
