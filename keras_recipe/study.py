"""The trials of one problem, looked up in the journal before they are run."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from keras_recipe import checkpoint, histograms, objectives
from keras_recipe.core.config import Config, digest
from keras_recipe.core.journal import Journal
from keras_recipe.core.progress import Progress
from keras_recipe.core.records import Finding, Plan, Record, Trial
from keras_recipe.data import synthetic
from keras_recipe.models import content_of
from keras_recipe.problem import Problem

if TYPE_CHECKING:
    import keras

    from keras_recipe.learner import Learner
    from keras_recipe.training import Outcome

R = TypeVar("R", bound=Record)

FINAL_SHARE, FINAL_SECONDS = 0.05, 7.0
"""Part of the budget that is kept back for the final evaluation and the export, and the least of it: the new process
that proves the exported file takes five seconds to import TensorFlow."""


class Listener(Protocol):
    """Whoever is told of trials while they go on."""

    def record(self, record: Record) -> None:
        """A record was written."""

    def trying(self, move: str) -> None:
        """The trials that follow are for this move; "" for none."""

    def progress(self, progress: Progress) -> None:
        """A trial, or another work, moved on."""


@dataclass(frozen=True, eq=False)
class Study:
    """A problem, what is recorded of it, and the means to record more.

    Attributes:
        problem: the data and the objective.
        learner: trains configs of it.
        journal: what is known.
        directory: the run directory.
        seed: of the run; trial seeds follow from it.
        budget: seconds for the whole run, those of earlier processes included.
        executor: runs trials, `workers` at a time; None runs them here, one after the other.
        listener: is told of every record, and of progress.
        callbacks: makes Keras callbacks for one trial.
        generator: spec of the user's generator of simulated examples, "" where there is none.
    """

    problem: Problem
    learner: Learner
    journal: Journal
    directory: Path
    seed: int
    budget: float
    executor: Executor | None
    listener: Listener
    workers: int = 1
    callbacks: Callable[[], list[keras.callbacks.Callback]] = field(default=list)
    generator: str = ""

    @property
    def remaining(self) -> float:
        """Seconds left for trials: what the final evaluation needs is kept back."""
        return self.budget - max(self.budget * FINAL_SHARE, FINAL_SECONDS) - self.journal.elapsed

    def seeds(self, count: int) -> list[int]:
        """The first `count` trial seeds of this run."""
        return [self.seed * 1000 + i for i in range(count)]

    def memo(self, kind: type[R], key: str, compute: Callable[[], R]) -> R:
        """The journal's record of this key, or else what `compute` returns, once it is recorded. This is resume."""
        known = self.journal.get(kind, key)
        if known is not None:
            return known
        made = compute()
        self.journal.append(made)
        self.listener.record(made)
        return made

    def trials(
        self, stage: str, wanted: Sequence[tuple[Config, int]], kept: float = 0.0, *, whole: bool = False
    ) -> list[Trial]:
        """Results of (config, seed) pairs, in that order; only those that are not recorded yet are run.

        Args:
            stage: for the record.
            wanted: the pairs.
            kept: seconds of the budget that are for what comes later.
            whole: record no trial that the budget cuts short: it goes on from its checkpoint where there is more time.

        Raises:
            TimeoutError: the budget ends before a trial has done its first epoch or, of a `whole` one, its last. What
                was done is recorded.
        """
        deadline = time.monotonic() + self.remaining - kept
        running: dict[str, Future[Outcome]] = {}
        keys = [self.key(config, seed) for config, seed in wanted]
        for key, (config, seed) in zip(keys, wanted, strict=True):
            if self.executor and self.journal.get(Trial, key) is None and key not in running:
                running[key] = self.executor.submit(self._run, stage, key, config, seed, deadline)

        def result(key: str, config: Config, seed: int) -> Trial:
            future = running.get(key)
            outcome = future.result() if future else self._run(stage, key, config, seed, deadline)
            if whole and outcome.trial.stopped == "budget":
                raise TimeoutError(f"{config.model} was not trained to the end before the deadline")
            return self._keep(outcome)

        done: list[Trial] = []
        late: TimeoutError | None = None
        for key, (config, seed) in zip(keys, wanted, strict=True):
            try:
                done.append(self.memo(Trial, key, lambda k=key, c=config, s=seed: result(k, c, s)))  # type: ignore[misc]
            except TimeoutError as error:
                late = late or error
                continue
            # Not before the record is on disk. A trial that ended early is the beginning of no other.
            (checkpoint.close if done[-1].stopped == "epochs" else checkpoint.discard)(self.folder(key))
        if late:
            raise late
        return done

    def begun(
        self, stage: str, wanted: Sequence[tuple[Config, int]], part: int, kept: float = 0.0
    ) -> list[list[float]]:
        """Validation scores of the first epochs, one of `part` of all, of these trials, which `trials` will go on from:
        nothing is paid twice.

        Fewer where a trial ended by itself; none where the budget, but for `kept` seconds of it, ended before.
        """
        deadline = time.monotonic() + self.remaining - kept

        def begin(key: str, config: Config, seed: int) -> Plan:
            epochs = first_epochs(config, part)
            scores: list[float] = []
            seconds = 0.0
            with suppress(TimeoutError):
                trial = self._run(stage, key, config, seed, deadline, epochs).trial
                if trial.stopped != "budget":
                    scores, seconds = trial.history["val_score"][:epochs], trial.seconds
            what = f"{epochs} epochs of {config.model}, seed {seed}"
            return Plan(f"begun/{key}", stage, "begun", scores, what, seconds)

        running: dict[str, Future[Plan]] = {}
        keys = [self.key(config, seed) for config, seed in wanted]
        for key, (config, seed) in zip(keys, wanted, strict=True):
            known = self.journal.get(Trial, key) or self.journal.get(Plan, f"begun/{key}")
            if self.executor and known is None and key not in running:
                running[key] = self.executor.submit(begin, key, config, seed)
        found = []
        for key, (config, seed) in zip(keys, wanted, strict=True):
            trial = self.journal.get(Trial, key)
            if trial is not None:
                found.append(trial.history["val_score"][: first_epochs(config, part)])
                continue
            begins = running[key].result if key in running else partial(begin, key, config, seed)
            found.append(list(self.memo(Plan, f"begun/{key}", begins).value))
        return found

    def begun_seconds(self, config: Config, seed: int) -> float:
        """What the first epochs of a trial took, if they were trained before it."""
        plan = self.journal.get(Plan, f"begun/{self.key(config, seed)}")
        return plan.seconds if plan else 0.0

    def missing(self, wanted: Sequence[tuple[Config, int]]) -> list[tuple[Config, int]]:
        """Those of the pairs that the journal does not hold."""
        return [(c, s) for c, s in wanted if self.journal.get(Trial, self.key(c, s)) is None]

    def gains(self, trials: Sequence[Trial]) -> np.ndarray:
        """Gains of each validation example, (trials, examples), as `compare` takes them."""
        metric = objectives.METRICS[self.problem.objective.metric]
        y = self.problem.validation.y
        return np.stack([metric.gains(y, self.predictions(t)) for t in trials])

    def predictions(self, trial: Trial) -> np.ndarray:
        """What the trial predicted for the validation split."""
        return self._arrays(trial, "predictions.npz")[0]

    def weights(self, trial: Trial) -> list[np.ndarray]:
        """All variables of the trial's model, in its order."""
        return self._arrays(trial, "weights.npz")

    def forget_weights(self, trials: Sequence[Trial]) -> None:
        """Give back the disk space of weights that lost; their predictions stay."""
        for trial in trials:
            (self.folder(trial.key) / "weights.npz").unlink(missing_ok=True)
            checkpoint.discard(self.folder(trial.key))

    def discard(self, config: Config, seed: int) -> None:
        """Give back the disk space of a trial that was begun and will not go on."""
        checkpoint.discard(self.folder(self.key(config, seed)))

    def folder(self, key: str) -> Path:
        """Where a trial's arrays are."""
        return self.directory / "trials" / key

    def key(self, config: Config, seed: int) -> str:
        """Identifies a trial by its content: data, config, seed, the packages that numbers depend on.

        And the source of a user's own model builder or generator, or pretrained weights: edited ones are others.
        """
        content = [content_of(config.model), *filter(None, [synthetic.content_of(config.synthetic)])]
        return digest([self.problem.fingerprint, config.leaves(), seed, versions(), *content])

    def plan(self, stage: str, name: str, choose: Callable[[], tuple[Any, str]]) -> Plan:
        """A choice that depends on measured time: made once, then read from the journal."""

        def make() -> Plan:
            value, reason = choose()
            return Plan(key, stage, name, value, reason)

        key = f"plan/{stage}/{name}"
        return self.memo(Plan, key, make)

    def skip(self, stage: str, name: str, reason: str, expected: float | None = None, of: Config | None = None) -> None:
        """Record that something was left out, with the reason, and the gain expected of it where that is time.

        Where it was left out already, of another config, that is said again only if the reason is another.
        """
        key = f"skip/{stage}/{name}"
        before = [r for r in self.journal if isinstance(r, Plan) and r.key.startswith(f"{key}/")]
        if of is not None:
            key = f"{key}/{of.digest()}"
            if any(r.reason == reason for r in before):
                return
        record = Plan(key, stage, name, None, reason, expected=expected)
        self.memo(Plan, record.key, lambda: record)

    def _arrays(self, trial: Trial, name: str) -> list[np.ndarray]:
        """Arrays of a recorded trial; where they were forgotten or taken away, it is run again."""
        path = self.folder(trial.key) / name
        if not path.is_file():
            config = Config.from_leaves(trial.config)
            self._keep(self._run(trial.stage, trial.key, config, trial.seed, deadline=math.inf))
        return checkpoint.read_sequence(path)

    def _run(
        self, stage: str, key: str, config: Config, seed: int, deadline: float, pause: int | None = None
    ) -> Outcome:
        from keras_recipe.training import run_trial

        leaves = config.leaves()
        return run_trial(
            self.learner,
            config,
            seed,
            key=key,
            stage=stage,
            directory=self.folder(key),
            before=self._before(config, seed),
            deadline=deadline,
            progress=lambda epoch, epochs, values: self.listener.progress(
                Progress(stage, f"seed {seed}", epoch, epochs, values, leaves)
            ),
            callbacks=self.callbacks(),
            elapsed=lambda: self.journal.elapsed,
            pause=pause,
        )

    def _before(self, config: Config, seed: int) -> Path | None:
        """Folder of the trial that is the beginning of this one."""
        shorter = config.replace(schedule="")
        return self.folder(self.key(shorter, seed)) if config.begins_with(shorter) else None

    def _keep(self, outcome: Outcome) -> Trial:
        folder = self.folder(outcome.trial.key)
        checkpoint.write_sequence(folder / "predictions.npz", [outcome.predictions])
        checkpoint.write_sequence(folder / "weights.npz", outcome.weights)
        histograms.write(folder, outcome.watched, outcome.histograms)
        return outcome.trial


def first_epochs(config: Config, part: int) -> int:
    """One of so many parts of a config's epochs, one epoch at least."""
    return max(1, config.epochs // part)


def unrecorded_seconds(directory: Path, journal: Journal) -> float:
    """Time that earlier processes spent after the last record, as far as a checkpoint knows of it."""
    checkpoints = map(checkpoint.elapsed, (directory / "trials").glob("*"))
    return max(0.0, max(checkpoints, default=0.0) - journal.elapsed)


def rounds(study: Study, pairs: Sequence[tuple[Config, int]]) -> int:
    """How often `workers` trials at a time are run until those of the pairs that are missing are done."""
    return -(-len(study.missing(pairs)) // study.workers)


@cache
def versions() -> dict[str, str]:
    """Python and the packages that numbers depend on."""
    found = {"python": platform.python_version()}
    for package in ("keras", "tensorflow", "keras-cv", "keras-hub", "numpy", "scikit-learn", "keras-recipe"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def errors(findings: Sequence[Finding]) -> list[Finding]:
    """Those that stop the recipe."""
    return [f for f in findings if f.severity == "error"]
