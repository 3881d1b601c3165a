"""One trial: the recipe's only training run. A pure function of problem, config and seed."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_recipe import checkpoint, histograms, objectives
from keras_recipe.compiled import learning_rate, loss
from keras_recipe.core.config import Config
from keras_recipe.core.records import Trial
from keras_recipe.data import synthetic
from keras_recipe.learner import FEATURE_ROWS, Learner, Phase, Training
from keras_recipe.order import epoch_order, mixed_order, training_rows
from keras_recipe.problem import Problem

CHUNK_SECONDS = 2.0
"""Gradient steps are done in calls of about this length, so that progress shows and a deadline is kept."""

Progress = Callable[[int, int, dict[str, float]], None]


@dataclass(frozen=True)
class Outcome:
    """A trial's record and the arrays that are too large for a record.

    Attributes:
        predictions: on the validation split, as `objectives.predictions` returns them.
        weights: of all variables of the model, in its order.
        watched: names of the weight matrices whose histograms were taken.
        histograms: by epoch (0 is the first), as `histograms.Watched.around` returns them.
    """

    trial: Trial
    predictions: np.ndarray
    weights: list[np.ndarray]
    watched: tuple[str, ...]
    histograms: dict[int, np.ndarray]


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
    watched = histograms.Watched.of(loop)
    epochs = {
        p.start: _Epoch(learner, p, watched, config, seed, deadline, observers, progress) for p in training.phases
    }
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
    return _outcome(learner.problem, training, watched, config, seed, course, key, stage, stopped, began)


def _rate_factor(config: Config, training: Training, epoch: int) -> float:
    """Share of the learning rate in this epoch (0 is the first): that in its middle.

    It is constant but for schedules that were asked for, and while a pretrained backbone is fine-tuned: that part falls
    to 0 (Howard & Ruder, 2018), for at a constant rate what few pictures do to so many weights in the last epoch is
    luck. On photos of flowers, five last epochs were apart by six points of accuracy.
    """
    if config.schedule == "cooldown":  # 1 - sqrt, which Hägele et al. (2024) found better than a straight line
        fallen = (epoch + 0.5 - config.epochs) / (config.all_epochs - config.epochs)
        return 1.0 - math.sqrt(max(0.0, fallen))
    start = training.phase(epoch).start
    if not config.schedule and start == 0:
        return 1.0
    end = min((p.start for p in training.phases if p.start > epoch), default=config.epochs)
    return 0.5 + 0.5 * math.cos(math.pi * (epoch + 0.5 - start) / (end - start))


def rates(learner: Learner, config: Config, epochs: int) -> list[float]:
    """Learning rate of each of the first epochs of a trial of this config, as a part of its constant rate."""
    training = learner.training(config, 0, rows=FEATURE_ROWS)
    return [_rate_factor(config, training, epoch) for epoch in range(epochs)]


def seconds_an_epoch(
    learner: Learner, config: Config, probe_seconds: float = 1.0, traced: Callable[[], object] = lambda: None
) -> float:
    """Measured mean seconds of an epoch of `config` with its validation, from a few steps. What is paid once is not in
    it: the trace, after which `traced` is called, and features behind a frozen backbone, see
    `Learner.feature_seconds`."""
    last = learner.training(config, 0, rows=FEATURE_ROWS).phases[-1]
    rows = training_rows(learner.problem, config, 0)
    order = epoch_order(len(last.train.split), config.batch_size, 0, 0)
    # As often as it takes: one call may be all of an epoch.
    calls = itertools.chain.from_iterable(last.train.steps(order, lambda: 4) for _ in itertools.count())
    (x, y), local, _ = next(calls)
    last.loop.train(x, y, local)  # which traces
    traced()
    began, steps = time.monotonic(), 0
    while not steps or time.monotonic() - began < probe_seconds:
        (x, y), local, _ = next(calls)
        last.loop.train(x, y, local)
        steps += len(local)
    per_step = (time.monotonic() - began) / steps
    # A forward pass costs about a third of a step, which also goes backward twice over every weight.
    an_epoch = per_step * (len(rows) + len(learner.problem.validation) / 3) / config.batch_size
    return an_epoch * (config.epochs - last.start) / config.epochs  # a head alone costs next to nothing


@dataclass
class _Epoch:
    """Runs the epochs of one trial; remembers how many steps make a call of CHUNK_SECONDS."""

    learner: Learner
    phase: Phase
    watched: histograms.Watched
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
        labels: list[np.ndarray] = []
        predicted: list[np.ndarray] = []
        done = 0
        for (x, y), local, rows in train.steps(order, lambda: 1 if self.batch_hooks else self.chunk):
            if self.deadline is not None and time.monotonic() > self.deadline:
                return None
            if self.learner.interrupted.is_set():
                raise InterruptedError("the run was interrupted")
            part, outputs = self._steps(x, y, local, done, course)
            if not course.startup:
                course.startup = time.monotonic() - course.began
            losses.append(part)
            own = rows.ravel() < real  # simulated examples are trained on, and never scored
            labels.append(problem.train.y[rows.ravel()[own]])
            predicted.append(objectives.predictions(problem, outputs[own]))
            done += len(rows)
            if self.progress and done < len(order):
                self.progress(course.epochs, self.config.all_epochs, {"loss": float(part.mean())})
        # Summed in one piece: how many steps make a call depends on time, and the result must not.
        gains = metric.gains(np.concatenate(labels), np.concatenate(predicted))
        return self._logs(float(np.concatenate(losses).mean(dtype="float64")), float(gains.mean()))

    def _steps(
        self, x: tf.Tensor, y: tf.Tensor, local: np.ndarray, done: int, course: checkpoint.Course
    ) -> tuple[np.ndarray, np.ndarray]:
        if self.batch_hooks:
            self.observers.on_train_batch_begin(done)
        began = time.monotonic()
        if done == 0 and histograms.due(course.epochs, self.config):
            losses, outputs = self._measured(x, y, local, course)
        else:
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

    def _measured(
        self, x: tf.Tensor, y: tf.Tensor, local: np.ndarray, course: checkpoint.Course
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same steps, the first of them alone, so that one can see what it does."""
        train = self.phase.loop.train
        (losses, outputs), found = self.watched.around(lambda: train(x, y, local[:1]))
        course.histograms[course.epochs] = found
        if len(local) == 1:
            return losses, outputs
        others, more = train(x, y, local[1:])
        return np.concatenate([losses, others]), np.concatenate([outputs, more])

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
    watched: histograms.Watched,
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
    weights = [v.numpy() for v in loop.model.variables]
    return Outcome(trial, predicted.astype("float32"), weights, watched.names, course.histograms)
