"""Become one with the data: counts, ranges, and examples to look at."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keras_recipe.checks import check
from keras_recipe.checks.columns import frame_of
from keras_recipe.checks.pictures import histogram
from keras_recipe.core.records import Finding, Suspect, Table
from keras_recipe.core.wording import plural
from keras_recipe.job import Job
from keras_recipe.pictures import CELL, grid
from keras_recipe.problem import Problem, Split, buffer_rows
from keras_recipe.survey import look
from keras_recipe.texts import SHOWN

RARE = 10
"""A class this many times rarer than the most frequent one is worth a warning (He & Garcia, 2009, call 10:1 and
above between-class imbalance of practical concern)."""

MOST_CLASSES = 60
"""Classes that are counted in the table, the most frequent first."""

PER_CLASS, CLASSES = 8, 12
"""Examples a class, and classes, in the grid: what fits on a screen."""


@check("inspect", order=10)
def reading(job: Job) -> Iterator[Finding]:
    """What was read, and what reading it has shown."""
    summary = job.problem.summary()
    sizes = ", ".join(f"{count:,} {name}" for name, count in summary["sizes"].items())
    shape = tuple(summary["shape"])
    what = f"examples of shape {shape} ({summary['dtype']})" if shape != (0,) else "examples of text"
    yield Finding("ok", "data", f"{sizes} {what}, split {summary['split_by']}", evidence=summary)
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
    ranked = np.argsort(-counts, kind="stable")
    rows = tuple((classes[c], int(counts[c]), round(float(counts[c] / counts.sum()), 4)) for c in ranked[:MOST_CLASSES])
    table = Table(("class", "examples", "share"), rows, bars="examples")
    most, least = int(ranked[0]), int(ranked[-1])
    ratio = counts[most] / max(counts[least], 1)
    measured = f"{classes[most]}: {counts[most]:,}; {classes[least]}: {counts[least]:,} ({ratio:.1f} to 1)"
    if ratio < RARE:
        yield Finding(
            "ok", "imbalance", "no class is rare", f"below {RARE} to 1", measured, evidence=evidence, table=table
        )
        return
    yield Finding(
        "warning",
        "imbalance",
        f"class {classes[least]!r} is {ratio:.0f} times rarer than {classes[most]!r}: accuracy hides its mistakes",
        f"below {RARE} to 1",
        measured,
        "judge by --metric balanced_accuracy, or collect more of the rare classes",
        evidence,
        table=table,
    )


@check("inspect", order=30)
def value_ranges(job: Job) -> Iterator[Finding]:
    """Range of the inputs: constant features and wild scales are bugs of the data."""
    if job.problem.train.folder is not None:
        yield Finding("ok", "input-scale", "values 0 to 255, as files of pictures hold them")
        return
    x, _ = job.sample(job.problem.train)
    if not x[0].size:
        return  # a table of texts
    if not (bad := _not_finite(job.problem.train)):
        yield from _range(job, x)
        return
    yield Finding(
        "error",
        "nan-data",
        f"inputs hold NaN, infinity or numbers beyond float32, in {plural(len(bad), 'example')} of the training split: "
        f"{', '.join(bad[:10])}",
        "finite numbers in every example",
        f"{plural(len(bad), 'example')} with others",
        "correct or drop them",
        suspects=tuple(Suspect("train", i, "", "", 1.0, "NaN or infinity") for i in bad[:1000]),
    )


def _not_finite(split: Split) -> list[str]:
    """Ids of examples with a value that is no number."""
    if split.x.dtype.kind != "f":
        return []
    bad: list[str] = []
    size = buffer_rows(split.x)
    for start in range(0, len(split), size):
        finite = np.isfinite(split.x[start : start + size]).reshape(min(size, len(split) - start), -1).all(axis=1)
        bad += [str(split.ids[start + int(i)]) for i in np.flatnonzero(~finite)]
    return bad


def _range(job: Job, x: np.ndarray) -> Iterator[Finding]:
    flat = x.reshape(-1, x.shape[-1]).astype("float64")
    low, high, mean, deviation = flat.min(), flat.max(), flat.mean(), flat.std()
    evidence = {"min": low, "max": high, "mean": mean, "standard deviation": deviation}
    what = "encoded inputs" if job.problem.signature.kind == "table" else "values"
    yield Finding("ok", "input-scale", f"{what} from {low:g} to {high:g}, mean {mean:.4g}", evidence=evidence)
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
        yield _some_rows(job)
        return
    rows = _some_of_each(problem, job.seed)
    names = [problem.label(problem.train.y[r]) for r in rows]
    pictures = look(problem.train, rows, CELL)
    path = grid(job.directory / "artifacts" / "examples.png", pictures, names, columns=PER_CLASS)
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


def _some_rows(job: Job) -> Finding:
    """Five rows of a table as they were read, of vectors as they are, the first twelve columns."""
    train = job.problem.train
    frame = frame_of(train)
    rows = np.sort(np.random.default_rng(job.seed).permutation(len(train))[:5])
    if frame is None:
        return Finding("info", "data", "no columns to show")
    shown = frame.iloc[rows, :12]
    cells = tuple(
        (str(train.ids[int(r)]), *(_cell(v) for v in row), job.problem.label(train.y[r]))
        for r, row in zip(rows, shown.itertuples(index=False), strict=True)
    )
    more = f", the first 12 of {frame.shape[1]:,} columns" if frame.shape[1] > 12 else ""
    table = Table(("row", *map(str, shown.columns), job.problem.signature.target or "label"), cells)
    return Finding("info", "data", f"five training examples{more}", table=table)


def _cell(value: object) -> str | float | None:
    if isinstance(value, str):
        return value[:SHOWN] or None
    number = float(value)  # type: ignore[arg-type]
    return number if np.isfinite(number) else None


def _target_range(problem: Problem) -> Finding:
    y = problem.train.y
    mean, deviation = problem.target_moments()
    evidence = {
        name: np.asarray(v).ravel().tolist()
        for name, v in (("min", y.min(0)), ("max", y.max(0)), ("mean", mean), ("standard deviation", deviation))
    }
    return Finding(
        "ok",
        "target-scale",
        f"targets from {y.min():g} to {y.max():g}, mean {mean[0]:g}",
        evidence=evidence,
        table=histogram(y[:, 0]),
    )
