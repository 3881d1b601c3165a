"""Somebody's training job, opened up: what every suspicion and every repair looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import keras
import numpy as np

from keras_recipe.core.errors import RecipeError
from keras_recipe.diagnosis.anatomy import Anatomy, Call, unwrapped, values, watch
from keras_recipe.diagnosis.fitting import Fit
from keras_recipe.diagnosis.probe import Outcome, Variant, by_target, callable_
from keras_recipe.diagnosis.rivals import cross_validated
from keras_recipe.diagnosis.rows import Data, Rows, leaves, mapped
from keras_recipe.diagnosis.targets import LossOf, Target, dumb, error_of, loss_of, score, target_of
from keras_recipe.spread import evenly

LOOK = 256
"""Examples that go through the model to see what its layers make of them."""


@dataclass(frozen=True, eq=False)
class Case:
    """A fit with its data and the parts of its model.

    Attributes:
        fit: as it was called.
        data: what it trains on.
        anatomy: one forward pass over LOOK examples in inference mode, before training.
        targets, losses: of each output that has targets, in the order in which `leaves` walks these; () where nothing
            is known of them.
        rates: learning rate of each planned step.
        reconstruction: whether the targets are the inputs.
    """

    fit: Fit
    data: Data
    anatomy: Anatomy
    targets: tuple[Target, ...]
    losses: tuple[LossOf, ...]
    rates: np.ndarray
    reconstruction: bool

    @property
    def model(self) -> keras.Model:
        """The script's own."""
        return self.fit.model

    @property
    def target(self) -> Target | None:
        """What is asked for; None where there are several outputs, or where nobody knows."""
        return self.targets[0] if len(self.targets) == 1 else None

    @property
    def loss(self) -> LossOf:
        """The loss of a single output."""
        return self.losses[0] if len(self.losses) == 1 else LossOf("")

    @property
    def known_loss(self) -> bool:
        """Whether every output is trained with a loss of Keras, of which it is known what it asks for."""
        return all(loss.name for loss in self.losses)

    @property
    def y(self) -> np.ndarray:
        """Training targets of a single output."""
        found = leaves(self.data.train.y)
        return found[0] if len(found) == 1 else np.empty(0)

    @cached_property
    def head(self) -> Call | None:
        """The kernel layer that a single output comes from."""
        heads = self.anatomy.heads
        return heads[0][0] if len(heads) == 1 and len(leaves(self.anatomy.outputs)) == 1 else None

    @cached_property
    def last_activation(self) -> str:
        """What is done to the sums of that layer; "" for what nobody knows."""
        return self.anatomy.heads[0][1] if self.head is not None else ""

    @property
    def units(self) -> int:
        """Width of a single output."""
        found = leaves(self.anatomy.outputs)
        return int(found[0].shape[-1]) if len(found) == 1 and len(found[0].shape) > 1 else 1

    @cached_property
    def apart(self) -> tuple[Case, ...]:
        """The case of each output by itself."""
        if len(self.targets) == 1:
            return (self,)

        def only(rows: Rows, i: int) -> Rows:
            return replace(rows, y=leaves(rows.y)[i])

        data, found = self.data, []
        for i, (target, loss) in enumerate(zip(self.targets, self.losses, strict=False)):
            validation, again = data.validation and only(data.validation, i), data.again and only(data.again, i)
            train, held = only(data.train, i), only(data.held, i)
            of_one = replace(data, train=train, held=held, validation=validation, again=again)
            found.append(replace(self, data=of_one, targets=(target,), losses=(loss,)))
        return tuple(found)

    def score(self, outputs: Any, truth: Any, variant: Variant | None = None) -> float:
        """Mean score of the outputs, of these targets (nested alike)."""
        each = self.scores(outputs, truth, variant)
        return float(np.mean(each)) if each else float("nan")

    def scores(self, outputs: Any, truth: Any, variant: Variant | None = None) -> list[float]:
        """Score of each output; [] where nothing is known of them."""
        found, wanted = leaves(by_target(outputs, truth, self.model)), leaves(truth)
        if not self.targets or len(found) < len(wanted):
            return []
        each = []
        for target, loss, y, output in zip(self.targets, self.losses, wanted, found, strict=False):
            logits = loss.from_logits or "hinge" in loss.name
            if variant is not None and variant.head is not None:
                logits = "crossentropy" in variant.head.loss
            each.append(score(target, y, output, logits))
        return each

    def held_score(self, outcome: Outcome, variant: Variant | None = None) -> float:
        """Score on the held-out rows."""
        return self.score(outcome.outputs, self.data.held.y, variant)

    @property
    def dumb(self) -> float:
        """Score of a constant on the held-out rows."""
        truth = leaves(self.data.held.y)
        return float(np.mean([dumb(t, y) for t, y in zip(self.targets, truth, strict=False)])) if self.targets else 0.0

    @property
    def error(self) -> float:
        """A standard error of scores, in their unit."""
        truth = leaves(self.data.held.y)
        if not self.targets:
            return 1.0
        if self.data.toy:
            return 0.0  # no sample of anything: these rows are all that is asked for
        return float(np.mean([error_of(t, y) for t, y in zip(self.targets, truth, strict=False)]))

    @cached_property
    def inside(self) -> tuple[float, np.ndarray, np.ndarray]:
        """Score of trees on training rows that they were not fitted on, those rows, and the outputs for them."""
        assert self.target is not None
        return cross_validated(self.data, self.target)

    @cached_property
    def first_input(self) -> float:
        """Root mean square of what the first kernel layer takes; nan where there is none that takes numbers."""
        calls = self.anatomy.weighted
        first = next((c for c in calls if not isinstance(c.layer, keras.layers.Embedding)), None)
        if first is None or any(isinstance(c.layer, keras.layers.Embedding) for c in self.anatomy.calls):
            return float("nan")
        found = values(first.input)
        return float(np.sqrt(np.mean(found**2))) if found.size and np.isfinite(found).all() else float("nan")


