"""Become one with the data: stage `inspect` alone, without a model and without TensorFlow."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_recipe.checks import CHECKS, run_check
from keras_recipe.core import journal as journals
from keras_recipe.core.config import digest
from keras_recipe.core.errors import RecipeError
from keras_recipe.core.journal import FILE, Journal
from keras_recipe.core.progress import Progress
from keras_recipe.core.records import SUSPECTS, CheckRun, CheckRuns, Record, Run
from keras_recipe.directory import made, start_over, unwritable
from keras_recipe.job import Job
from keras_recipe.problem import Problem
from keras_recipe.study import versions
from keras_recipe.watch import Observer, Silent, write_views


def inspect(
    problem: Problem,
    directory: str | Path,
    seed: int = 0,
    observer: Observer | None = None,
    edits: str | Path | None = None,
) -> CheckRuns:
    """Run all checks of the data, in a directory of their own.

    Leaves a journal, report.html, TensorBoard logs and suspects.csv in the directory, which is emptied of an earlier
    look; what the user has written into suspects.csv stays. The data may have changed: every check is run again.

    Args:
        problem: what `load` returned, best with `tolerant=True`.
        directory: made where it is missing.
        seed: of whatever is drawn.
        observer: is told of every record and of progress.
        edits: the suspects.csv that was given to `load`: what the user has decided there is taken over.

    Raises:
        RecipeError: the directory cannot be written, or holds a run of `train`, a look at other data, or files of
            somebody else.

    Returns:
        Each check with its findings, in their order.
    """
    directory = made(Path(directory))
    _check_only_looked_at(directory, problem.name)
    start_over(directory)
    if edits is not None and not (directory / SUSPECTS).exists():
        shutil.copyfile(edits, directory / SUSPECTS)
    watching, journal = observer or Silent(), Journal(directory)

    def fresh(seed: int) -> Any:
        raise ValueError(f"a check of the data asked for a model (seed {seed})")

    def progress(what: str, done: int, total: int) -> None:
        watching.progress(Progress("inspect", what, done, total))

    job = Job(problem, directory, fresh, batch_size=1, seed=seed, progress=progress)
    runs = []
    try:
        settings = {"only": "inspect"}
        header = Run(
            f"run/{digest([problem.fingerprint, seed, settings])}",
            problem.fingerprint,
            problem.summary(),
            problem.objective,
            seed,
            0.0,
            versions(),
            settings,
        )
        for record in itertools.chain([header], _looks(job)):
            journal.append(record)
            watching.record(record)
            runs.append(record)
        write_views(directory)
    except OSError as error:
        raise unwritable(directory, error) from error
    finally:
        watching.close()
        journal.close()
    return CheckRuns(r for r in runs if isinstance(r, CheckRun))


def _looks(job: Job) -> Iterator[Record]:
    for name in CHECKS.of_stage("inspect"):
        yield run_check(name, job, "inspect", f"check/inspect/{name}")


def _check_only_looked_at(directory: Path, name: str) -> None:
    """Raise RecipeError for the directory of a run, which may hold a model, and for that of a look at other data."""
    if not (directory / FILE).is_file() or not (records := journals.read(directory)):
        return
    run = journals.run_of(records)
    holds = f"a look at {run.problem.get('name')}" if "only" in run.settings else "a run of `train`"
    if holds != f"a look at {name}":
        raise RecipeError(
            f"a directory that is new, or holds an earlier look at {name}",
            f"{directory}, which holds {holds}",
            "give another directory with --out",
        )
