"""The recipe: the stages in order, on one problem, in one run directory."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from keras_recipe.checks import CHECKS, run_check
from keras_recipe.core import journal as journals
from keras_recipe.core.config import digest
from keras_recipe.core.errors import RecipeError, nearest
from keras_recipe.core.journal import Journal
from keras_recipe.core.records import CheckRun, Evaluation, Record, Run
from keras_recipe.core.spec import Spec
from keras_recipe.job import Job
from keras_recipe.models import MODELS
from keras_recipe.moves import MOVES
from keras_recipe.problem import Problem
from keras_recipe.stages.examine import baseline, inspect
from keras_recipe.stages.final import MODEL, finish
from keras_recipe.stages.overfit import default_config, overfit
from keras_recipe.stages.regularize import regularize
from keras_recipe.study import Listener, Study, unrecorded_seconds, versions
from keras_recipe.views.report import write_report
from keras_recipe.views.tensorboard import write_tensorboard

if TYPE_CHECKING:
    import keras

DEFAULT_BUDGET = 600.0
"""Seconds: as long as people wait for a first result."""

VIEWS_EVERY = 10.0
"""Seconds between two versions of report and TensorBoard logs of a run that goes on."""

MIN_BUDGET = 10.0
"""Seconds: the checks, one short trial and the export of the smallest problem take about this long."""


@dataclass(frozen=True)
class Result:
    """What a finished run leaves behind.

    Attributes:
        directory: of the run.
        evaluation: the final record: test score, its interval, and more.
        model_path, report, tensorboard: files and folders to look at.
    """

    directory: Path
    evaluation: Evaluation

    @property
    def score(self) -> float:
        """Test score in the objective's unit."""
        return self.evaluation.score

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the test score."""
        return self.evaluation.low, self.evaluation.high

    @property
    def model_path(self) -> Path:
        """The exported model."""
        return self.directory / MODEL

    @property
    def report(self) -> Path:
        """The report."""
        return self.directory / "report.html"

    @property
    def tensorboard(self) -> Path:
        """Logs for `tensorboard --logdir`."""
        return self.directory / "tensorboard"

    @property
    def model(self) -> keras.Model:
        """The exported model, loaded: raw inputs in, probabilities or targets out."""
        from keras_recipe import exported

        return exported.load(self.model_path)[0]


class Observer(Listener, Protocol):
    """Whoever shows a run while it goes on."""

    def reused(self, count: int) -> None:
        """So many records of earlier processes are not computed again."""

    def close(self) -> None:
        """The run ends."""


class Silent:
    """An observer that shows nothing."""

    def record(self, record: Record) -> None:
        """Nothing."""

    def progress(self, stage: str, label: str, epoch: int, epochs: int, values: dict[str, float]) -> None:
        """Nothing."""

    def reused(self, count: int) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class _Watch:
    """Passes records on, and keeps report and TensorBoard logs fresh while the run goes on."""

    def __init__(self, observer: Observer, directory: Path) -> None:
        self._observer, self._directory = observer, directory
        self._written = time.monotonic()

    def progress(self, stage: str, label: str, epoch: int, epochs: int, values: dict[str, float]) -> None:
        self._observer.progress(stage, label, epoch, epochs, values)

    def record(self, record: Record) -> None:
        self._observer.record(record)
        if time.monotonic() - self._written > VIEWS_EVERY:
            write_views(self._directory)
            self._written = time.monotonic()


@dataclass(frozen=True, eq=False)
class Recipe:
    """Karpathy's recipe on one problem. Run it again, and it goes on where it was.

    Attributes:
        problem: what `keras_recipe.load` returned.
        directory: of the run; made where it is missing.
        budget: seconds for all of it, the time of earlier processes included.
        seed: of every trial, by way of `Study.seeds`.
        model: spec of the first model; None for the first rung of the problem's ladder.
        moves: names of the moves of `regularize` to try; None for all.
        workers: trials at a time; None for as many as pay on this machine.
        observer: makes, from the journal, whoever is told of every record and of progress; None for nobody.
        callbacks: makes the Keras callbacks of one trial; they may observe, not change.
        spent: seconds that reading the data took; they count.
    """

    problem: Problem
    directory: str | Path
    budget: float = DEFAULT_BUDGET
    seed: int = 0
    model: str | None = None
    moves: Sequence[str] | None = None
    workers: int | None = None
    observer: Callable[[Journal], Observer] | None = None
    callbacks: Callable[[], list[Any]] = list
    spent: float = 0.0

    def run(self) -> Result:
        """All stages, then the evaluation.

        Raises:
            RecipeError: the directory cannot be written or holds another run, the budget is too small, a name is
                unknown.
            stages.Blocked: a finding stops the recipe; the report tells which.
        """
        directory = Path(self.directory)
        try:
            with self.study() as study:
                try:
                    if study.journal.get(Evaluation, "evaluation") is None:
                        self._stages(study)
                finally:
                    write_views(directory)
                evaluation = journals.evaluation_of(list(study.journal))
        except OSError as error:
            raise unwritable(directory, error) from error
        return Result(directory, evaluation)  # type: ignore[arg-type]

    @contextmanager
    def study(self) -> Iterator[Study]:
        """The open study of this run, for whoever wants to run the stages, or trials, one by one.

        Raises RecipeError as `run` does.
        """
        # A GPU's memory is shared with the process that proves the exported file.
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        from keras_recipe.training import Learner

        self.check()
        directory = made(Path(self.directory))
        journal = Journal(directory)
        observer = self.observer(journal) if self.observer else Silent()
        learner = Learner(self.problem)
        workers = self.workers or default_workers()
        executor = ThreadPoolExecutor(workers) if workers > 1 else None
        try:
            self._begin(journal, directory, observer)
            yield Study(
                self.problem,
                learner,
                journal,
                directory,
                self.seed,
                self.budget,
                executor,
                _Watch(observer, directory),
                workers,
                self.callbacks,
            )
        except BaseException:
            learner.interrupted.set()
            raise
        finally:
            if executor:
                executor.shutdown(cancel_futures=True)
            observer.close()
            journal.close()

    def _stages(self, study: Study) -> None:
        config = default_config(self.problem, self.model)
        try:
            config = inspect(study, config)
            config = baseline(study, config)
            config = overfit(study, config)
            config = regularize(study, config, self.moves)
            finish(study, config)
        except TimeoutError as error:
            raise RecipeError(
                "a budget that holds one epoch of one model, the checks and the export",
                f"{self.budget:.0f} s, of which {study.journal.elapsed:.0f} s are used ({error})",
                "give a larger --budget, smaller pictures (--image-size) or a smaller --model; "
                "what was done so far is kept",
            ) from error

    def _begin(self, journal: Journal, directory: Path, observer: Observer) -> None:
        """Write the header of a new journal, or see that this one is of the same run."""
        journal.credit(self.spent)
        header = self._header()
        observer.record(header)
        observer.reused(len(journal))
        if not len(journal):
            _write_split(self.problem, directory)  # before the header: a run that has one is not begun again
            journal.append(header)
            return
        known = journals.run_of(list(journal))
        for name, old, new in (
            ("problem", known.fingerprint, header.fingerprint),
            ("seed", known.seed, header.seed),
            ("settings", known.settings, header.settings),
            ("versions", known.versions, header.versions),
        ):
            if old != new:
                raise RecipeError(
                    f"a directory that is new or holds a run of the same problem ({name}: {old})",
                    f"{directory}, for which {name} is now {new}",
                    "give another directory (--out), or start this one over (--fresh)",
                )
        journal.credit(unrecorded_seconds(directory, journal))
        _sweep(directory)

    def _header(self) -> Run:
        settings: dict[str, Any] = {"model": self.model, "moves": None if self.moves is None else sorted(self.moves)}
        content = [self.problem.fingerprint, self.seed, settings]
        return Run(
            key=f"run/{digest(content)}",
            fingerprint=self.problem.fingerprint,
            problem=self.problem.summary(),
            objective=self.problem.objective,
            seed=self.seed,
            budget=self.budget,
            versions=versions(),
            settings=settings,
        )

    def check(self) -> None:
        """Raise RecipeError for a name that is unknown, or a budget that cannot be enough."""
        if self.budget < MIN_BUDGET:
            raise RecipeError(
                f"a budget of at least {MIN_BUDGET:.0f} s", f"{self.budget:g} s", "give a larger --budget"
            )
        if self.model is not None:
            MODELS.check(Spec.parse(self.model))
        for name in self.moves or ():
            if name not in MOVES.of_stage("regularize"):
                raise RecipeError("the name of a move", repr(name), nearest(name, MOVES))


def examine(problem: Problem, directory: Path, seed: int = 0) -> Iterator[CheckRun]:
    """The checks of stage `inspect` alone: they look at the data, and need no model and no TensorFlow."""

    def fresh(seed: int) -> Any:
        raise ValueError(f"a check of the data asked for a model (seed {seed})")

    job = Job(problem, directory, fresh, batch_size=1, seed=seed)
    for name in CHECKS.of_stage("inspect"):
        yield run_check(name, job, "inspect", f"check/inspect/{name}")


def default_workers() -> int:
    """Two trials at a time on a machine with two cores or more and no GPU, else one.

    Small networks leave a second core idle between operations; scripts/bench_trial.py measures what two at a time
    bring. Both share one pool of threads, so that results are the same to the bit as one after the other.
    """
    import tensorflow as tf

    return 1 if tf.config.list_physical_devices("GPU") else min(2, os.cpu_count() or 1)


def made(directory: Path) -> Path:
    """The directory, which exists and can be written. Raises RecipeError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise unwritable(directory, error) from error
    return directory


def unwritable(directory: Path, error: OSError) -> RecipeError:
    """The message for a directory that cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        do = "make room on that disk and run the same command again: it goes on where it was"
    else:
        do = "give a directory that you may write to with --out"
    where = f" ({error.filename})" if error.filename else ""
    return RecipeError("a run directory that can be written", f"{directory}: {error.strerror or error}{where}", do)


def write_views(directory: Path) -> None:
    """Everything that a person looks at, from the journal."""
    write_tensorboard(directory)
    write_report(directory)


def _sweep(directory: Path) -> None:
    """Take away what killed processes have half written; nobody else writes here while the journal is open."""
    for pattern in ("trials/*/*.tmp", f".*.{MODEL}", "tensorboard/**/.draft.*"):
        for path in directory.glob(pattern):
            path.unlink(missing_ok=True)


def _write_split(problem: Problem, directory: Path) -> None:
    """Which example is in which split, as a table that outlives the run."""
    with (directory / "split.csv").open("w", encoding="utf-8") as file:
        file.write("split,example\n")
        for name in ("train", "validation", "test"):
            for example in getattr(problem, name).ids:
                file.write(f'{name},"{str(example).replace(chr(34), chr(34) * 2)}"\n')