def open_case(fit: Fit, data: Data) -> Case:
    """Look at a fit.

    Raises:
        RecipeError: the model is not compiled, or cannot take its own data.
    """
    model = fit.model
    if not getattr(model, "compiled", False):
        raise RecipeError("a compiled model", "one that was not compiled", "call model.compile(...) before fit")
    look = data.train.take(evenly(len(data.train), LOOK))
    try:
        anatomy = watch(model, mapped(keras.ops.convert_to_tensor, look.x)) if callable_(model) else Anatomy((), None)
    except Exception as error:
        raise RecipeError(
            "a model that takes its own training data", f"{type(error).__name__}: {str(error)[:600]}",
            "mend this first: fit would stop with the same error",
        ) from error  # fmt: skip
    if model.optimizer is not None and not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    truth = leaves(data.train.y)
    losses = tuple(_losses(model, data.train.y))
    targets = targets_of(data, losses, anatomy.outputs, model)
    first = leaves(data.train.x)
    reconstruction = len(truth) == 1 and any(
        a.size == truth[0].size and np.allclose(a.reshape(-1), truth[0].reshape(-1)) if a.dtype.kind in "iuf" else False
        for a in first
    )
    return Case(fit, data, anatomy, targets, losses, rates_of(fit, data), reconstruction)


def targets_of(data: Data, losses: tuple[LossOf, ...], outputs: Any, model: keras.Model) -> tuple[Target, ...]:
    """What the targets of each output mean; () where nothing is known of them."""
    truth, found = leaves(data.train.y), leaves(by_target(outputs, data.train.y, model))
    if not truth or len(found) < len(truth):
        return ()
    units = [int(o.shape[-1]) if len(o.shape) > 1 else 1 for o in found]
    return tuple(target_of(y, loss, n) for y, loss, n in zip(truth, losses, units, strict=False))


def rates_of(fit: Fit, data: Data) -> np.ndarray:
    """Learning rate of each planned step, as optimizer, schedule and callbacks have it; (steps,).

    Of the callbacks, `LearningRateScheduler` is followed. Those that react to the run are not.
    """
    optimizer = fit.model.optimizer
    if optimizer is None:
        return np.full(data.steps, 1e-3, "float32")
    inner = unwrapped(optimizer)
    schedule = getattr(inner, "_learning_rate", None)
    start = int(inner.iterations.numpy())
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        steps = evenly(data.steps, 500)
        known = [float(schedule(int(start + step))) for step in steps]
        found = np.interp(np.arange(data.steps), steps, known)
    else:
        found = np.full(data.steps, float(keras.ops.convert_to_numpy(inner.learning_rate)))
    for callback in fit.callbacks:
        if isinstance(callback, keras.callbacks.LearningRateScheduler):
            each, rate = [], float(found[0])
            for epoch in range(data.epochs):
                rate = _scheduled(callback.schedule, fit.initial_epoch + epoch, rate)
                each.append(rate)
            found = np.repeat(each, -(-data.steps // data.epochs))[: data.steps]
    return found.astype("float32")


def _scheduled(schedule: Callable[..., Any], epoch: int, rate: float) -> float:
    try:
        return float(schedule(epoch, rate))
    except TypeError:
        return float(schedule(epoch))


def _losses(model: keras.Model, y: Any) -> list[LossOf]:
    compiled = getattr(model, "_compile_loss", None)
    given = getattr(compiled, "_user_loss", None)
    if given is None:
        given = model.loss if isinstance(getattr(model, "loss", None), str) else None
    names, count = list(getattr(model, "output_names", None) or ()), len(leaves(y))
    if isinstance(given, list | tuple) and isinstance(y, dict) and len(names) == len(given):
        given = dict(zip(names, given, strict=True))
    if isinstance(given, dict):
        given = [given.get(name) for name in (sorted(y) if isinstance(y, dict) else names or sorted(given))]
    if isinstance(given, list | tuple):
        return [loss_of(each) for each in given][:count]
    return [loss_of(given)] * count
