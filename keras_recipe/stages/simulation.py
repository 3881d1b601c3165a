"""Simulated examples are made, and shown, before anything is trained on them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from keras_recipe.core.config import digest
from keras_recipe.core.errors import RecipeError
from keras_recipe.core.progress import Progress
from keras_recipe.core.records import CheckRun, Finding, Table
from keras_recipe.data import synthetic
from keras_recipe.pictures import grid
from keras_recipe.problem import Problem, Split
from keras_recipe.study import Study

SHOWN = 32
"""Simulated examples in the picture, each below a real one of the same class."""

COLUMNS = 20
"""Features in the table of those that are no pictures."""


def making_seconds(study: Study, stage: str, text: str) -> float:
    """Seconds that the examples of this generator will take, 0 where they are there: measured, once for all shares."""
    if study.learner.simulated_at_hand(text):
        return 0.0
    generator = synthetic.generator_of(text)

    def choose() -> tuple[float, str]:
        try:
            seconds, how = synthetic.seconds_of(study.problem, text)
        except RecipeError as error:
            return 0.0, f"it failed: {error.received}"  # and will be skipped, with the reason, where it is used
        return round(seconds, 2), how

    seconds: float = study.plan(stage, f"seconds of making the examples of {generator}", choose).value
    return seconds


def made(study: Study, stage: str, text: str, seconds: float) -> str:
    """Make the examples of a generator, and record what they look like.

    Args:
        study: whose learner keeps them.
        stage: that needs them.
        text: spec of the generator.
        seconds: after which it is given up, where the generator can be stopped.

    Returns:
        why there are none, "" where they are there.
    """
    generator, deadline = synthetic.generator_of(text), time.monotonic() + seconds

    def told(done: int, total: int) -> None:
        if time.monotonic() > deadline:
            raise TimeoutError
        study.listener.progress(Progress(stage, f"simulating by {generator}", done, total))

    def look() -> CheckRun:
        began = time.monotonic()
        pool = study.learner.simulated(text, told)
        took = time.monotonic() - began
        findings = (_shown(study.problem, study.directory, str(generator), pool, took),)
        description = f"Look at the examples that {generator.name} makes, before anything is trained on them."
        return CheckRun(key, stage, "simulated_examples", description, findings, time.monotonic() - began)

    key = f"check/{stage}/simulated/{generator}"
    try:
        study.memo(CheckRun, key, look)
    except TimeoutError:
        return "the budget ended while its examples were made"
    except RecipeError as error:
        return f"its examples could not be used: expected {error.expected}, received {error.received}"
    return ""


def _shown(problem: Problem, directory: Path, generator: str, pool: Split, seconds: float) -> Finding:
    classes = problem.signature.classes
    evidence: dict[str, object] = {"examples": len(pool), "seconds": round(seconds, 2)}
    if classes:
        counts = np.bincount(pool.y, minlength=len(classes))
        evidence["counts"] = {name: int(n) for name, n in zip(classes, counts, strict=True)}
    picture, table = None, None
    if problem.signature.kind == "image":
        name = "".join(c if c.isalnum() else "_" for c in generator)[:40]
        path = directory / "artifacts" / f"simulated_{name}_{digest(generator)[:6]}.png"
        picture = str(_pairs(path, problem, pool).relative_to(directory))
    else:
        table = _compared(problem, pool)
    return Finding(
        "info",
        "synthetic",
        f"{len(pool):,} simulated examples by {generator}, from the training split alone",
        "examples that a person would take for real ones of their class",
        f"made in {seconds:.1f} s; real examples above, simulated ones below"
        if picture
        else f"made in {seconds:.1f} s",
        "look whether the labels are right; the trials decide whether they help",
        evidence,
        picture,
        table,
    )


def _pairs(path: Path, problem: Problem, pool: Split) -> Path:
    """A picture of real examples in every odd row, and a simulated one of the same class below each."""
    count = min(SHOWN, len(pool))
    drawn = np.random.default_rng(0).permutation(len(pool))[:count]
    if problem.signature.classes:
        drawn = drawn[np.argsort(pool.y[drawn], kind="stable")]
        real = np.array([_like(problem, int(y), i) for i, y in enumerate(pool.y[drawn])])
    else:
        real = np.random.default_rng(1).permutation(len(problem.train))[:count]
        drawn = drawn[: len(real)]
    rows = list(_rows(problem, pool, real, drawn))
    pictures, captions = np.concatenate([p for p, _ in rows]), [c for _, names in rows for c in names]
    return grid(path, pictures, captions)


def _like(problem: Problem, label: int, number: int) -> int:
    """Row of a real training example of this class, another for each number; of any class where it has none."""
    rows = np.flatnonzero(problem.train.y == label)
    return int(rows[number % len(rows)]) if len(rows) else number % len(problem.train)


def _rows(
    problem: Problem, pool: Split, real: np.ndarray, drawn: np.ndarray, columns: int = 8
) -> Iterator[tuple[np.ndarray, Sequence[str]]]:
    for start in range(0, len(drawn) // columns * columns or len(drawn), columns):
        part = slice(start, start + columns)
        for split, rows, end in ((problem.train, real[part], ""), (pool, drawn[part], " (simulated)")):
            yield np.asarray(split.x[rows]), [f"{problem.label(y)}{end}" for y in split.y[rows]]


def _compared(problem: Problem, pool: Split) -> Table:
    """Mean and deviation of the first features, real and simulated."""
    from keras_recipe.models.heads import input_sample

    real, made = input_sample(problem), np.asarray(pool.x)
    rows: list[tuple[str | float | int | None, ...]] = []
    for i in range(min(COLUMNS, real.shape[1])):
        figures = (f(x[:, i]) for f in (np.mean, np.std) for x in (real, made))
        rows.append((str(i), *(round(float(v), 4) for v in figures)))
    return Table(("feature", "mean, real", "simulated", "deviation, real", "simulated "), tuple(rows))
