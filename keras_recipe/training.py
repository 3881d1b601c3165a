"""One trial: the recipe's only training run. A pure function of problem, config and seed."""

from __future__ import annotations

import dataclasses
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_recipe import checkpoint, objectives
from keras_recipe.compiled import build, learning_rate, loss
from keras_recipe.core.config import Config, digest
from keras_recipe.core.records import Trial
from keras_recipe.core.spec import Spec
from keras_recipe.data import synthetic
from keras_recipe.feed import Feed
from keras_recipe.loop import Apply, Loop
from keras_recipe.problem import Problem, Split

CHUNK_SECONDS = 2.0
"""Gradient steps are done in calls of about this length, so that progress shows and a deadline is kept."""

HEAD_SHARE = 5 / 6
"""Part of the epochs in which only the head of a pretrained backbone is trained, on its features. A random head would
distort these before it has learnt anything (Kumar et al., 2022, "Fine-tuning can distort pretrained features"); and
these epochs cost next to nothing."""

FEATURE_ROWS = 256
"""Examples at a time where the features behind a frozen backbone are computed: progress shows, and Ctrl-C is heard."""

FEATURE_BYTES = 2**31
"""Features that are kept take no more memory than this; where they would, each epoch computes them again."""

KEPT_FEATURES = 2
"""Backbones whose features are kept: that of the incumbent and that of the candidate."""

KEPT_POOLS = 2
"""Generators whose simulated examples are kept in memory: that of the incumbent and that of the candidate."""

SUBSET = 0x5EB5E7
"""Beside a trial's seed, the seed of the subset that it sees, so that no epoch's order is drawn from the same one."""

PROBE = 8
"""Examples by whose features two backbones are told apart."""

Progress = Callable[[int, int, dict[str, float]], None]
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Outcome:
    """A trial's record and the arrays that are too large for a record.

    Attributes:
        predictions: on the validation split, as `objectives.predictions` returns them.
        weights: of all variables of the model, in its order.
    """

    trial: Trial
    predictions: np.ndarray
    weights: list[np.ndarray]


@dataclass(frozen=True)
class Phase:
    """A part of a trial: from this epoch (0 is the first) on, a loop, and both splits as it takes them.

    Attributes:
        mixed: the training split with simulated examples behind it, which the epochs draw from; None without any.
    """

    start: int
    loop: Loop
    train: Feed
    validation: Feed
    mixed: Feed | None = None


@dataclass(frozen=True)
class Training:
    """What a trial trains.

    Attributes:
        loop: whose state is all that changes.
        phases: in order; all but the fine-tuning of a pretrained backbone have one.
    """

    loop: Loop
    phases: tuple[Phase, ...]

    def phase(self, epoch: int) -> Phase:
        """The phase that this epoch belongs to."""
        return next(p for p in reversed(self.phases) if p.start <= epoch)


