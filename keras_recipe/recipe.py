"""The recipe: the stages in order, on one problem, in one run directory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipe import checkpoint
from keras_recipe.core import journal as journals
from keras_recipe.core.config import Config, digest
from keras_recipe.core.duration import duration
from keras_recipe.core.errors import RecipeError, nearest
from keras_recipe.core.journal import Journal
from keras_recipe.core.records import Evaluation, Run
from keras_recipe.core.shown import shown
from keras_recipe.core.spec import Spec
from keras_recipe.data import synthetic
from keras_recipe.directory import MODEL, SIMULATED, made, sweep, unwritable, write_split
from keras_recipe.models import MODELS, content_of, weights
from keras_recipe.moves import MOVES
from keras_recipe.problem import Problem
from keras_recipe.stages.examine import baseline, inspect, look_again
from keras_recipe.stages.final import finish, keep, prove_export
from keras_recipe.stages.more_data import LEARNING_CURVE, tell_of_more
from keras_recipe.stages.overfit import default_config, first_model, overfit
from keras_recipe.stages.regularize import grow, regularize
from keras_recipe.stages.signals import check_signals, signals
from keras_recipe.stages.squeeze import ENSEMBLE, ensemble, squeeze
from keras_recipe.study import Study, unrecorded_seconds, versions
from keras_recipe.watch import UNWRITABLE, Observer, Silent, Watch, refresh

if TYPE_CHECKING:
    import keras

DEFAULT_BUDGET = 600.0
"""Seconds: as long as people wait for a first result."""

MORE = "more data"
"""Name of the setting that identifies the examples that were added."""

MIN_BUDGET = 20.0
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

    def _repr_html_(self) -> str:
        return shown("result", self.directory)

    @property
    def model(self) -> keras.Model:
        """The exported model, loaded: raw inputs in, probabilities or targets out."""
        from keras_recipe import exported

        return exported.load(self.model_path)[0]


@dataclass(frozen=True, eq=False)
class Recipe:
    """Karpathy's recipe on one problem. Run it again, and it goes on where it was.

    A finished run of a problem goes on from its accepted config where the problem has more data than before
    (`load(..., more=...)`); its budget is then counted from there.

    Attributes:
        problem: what `keras_recipe.load` returned.
        directory: of the run; made where it is missing.
        budget: for all of it, the time of earlier processes included: seconds, or text such as "30m".
        seed: of every trial, by way of `Study.seeds`.
        model: spec of the first model; None for what `suggest_model` says.
        signals: groups of features to add one by one after `overfit`, {name: [columns]}, in this order; None for groups
            by rank, {} for none.
        expect: gain that you expect of a signal, by its name, in the metric's unit; of the others trees are asked.
        moves: names of the moves of `regularize` and `squeeze` to try, "learning_curve" and "ensemble" among them; or
            names with a minus before them ("-flip_picture") for all but those; None for all.
        workers: trials at a time; None for as many as pay on this machine.
        observer: makes, from the journal, whoever is told of every record and of progress; None for nobody.
        callbacks: makes the Keras callbacks of one trial; they may observe, not change.
        spent: seconds that reading the data took; they count.
        synthetic: spec of a generator of simulated examples, `"package.module:function(size=8)"`, for the move
            `simulated_examples`; see `keras_recipe.data.synthetic`. A few examples are made before the run begins.
        command: that began it, for the report; "" where it was no command.
    """

    problem: Problem
    directory: str | Path
    budget: float | str = DEFAULT_BUDGET
    seed: int = 0
    model: str | None = None
    moves: Sequence[str] | None = None
    workers: int | None = None
    observer: Callable[[Journal], Observer] | None = None
    callbacks: Callable[[], list[Any]] = list
    spent: float = 0.0
    signals: Mapping[str, Sequence[str]] | None = None
    expect: Mapping[str, float] | None = None
    synthetic: str | None = None
    command: str = ""

    @property
    def seconds(self) -> float:
        """The budget in seconds. Raises RecipeError."""
        return duration(self.budget) if isinstance(self.budget, str) else float(self.budget)

    @property
    def chosen(self) -> list[str] | None:
        """Names of the moves to try; None for all. Raises RecipeError."""
        if self.moves is None:
            return None
        known = [*MOVES, LEARNING_CURVE, ENSEMBLE]
        for name in self.moves:
            if name.removeprefix("-") not in known:
                raise RecipeError("the name of a move", repr(name), nearest(name.removeprefix("-"), known))
        left_out = [name[1:] for name in self.moves if name.startswith("-")]
        if not left_out:
            return list(self.moves)
        if len(left_out) < len(self.moves):
            raise RecipeError(
                "names of the moves to try, or names of those to leave out, each with a minus before it",
                f"both, {', '.join(self.moves)}",
                "give one kind of them",
            )
        return [name for name in known if name not in left_out]

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
                    if journals.evaluation_of(list(study.journal)) is None:
                        self._stages(study)
                finally:
                    refresh(directory)
                evaluation = journals.evaluation_of(list(study.journal))
        except OSError as error:
            if error.errno not in UNWRITABLE:
                raise
            raise unwritable(directory, error) from error
        return Result(directory, evaluation)  # type: ignore[arg-type]

    @contextmanager
    def study(self) -> Iterator[Study]:
        """The open study of this run, for whoever wants to run the stages, or trials, one by one.

        Raises RecipeError as `run` does.
        """
        # A GPU's memory is shared with the process that proves the exported file.
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        from keras_recipe.learner import Learner

        self.check()
        share_cores()
        directory = made(Path(self.directory))
        journal = Journal(directory)
        observer = self.observer(journal) if self.observer else Silent()
        learner = Learner(self.problem, directory=directory / SIMULATED)
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
                self.seconds,
                executor,
                Watch(observer, directory),
                workers,
                self.callbacks,
                self.synthetic or "",
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
        before = journals.evaluation_before(list(study.journal))
        try:
            if before is not None:
                tell_of_more(study)
                config = Config.from_leaves(before.config)
                grown = grow(study, config)
                if grown == config:
                    keep(study, before)
                    return
                config = grown
            else:
                config = default_config(self.problem, self.model or first_model(study))
                config = inspect(study, config)
                prove_export(study, config)
                config = baseline(study, config)
                config = overfit(study, config)
                config = signals(study, config, self.signals, self.expect)
            config = regularize(study, config, self.chosen)
            look_again(study, config)
            config = squeeze(study, config, self.chosen)
            finish(study, ensemble(study, config, self.chosen))
        except TimeoutError as error:
            raise RecipeError(
                "a budget that holds one epoch of one model, the checks and the export",
                f"{self.seconds:.0f} s, of which {study.journal.elapsed:.0f} s are used ({error})",
                "give a larger --budget, smaller pictures (--image-size) or a smaller --model; "
                "what was done so far is kept",
            ) from error

    def _begin(self, journal: Journal, directory: Path, observer: Observer) -> None:
        """Write the header of a new journal, or see that this one is of the same run."""
        journal.credit(self.spent)
        header = self._header()
        if not len(journal):
            write_split(self.problem, directory)  # before the header: a run that has one is not begun again
            journal.append(header)
            observer.record(header)
            return
        records = list(journal)
        known = journals.run_of(records)
        old_data, new_data = (run.settings.get(MORE) for run in (known, header))
        for name, old, new in (
            ("name", known.problem["name"], header.problem["name"]),
            ("data, split or objective", known.fingerprint, header.fingerprint),
            ("seed", known.seed, header.seed),
            ("settings", known.settings | {MORE: None}, header.settings | {MORE: None}),
            ("versions", known.versions, header.versions),
        ):
            if old != new:
                raise RecipeError(
                    f"a directory that is new or holds a run of the same problem ({name}: {old})",
                    f"{directory}, for which {name} is now {new}",
                    "give another directory (--out), or start this one over (--fresh)",
                )
        if old_data != new_data:
            self._go_on(journal, directory, observer, header)
            return
        observer.record(header)
        observer.reused(len(journal))
        journal.credit(unrecorded_seconds(directory, journal))
        sweep(directory)

    def _go_on(self, journal: Journal, directory: Path, observer: Observer, header: Run) -> None:
        """Write the header of a run that goes on, with more data, where a finished one has ended."""
        finished = journals.evaluation_of(list(journal))
        used = "" if finished is None else finished.config.get("more_data", "")
        if self.problem.more == "" or used not in ("", *(name for name, _ in self.problem.additions)):
            raise RecipeError(
                "the --more-data with which the run in this directory has gone on",
                f"{directory}, with{' other' if self.problem.more else 'out'} --more-data",
                "give it again, before what is new (--more-data OLD --more-data NEW), or another directory (--out)",
            )
        if finished is None:
            raise RecipeError(
                "a finished run, to go on from with more data",
                f"{directory}, whose run is not finished",
                "finish it first, by the command that began it, or give another directory (--out)",
            )
        sweep(directory)
        for begun in (directory / "trials").glob("*"):  # whose seconds are of the budget before
            checkpoint.discard(begun)
        write_split(self.problem, directory)
        journal.restart()
        journal.credit(self.spent)
        observer.reused(len(journal))
        header = replace(header, key=f"{header.key}/{len(journals.select(list(journal), Run)) + 1}")
        journal.append(header)
        observer.record(header)

    def _header(self) -> Run:
        settings: dict[str, Any] = {
            "model": self.model,
            "moves": None if self.moves is None else sorted(self.moves),
            "human score": self.problem.human_score,
            "content of the model": digest(content_of(self.model)) if self.model and content_of(self.model) else None,
        }
        if self.signals is not None:
            settings |= {"signals": {k: list(v) for k, v in self.signals.items()}, "expect": dict(self.expect or {})}
        if self.synthetic:
            settings |= {
                "synthetic": self.synthetic,
                "content of the generator": digest(synthetic.content_of(self.synthetic)),
            }
        if self.problem.more:  # a journal from before there was such a thing stays as it is
            settings[MORE] = self.problem.more
        content = [self.problem.fingerprint, self.seed, settings]
        return Run(
            key=f"run/{digest(content)}",
            fingerprint=self.problem.fingerprint,
            problem=self.problem.summary(),
            objective=self.problem.objective,
            seed=self.seed,
            budget=self.seconds,
            versions=versions(),
            settings=settings,
            command=self.command,
        )

    def check(self) -> None:
        """Raise RecipeError for a name that is unknown, a budget that cannot be enough, a folder of weights that is not
        there, or a generator that makes no examples of the problem."""
        if self.seconds < MIN_BUDGET:
            raise RecipeError(
                f"a budget of at least {MIN_BUDGET:.0f} s", f"{self.seconds:g} s", "give a larger --budget"
            )
        if self.model is not None:
            MODELS.check(Spec.parse(self.model))
        if self.problem.signature.kind == "image":
            weights.folder()
        check_signals(self.problem, self.signals, self.expect)
        if self.synthetic:
            synthetic.check(self.synthetic)
            if not synthetic.applies(self.synthetic, self.problem.signature):
                raise RecipeError(
                    f"a generator for {self.problem.signature.kind} data ({self.problem.signature.task})",
                    self.synthetic,
                    "give one of your own, package.module:function",
                )
            synthetic.simulate(self.problem, self.synthetic, synthetic.PROBED)
        _ = self.chosen


def default_workers() -> int:
    """Two trials at a time where this process may use two cores or more and there is no GPU, else one."""
    import tensorflow as tf

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 1 if tf.config.list_physical_devices("GPU") else min(2, cores)


def share_cores() -> None:
    """Give an operation half of the cores, so that two trials at a time do not wait for each other.

    On two cores that makes a pair of trials on small data twice as fast, and no pair slower; a trial that runs alone
    still uses both, for operations that do not depend on each other. How an operation is divided decides how its sums
    are rounded, so this does not depend on the number of workers: results are the same to the bit. A process in which
    TensorFlow runs already keeps what it has.
    """
    import tensorflow as tf

    with suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(max(1, (os.cpu_count() or 1) // 2))
