"""Become one with the data: counts, ranges, and examples to look at."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keras_recipe.checks import check
from keras_recipe.core.records import Finding
from keras_recipe.job import Job
from keras_recipe.pictures import grid
from keras_recipe.problem import Problem

RARE = 10
"""A class this many times rarer than the most frequent one is worth a warning (He & Garcia, 2009, call 10:1 and
above between-class imbalance of practical concern)."""

PER_CLASS, CLASSES = 8, 12
"""Examples a class, and classes, in the grid: what fits on a screen."""


@check("inspect", order=10)
def reading(job: Job) -> Iterator[Finding]:
    """What was read, and what reading it has shown."""
    summary = job.problem.summary()
    sizes = ", ".join(f"{count:,} {name}" for name, count in summary["sizes"].items())
    yield Finding(
        "ok",
        "data",
        f"{sizes} examples of shape {tuple(summary['shape'])} ({summary['dtype']}), split {summary['split_by']}",
        evidence=summary,
    )
    yield from job.problem.findings


@check("inspect", order=20)
def label_balance(job: Job) -> Iterator[Finding]:
    """Count the labels: a rare class is learnt last and measured worst."""
    if job.problem.signature.task == "regression":
        yield _target_range(job.problem)
        return
    classes = job.problem.signature.classes
    counts = np.bincount(job.problem.train.y, minlength=len(classes))
    evidence = {"counts": {name: int(count) for name, count in zip(classes, counts, strict=True)}}
    most, least = int(counts.argmax()), int(counts.argmin())
    ratio = counts[most] / max(counts[least], 1)
    measured = f"{classes[most]}: {counts[most]:,}; {classes[least]}: {counts[least]:,} ({ratio:.1f} to 1)"
    if ratio < RARE:
        yield Finding("ok", "imbalance", "no class is rare", f"below {RARE} to 1", measured, evidence=evidence)
        return
    yield Finding(
        "warning",
        "imbalance",
        f"class {classes[least]!r} is {ratio:.0f} times rarer than {classes[most]!r}: accuracy hides its mistakes",
        f"below {RARE} to 1",
        measured,
        "judge by --metric balanced_accuracy, or collect more of the rare classes",
        evidence,
    )


@check("inspect", order=30)
def value_ranges(job: Job) -> Iterator[Finding]:
    """Range of the inputs: constant features and wild scales are bugs of the data."""
    x, _ = job.sample(job.problem.train)
    flat = x.reshape(-1, x.shape[-1]).astype("float64")
    low, high, mean, deviation = flat.min(), flat.max(), flat.mean(), flat.std()
    evidence = {"min": low, "max": high, "mean": mean, "standard deviation": deviation}
    if not np.isfinite(flat).all():
        yield Finding(
            "error", "nan-data", "inputs hold NaN or infinity", "finite numbers", "NaN or Inf", "clean the data"
        )
        return
    yield Finding("ok", "input-scale", f"values {low:g} to {high:g}, mean {mean:.4g}", evidence=evidence)
    if job.problem.signature.kind == "image":
        constant = int((x.reshape(len(x), -1).std(axis=0) == 0).sum())
        yield Finding("info", "data", f"{constant:,} of {x[0].size:,} pixel values are the same in every example")
        return
    if job.problem.signature.kind == "table":
        return  # its columns were looked at before they were encoded
    names = np.flatnonzero(flat.std(axis=0) == 0).tolist()
    if names:
        yield Finding(
            "warning",
            "data",
            f"{len(names)} of {flat.shape[1]} features are constant in the training split",
            "features that vary",
            f"constant: {names[:10]}",
            "leave them out",
        )


@check("inspect", order=40)
def examples(job: Job) -> Iterator[Finding]:
    """Look at examples of every class, drawn at random from the training split."""
    problem = job.problem
    if problem.signature.kind != "image":
        yield _first_rows(job)
        return
    rows = _some_of_each(problem, job.seed)
    labels = [problem.train.y[r] for r in rows]
    names = [problem.signature.classes[int(y)] if problem.signature.classes else f"{float(y[0]):g}" for y in labels]
    path = grid(job.directory / "artifacts" / "examples.png", problem.train.x[rows], names, columns=PER_CLASS)
    yield Finding(
        "info",
        "data",
        f"{len(rows)} examples, up to {PER_CLASS} of each class",
        hint="is each label what you would have said?",
        artifact=str(path.relative_to(job.directory)),
    )


def _some_of_each(problem: Problem, seed: int) -> np.ndarray:
    order = np.random.default_rng(seed).permutation(len(problem.train))
    if not problem.signature.classes:
        return order[: 3 * PER_CLASS]
    labels = problem.train.y[order]
    return np.concatenate([order[labels == c][:PER_CLASS] for c in range(min(CLASSES, len(problem.signature.classes)))])


def _first_rows(job: Job) -> Finding:
    x, y = job.sample(job.problem.train, 5)
    rows = [
        f"{np.array2string(a.ravel()[:8], precision=3, suppress_small=True)} -> {np.array2string(b, precision=4)}"
        for a, b in zip(x, np.asarray(y), strict=True)
    ]
    return Finding(
        "info", "data", "five examples as the model receives them (first eight values)", evidence={"rows": rows}
    )


def _target_range(problem: Problem) -> Finding:
    y = problem.train.y
    mean, deviation = problem.target_moments()
    evidence = {
        name: np.asarray(v).ravel().tolist()
        for name, v in (("min", y.min(0)), ("max", y.max(0)), ("mean", mean), ("standard deviation", deviation))
    }
    return Finding(
        "ok", "target-scale", f"targets from {y.min():g} to {y.max():g}, mean {mean[0]:g}", evidence=evidence
    )