class Learner:
    """A problem with its data on the device and its graphs traced: trains any config of it, from several threads.

    Args:
        problem: its training split goes to the device as a whole where it is in memory.
        graphs: compiled models that each thread keeps; one more throws the oldest out.
        directory: where simulated examples are kept for a later process, which then has the very same ones and does
            not pay for them again; None for nowhere.

    Attributes:
        interrupted: set it, and every trial that is running raises InterruptedError before its next steps.
    """

    def __init__(self, problem: Problem, graphs: int = 3, directory: Path | None = None) -> None:
        self.problem = problem
        self.interrupted = threading.Event()
        self._graphs = graphs
        self._threads = threading.local()
        self._features: OrderedDict[bytes, tuple[Feed, Feed]] = OrderedDict()
        self._computing = threading.Lock()
        self._directory = directory
        self._pools: OrderedDict[Spec, Split] = OrderedDict()
        self._mixed: OrderedDict[tuple[bytes, Spec], Feed] = OrderedDict()
        self._simulating = threading.Lock()

    def rows(self, config: Config, seed: int) -> np.ndarray:
        """Row numbers of the training split that a trial of this config sees, ascending."""
        return training_rows(self.problem, config, seed)

    def loop(self, config: Config) -> Loop:
        """The compiled loop of this config; seed, rate, batch size and length do not need another."""
        loops: OrderedDict[Config, Loop] = self._threads.__dict__.setdefault("loops", OrderedDict())
        graph = config.with_args("optimizer", learning_rate=None).replace(
            batch_size=1, epochs=1, patience=None, schedule="", synthetic="", train_share=1.0, more_data=""
        )
        if graph not in loops:
            loops[graph] = Loop(lambda: build(self.problem, config))
            if len(loops) > self._graphs:
                loops.popitem(last=False)
        loops.move_to_end(graph)
        return loops[graph]

    def training(
        self, config: Config, seed: int, told: Told = lambda done, total: None, rows: int | None = None
    ) -> Training:
        """What is to be trained for this config, with the weights of this seed.

        The head of a pretrained backbone is trained on its features, which are computed once for all trials that
        share them. A backbone that is to be trained too joins in when its head has learnt (see HEAD_SHARE).

        Args:
            config: of the trial.
            seed: of its weights.
            told: called with (done, total) while features are computed.
            rows: features of no more than so many examples of each split, to measure what they cost; nothing is
                simulated then.
        """
        pool = self.simulated(config.synthetic, told) if config.synthetic and rows is None else None
        loop = self.loop(config)
        loop.reset(seed, learning_rate(config))
        whole = Phase(0, loop, self.train, self.validation, self._mixture(config, self.train, pool))
        if loop.parts is None or not self._worth_keeping(loop.parts[1]):
            return Training(loop, (whole,))
        rest = loop.parts[1]
        if loop.frozen and loop.augmentation is not None:  # other pictures, other features, in every epoch
            return Training(rest, (whole,))
        head = Phase(0, rest, *self._features_of(loop.parts[0], told, rows))
        if pool is not None:
            head = dataclasses.replace(head, mixed=self._mixture(config, head.train, pool, loop.parts[0], told))
        if loop.frozen:
            return Training(rest, (head,))
        start = int(config.epochs * HEAD_SHARE)
        return Training(loop, (head, dataclasses.replace(whole, start=start)) if start else (whole,))

    def simulated(self, text: str, told: Told = synthetic.silent) -> Split:
        """Simulated examples of this spec's generator, made once for all shares, trials and threads.

        As many as `synthetic.pool_size` says; those of KEPT_POOLS generators are kept in memory, those of all of them
        in the run directory.

        Raises:
            RecipeError: what the generator makes are no examples of the problem.
        """
        generator = synthetic.generator_of(text)
        with self._simulating:
            if generator not in self._pools:
                self._pools[generator] = self._pool(text, told)
                if len(self._pools) > KEPT_POOLS:
                    self._pools.popitem(last=False)
            self._pools.move_to_end(generator)
            return self._pools[generator]

    def simulated_at_hand(self, text: str) -> bool:
        """Whether the simulated examples of this spec's generator are made already."""
        path = self._pool_path(text)
        return synthetic.generator_of(text) in self._pools or (path is not None and path.is_file())

    def _pool_path(self, text: str) -> Path | None:
        if self._directory is None:
            return None
        content = [self.problem.fingerprint, str(synthetic.generator_of(text)), synthetic.content_of(text)]
        return self._directory / f"{digest(content)}.npz"

    def _pool(self, text: str, told: Told) -> Split:
        path, count = self._pool_path(text), synthetic.pool_size(self.problem)
        if path is not None and path.is_file():
            x, y = checkpoint.read_sequence(path)
            return Split(x, y, [f"simulated {i}" for i in range(len(y))])

        def heard(done: int, total: int) -> None:
            if self.interrupted.is_set():
                raise InterruptedError("the run was interrupted")
            told(done, total)

        pool = synthetic.simulate(self.problem, text, count, heard)
        if path is not None:
            checkpoint.write_sequence(path, [np.asarray(pool.x), pool.y])
        return pool

    def _mixture(
        self, config: Config, train: Feed, pool: Split | None, apply: Apply | None = None, told: Told = synthetic.silent
    ) -> Feed | None:
        """The training split with the pool behind it, as features of `apply` where that is given."""
        if pool is None:
            return None
        key = (self._key(apply) if apply else b"", synthetic.generator_of(config.synthetic))
        with self._simulating:
            if key not in self._mixed:
                behind = dataclasses.replace(pool, x=self._applied(apply, pool, len(pool), told)) if apply else pool
                self._mixed[key] = Feed(self.problem, synthetic.joined(train.split, behind))
                if len(self._mixed) > KEPT_POOLS:
                    self._mixed.popitem(last=False)
            self._mixed.move_to_end(key)
            return self._mixed[key]

    def feature_seconds(self, config: Config) -> float:
        """Measured seconds that the features of this config will take; 0 if they are there, or are not kept."""
        loop = self.loop(config)
        if loop.parts is None or loop.augmentation is not None or not self._worth_keeping(loop.parts[1]):
            return 0.0
        loop.reset(0)
        key, missing = self._key(loop.parts[0]), 0  # which has traced
        if key not in self._features:
            missing += self._examples
        if config.synthetic and (key, synthetic.generator_of(config.synthetic)) not in self._mixed:
            missing += synthetic.pool_size(self.problem)
        if not missing:
            return 0.0
        began, count = time.monotonic(), min(FEATURE_ROWS, len(self.problem.train))
        loop.parts[0](tf.constant(self.problem.train.x[np.arange(count)]))
        return (time.monotonic() - began) * missing / count

    @property
    def _examples(self) -> int:
        return len(self.problem.train) + len(self.problem.validation)

    def _key(self, apply: Apply) -> bytes:
        """Two builds are the same function if they say the same of the same examples."""
        return apply(tf.constant(self.problem.train.x[np.arange(min(PROBE, len(self.problem.train)))])).tobytes()

    def _features_of(self, apply: Apply, told: Told, rows: int | None) -> tuple[Feed, Feed]:
        with self._computing:
            key = self._key(apply)
            if key in self._features:
                return self._features[key]
            if rows is not None:
                return self._computed(apply, told, rows)
            self._features[key] = self._computed(
                apply, told, max(len(self.problem.train), len(self.problem.validation))
            )
            if len(self._features) > KEPT_FEATURES:
                self._features.popitem(last=False)
            return self._features[key]

    def _worth_keeping(self, rest: Loop) -> bool:
        return self._examples * rest.input_values * 4 <= FEATURE_BYTES

    def _computed(self, apply: Apply, told: Told, rows: int) -> tuple[Feed, Feed]:
        done, made = 0, []
        for split in (self.problem.train, self.problem.validation):
            count = min(rows, len(split))
            x = self._applied(apply, split, count, lambda part, _, done=done: told(done + part, self._examples))  # type: ignore[misc]
            done += count
            some = dataclasses.replace(split, x=x, y=split.y[:count], ids=split.ids[:count])
            made.append(Feed(self.problem, some))
        return made[0], made[1]

    def _applied(self, apply: Apply, split: Split, count: int, told: Told) -> np.ndarray:
        """What `apply` makes of the first `count` examples, (count, ...)."""
        parts: list[np.ndarray] = []
        for start in range(0, count, FEATURE_ROWS):
            if self.interrupted.is_set():
                raise InterruptedError("the run was interrupted")
            parts.append(apply(tf.constant(split.x[np.arange(start, min(start + FEATURE_ROWS, count))])))
            told(start + len(parts[-1]), count)
        return np.concatenate(parts)

    @cached_property
    def train(self) -> Feed:
        """The training split."""
        return Feed(self.problem, self.problem.train)

    @cached_property
    def validation(self) -> Feed:
        """The validation split."""
        return Feed(self.problem, self.problem.validation)


def training_rows(problem: Problem, config: Config, seed: int) -> np.ndarray:
    """Row numbers of the training split that a trial sees, int32, ascending: those of the data, with those that were
    added where the config says so; or the share of them that it asks for.

    A smaller share of one seed is part of a larger one. Each class keeps its share, and an example at least. What is
    taken from the training split without training (means, vocabularies, the last layer's bias) is that of all of it.
    """
    if config.more_data not in ("", problem.more):
        raise ValueError(
            f"Expected a config without more data, or with {problem.more!r}. Received {config.more_data!r}."
        )
    rows = np.arange(len(problem.train) if config.more_data else problem.given, dtype="int32")
    if config.train_share == 1:
        return rows
    rows = np.random.default_rng([seed, SUBSET]).permutation(rows)
    classes = problem.train.y[rows] if problem.signature.classes else np.zeros(len(rows), "int32")
    order = np.argsort(classes, kind="stable")
    counts = np.bincount(classes)
    rank = np.empty(len(rows), int)
    rank[order] = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = np.maximum(np.round(counts * config.train_share), 1)
    return np.sort(rows[rank < kept[classes]])


def epoch_order(examples: int, batch_size: int, seed: int, epoch: int) -> np.ndarray:
    """Row numbers of one epoch, (steps, batch): a function of seed and epoch alone, so that resume needs no state.

    The incomplete last batch is left out; another epoch shuffles its rows to the front.
    """
    batch = min(batch_size, examples)
    rows = np.random.default_rng([seed, epoch]).permutation(examples).astype("int32")
    return rows[: examples // batch * batch].reshape(-1, batch)


def mixed_order(order: np.ndarray, examples: int, simulated: int, share: float, seed: int, epoch: int) -> np.ndarray:
    """An epoch's `order` in which simulated examples stand in for a share of the real ones, anywhere in it.

    A function of seed and epoch alone, too. Which of the simulated ones is drawn anew in every epoch; none comes twice
    before each has come once. At least one real example stays.

    Args:
        order: (steps, batch) of row numbers below `examples`.
        examples, simulated: how many there are; simulated ones have the row numbers from `examples` on.
        share: above 0 and below 1.
        seed: of the trial.
        epoch: 0 is the first.
    """
    rows = order.ravel().copy()
    count = min(max(1, round(share * rows.size)), rows.size - 1)
    generator = np.random.default_rng([seed, epoch, 1])
    places = generator.permutation(rows.size)[:count]
    drawn = [generator.permutation(simulated) for _ in range(-(-count // simulated))]
    rows[places] = examples + np.concatenate([*drawn, np.zeros(0, "int64")])[:count]
    return rows.reshape(order.shape)


def run_trial(
    learner: Learner,
    config: Config,
    seed: int,
    *,
    key: str = "",
    stage: str = "",
    directory: Path | None = None,
    deadline: float | None = None,
    progress: Progress | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    elapsed: Callable[[], float] = lambda: 0.0,
    before: Path | None = None,
    pause: int | None = None,
) -> Outcome:
    """Train `config` from `seed` and judge it on the whole validation split, and on all that it was trained on.

    Args:
        learner: the problem, and its graphs.
        config: what to train.
        seed: of weights, dropout, augmentation and data order.
        key, stage: copied to the record.
        directory: where checkpoints go; training goes on from the one that is there.
        deadline: `time.monotonic()` after which training stops, between two gradient steps.
        progress: called with (epoch, epochs, values) after each epoch and during long ones.
        callbacks: ordinary Keras callbacks that observe; those with batch hooks see every batch.
        elapsed: seconds that the whole run has taken so far, for its checkpoints.
        before: where a trial that is the beginning of this one has left its last epoch, for this one to go on from.
        pause: epochs after which the trial is left at a checkpoint in `directory`, for another call to go on from;
            what is returned is how it stood then ("paused").

    Raises:
        TimeoutError: the deadline passed before the first epoch was done.
    """
    began = time.monotonic()

    def told(done: int, total: int) -> None:
        if deadline is not None and time.monotonic() > deadline:
            what = f"what {config.model} is trained on"
            raise TimeoutError(f"{what} (features, simulated examples) was not done before the deadline")
        if progress:
            progress(done, total, {})

    training = learner.training(config, seed, told)
    loop = training.loop
    loop.model.stop_training = False
    course = checkpoint.load(directory, loop, before) or checkpoint.Course(began=began)
    observers = keras.callbacks.CallbackList(list(callbacks), model=loop.model)
    epochs = {p.start: _Epoch(learner, p, config, seed, deadline, observers, progress) for p in training.phases}
    observers.on_train_begin()
    saved, gap = time.monotonic(), checkpoint.EVERY_SECONDS

    def save() -> None:
        if directory:
            checkpoint.save(directory, loop, course, course.seconds + time.monotonic() - began, elapsed())

    while not (stopped := _stopped(course, config, training)):
        if pause is not None and course.epochs >= pause:
            stopped = "paused"
            save()
            break
        observers.on_epoch_begin(course.epochs)
        start = training.phase(course.epochs).start
        if course.epochs == start > 0:
            loop.restart()
        loop.set_rate(learning_rate(config), _rate_factor(config, training, course.epochs))
        logs = epochs[start].run(course)
        if logs is None:
            stopped = "budget"
            break
        course.add(logs, loop.state() if config.patience is not None else None)
        observers.on_epoch_end(course.epochs - 1, logs)
        if progress:
            progress(course.epochs, config.all_epochs, logs)
        if directory and time.monotonic() - saved > gap:
            started = time.monotonic()
            save()
            saved = time.monotonic()
            gap = max(checkpoint.EVERY_SECONDS, (saved - started) / checkpoint.SHARE)
    if stopped == "epochs":
        save()
    observers.on_train_end()
    if course.epochs == 0:
        raise TimeoutError(f"not one epoch of {config.model} was done before the deadline")
    if course.best_state is not None:
        loop.restore(course.best_state)
    return _outcome(learner.problem, training, config, seed, course, key, stage, stopped, began)


def _rate_factor(config: Config, training: Training, epoch: int) -> float:
    """Share of the learning rate in this epoch (0 is the first): that in its middle."""
    if not config.schedule:
        return 1.0
    if config.schedule == "cooldown":  # 1 - sqrt, which Hägele et al. (2024) found better than a straight line
        fallen = (epoch + 0.5 - config.epochs) / (config.all_epochs - config.epochs)
        return 1.0 - math.sqrt(max(0.0, fallen))
    start = training.phase(epoch).start
    end = min((p.start for p in training.phases if p.start > epoch), default=config.epochs)
    return 0.5 + 0.5 * math.cos(math.pi * (epoch + 0.5 - start) / (end - start))


def rates(learner: Learner, config: Config, epochs: int) -> list[float]:
    """Learning rate of each of the first epochs of a trial of this config, as a part of its constant rate."""
    training = learner.training(config, 0, rows=FEATURE_ROWS)
    return [_rate_factor(config, training, epoch) for epoch in range(epochs)]


def seconds_an_epoch(learner: Learner, config: Config, probe_seconds: float = 1.0) -> float:
    """Measured mean seconds of an epoch of `config` with its validation, from a few steps; the trace is kept."""
    features = learner.feature_seconds(config) / config.epochs
    last = learner.training(config, 0, rows=FEATURE_ROWS).phases[-1]
    rows = training_rows(learner.problem, config, 0)
    order = epoch_order(len(last.train.split), config.batch_size, 0, 0)
    began, steps = 0.0, 0
    for (x, y), local, _ in last.train.steps(order, lambda: 4):
        last.loop.train(x, y, local)
        if not began:  # the first call has traced
            began = time.monotonic()
            continue
        steps += len(local)
        if time.monotonic() - began > probe_seconds:
            break
    per_step = (time.monotonic() - began) / max(steps, 1)
    # A forward pass costs about a third of a step, which also goes backward twice over every weight.
    an_epoch = per_step * (len(rows) + len(learner.problem.validation) / 3) / config.batch_size
    return features + an_epoch * (config.epochs - last.start) / config.epochs  # a head alone costs next to nothing


@dataclass
class _Epoch:
    """Runs the epochs of one trial; remembers how many steps make a call of CHUNK_SECONDS."""

    learner: Learner
    phase: Phase
    config: Config
    seed: int
    deadline: float | None
    observers: keras.callbacks.CallbackList
    progress: Progress | None
    chunk: int = 1
    timed: bool = False

    def __post_init__(self) -> None:
        self.batch_hooks = any(
            getattr(type(c), hook) is not getattr(keras.callbacks.Callback, hook)
            for c in self.observers.callbacks
            for hook in ("on_train_batch_begin", "on_train_batch_end")
        )
        self.rows = training_rows(self.learner.problem, self.config, self.seed)

    def run(self, course: checkpoint.Course) -> dict[str, float] | None:
        """One epoch's logs, or None where the deadline cut it short."""
        problem, train = self.learner.problem, self.phase.mixed or self.phase.train
        order = self.rows[epoch_order(len(self.rows), self.config.batch_size, self.seed, course.epochs)]
        real = len(problem.train)
        if self.phase.mixed:
            share = synthetic.share_of(self.config.synthetic)
            order = mixed_order(order, real, len(train.split) - real, share, self.seed, course.epochs)
        metric = objectives.METRICS[problem.objective.metric]
        losses: list[np.ndarray] = []
        gains: list[np.ndarray] = []
        done = 0
        for (x, y), local, rows in train.steps(order, lambda: 1 if self.batch_hooks else self.chunk):
            if self.deadline is not None and time.monotonic() > self.deadline:
                return None
            if self.learner.interrupted.is_set():
                raise InterruptedError("the run was interrupted")
            part, outputs = self._steps(x, y, local, done)
            if not course.startup:
                course.startup = time.monotonic() - course.began
            losses.append(part)
            own = rows.ravel() < real  # simulated examples are trained on, and never scored
            gains.append(
                metric.gains(problem.train.y[rows.ravel()[own]], objectives.predictions(problem, outputs[own]))
            )
            done += len(rows)
            if self.progress and done < len(order):
                self.progress(course.epochs, self.config.all_epochs, {"loss": float(part.mean())})
        # Summed in one piece: how many steps make a call depends on time, and the result must not.
        return self._logs(float(np.concatenate(losses).mean(dtype="float64")), float(np.concatenate(gains).mean()))

    def _steps(self, x: tf.Tensor, y: tf.Tensor, local: np.ndarray, done: int) -> tuple[np.ndarray, np.ndarray]:
        if self.batch_hooks:
            self.observers.on_train_batch_begin(done)
        began = time.monotonic()
        losses, outputs = self.phase.loop.train(x, y, local)
        if self.batch_hooks:
            self.observers.on_train_batch_end(done, {"loss": float(losses.mean())})
        elif self.timed:  # the first call traces, and says nothing about a step
            per_step = (time.monotonic() - began) / len(local)
            self.chunk = max(1, int(CHUNK_SECONDS / max(per_step, 1e-6)))
        else:
            self.chunk = 8
        self.timed = True
        return losses, outputs

    def _logs(self, train_loss: float, train_gain: float) -> dict[str, float]:
        problem, validation = self.learner.problem, self.phase.validation
        outputs = validation.predict(self.phase.loop.predict)
        metric = objectives.METRICS[problem.objective.metric]
        return {
            "loss": finite(train_loss),
            "score": metric.value(train_gain),
            "val_loss": finite(loss(problem)(validation.targets, outputs)),
            "val_score": objectives.score(
                problem.objective.metric, problem.validation.y, objectives.predictions(problem, outputs)
            ),
        }


def finite(value: Any) -> float:
    """The value, or 1e30 where it is NaN or infinite: JSON has no word for these."""
    return float(np.nan_to_num(float(value), nan=1e30, posinf=1e30, neginf=-1e30))


def _stopped(course: checkpoint.Course, config: Config, training: Training) -> str:
    """Why training ends now, empty where it goes on."""
    losses = course.history["val_loss"]
    if course.history["loss"] and course.history["loss"][-1] >= 1e30:
        return "diverged"
    if len(losses) >= config.all_epochs:
        return "epochs"
    # A head that has learnt all it can is no reason not to fine-tune.
    since = course.epochs - max(course.best_epoch, training.phases[-1].start)
    if config.patience is not None and since >= config.patience and losses:
        return "patience"
    return "callback" if training.loop.model.stop_training else ""


def _outcome(
    problem: Problem,
    training: Training,
    config: Config,
    seed: int,
    course: checkpoint.Course,
    key: str,
    stage: str,
    stopped: str,
    began: float,
) -> Outcome:
    metric, loop, phase = problem.objective.metric, training.loop, training.phases[-1]
    rows = training_rows(problem, config, seed)
    outputs = phase.validation.predict(phase.loop.predict)
    train_outputs = phase.train.predict(phase.loop.predict, None if len(rows) == len(problem.train) else rows)
    predicted = objectives.predictions(problem, outputs)
    trial = Trial(
        key=key,
        stage=stage,
        config=config.leaves(),
        digest=config.digest(),
        seed=seed,
        score=objectives.score(metric, problem.validation.y, predicted),
        loss=finite(loss(problem)(phase.validation.targets, outputs)),
        train_score=objectives.score(metric, problem.train.y[rows], objectives.predictions(problem, train_outputs)),
        train_loss=finite(loss(problem)(phase.train.targets[rows], train_outputs)),
        history=course.history,
        epochs=course.epochs,
        best_epoch=course.best_epoch if course.best_state is not None else course.epochs,
        parameters=sum(int(np.prod(v.shape)) for v in loop.model.trainable_variables),
        stopped=stopped,
        examples=len(rows) // config.batch_size * config.batch_size or len(rows),
        seconds=course.seconds + time.monotonic() - began,
        inherited_seconds=course.inherited,
        startup_seconds=course.startup,
    )
    return Outcome(trial, predicted.astype("float32"), [v.numpy() for v in loop.model.variables])
