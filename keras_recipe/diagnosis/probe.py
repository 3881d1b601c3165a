"""Short trainings of somebody's model, from the same weights each time, and each undone afterwards.

One graph walks over a matrix of row numbers (`tf.gather`, forward, loss, gradient, optimizer), which trains a small
network more than ten times as fast as `fit`. The same graph serves every learning rate, length, batch size and order
of the data; only what changes the model or its loss is traced again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_recipe.diagnosis.anatomy import steps_itself, unwrapped
from keras_recipe.diagnosis.rows import Data, Nested, Rows, leaves, mapped, sorted_nest
from keras_recipe.spread import evenly

CHUNKS, GLIMPSE = 8, 500
"""Parts that a training is made in: after each the clock is read, and the loss; and held-out examples that are
predicted on the way, so that trainings of other lengths can be compared."""

SUBSTITUTES = "_keras_recipe_substitutes"
"""Attribute of a layer that an edit put others in the place of: those others, whose weights are to be trained."""

Undo = Callable[[], None]
Edit = Callable[[keras.Model], Undo]
"""Changes a model in place, and returns what takes the change back."""


@dataclass(frozen=True)
class Scaling:
    """`(values - mean) / deviation`, with these shapes broadcast over examples."""

    mean: Any
    deviation: Any

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Scaled, float32."""
        return ((values.astype("float64") - self.mean) / self.deviation).astype("float32")

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Inverse of `apply`."""
        return values.astype("float64") * self.deviation + self.mean


@dataclass(frozen=True)
class Head:
    """An output made anew from the sums of the model's own last kernel layer, or from the inputs of that layer.

    Attributes:
        loss: name of a Keras loss that takes logits, or of one for regression.
        units: of a new layer; 0 for the sums of the model's own.
    """

    loss: str
    units: int = 0


@dataclass(frozen=True)
class Variant:
    """How the job is trained, where it differs from what the script says.

    Attributes:
        edits: changes of the model by name, in order.
        head: another output and loss.
        inputs: scaling of each array of inputs, None for those left alone.
        targets: scaling of each array of targets, None for those left alone.
        column: targets (n, 1) instead of (n,).
        optimizer: changed settings of the optimizer.
        rate: constant learning rate; None for the script's own, with its schedule.
        shuffle: whether the rows are shuffled; None for the script's own way.
        batch: examples a step; 0 for the script's own.
        longer: how many times as many epochs.
        weights: of the training examples; None for the script's own.
        plain: by the training step of Keras, where the model has one of its own.
    """

    edits: tuple[tuple[str, Edit], ...] = ()
    head: Head | None = None
    inputs: tuple[Scaling | None, ...] | None = None
    targets: tuple[Scaling | None, ...] | None = None
    column: bool = False
    optimizer: tuple[tuple[str, Any], ...] = ()
    rate: float | None = None
    shuffle: bool | None = None
    batch: int = 0
    longer: float = 1.0
    weights: Any = field(default=None, compare=False)
    balanced: bool = False
    plain: bool = False

    @property
    def graph(self) -> tuple[Any, ...]:
        """What two variants have in common that train by the same graph."""
        names = tuple(name for name, _ in self.edits)
        return names, self.head, self.optimizer, self.balanced, self.plain, self.column


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a training.

    Attributes:
        outputs: nested, of the held-out rows, in inference mode; targets' own unit.
        train_outputs: the same of some training rows.
        training_outputs: of the same training rows in training mode; None where there is no batch normalization.
        extra: outputs of the rows that were asked for besides.
        some: which training rows these are.
        losses: of each step.
        path: steps done, and outputs for `Probe.glimpse` then, at some points of the training.
        moved: how far the trainable weights went, in parts of their size at the start.
        still: trainable variables that did not move at all.
        steps, planned: gradient steps done, and those that the job plans.
        seconds: of training.
    """

    outputs: Nested
    train_outputs: Nested
    training_outputs: Nested
    extra: Nested
    some: np.ndarray
    losses: np.ndarray
    path: tuple[tuple[int, Nested], ...]
    moved: float
    still: tuple[keras.Variable, ...]
    steps: int
    planned: int
    seconds: float

    @property
    def cut(self) -> bool:
        """Whether time did not suffice for the steps that the job plans."""
        return self.steps < self.planned

    @property
    def finite(self) -> bool:
        """Whether losses and outputs stayed numbers."""
        return bool(np.isfinite(self.losses).all() and all(np.isfinite(o).all() for o in leaves(self.outputs)))


class Probe:
    """A model with its data, trained again and again from where it stands now.

    Args:
        model: compiled and built.
        data: what it is trained and scored on.
        rates: learning rate of each planned step, (steps,), as the script has it.
        head: the kernel layer of the output, for variants that replace what comes after it; None where there is none.
    """

    def __init__(self, model: keras.Model, data: Data, rates: np.ndarray, head: keras.layers.Layer | None) -> None:
        self.model, self.data, self.rates, self._head = model, data, rates, head
        self.step_seconds: float | None = None
        self._first = [v.numpy() for v in model.variables]
        self._optimizer = model.optimizer
        self._others = [
            (variable, variable.numpy())
            for other in vars(model).values()
            if isinstance(other, keras.optimizers.Optimizer) and other is not model.optimizer
            for variable in other.variables
        ]
        self._slots = [v.numpy() for v in self._optimizer.variables] if self._optimizer is not None else []
        self._graphs: dict[Any, _Graph] = {}
        self.some_rows = evenly(len(data.train), 1000)
        self.some = data.train.take(self.some_rows)
        self.glimpse = data.held.take(evenly(len(data.held), GLIMPSE))
        self._normalized = any(isinstance(p, keras.layers.BatchNormalization) for p in model._flatten_layers())

    @property
    def custom(self) -> bool:
        """Whether the model has a training step of its own."""
        return steps_itself(self.model)

    def restore(self) -> None:
        """Put the model back as it was found."""
        for variable, value in zip(self.model.variables, self._first, strict=False):
            variable.assign(value)
        for variable, value in self._others:
            variable.assign(value)
        if self._optimizer is not None:
            self.model.optimizer = self._optimizer
            for variable, value in zip(self._optimizer.variables, self._slots, strict=False):
                variable.assign(value)

    def train(
        self,
        variant: Variant,
        seed: int = 0,
        seconds: float = 1e9,
        steps: int | None = None,
        extra: Rows | None = None,
        watched: bool = False,
        least: int = 0,
    ) -> Outcome:
        """Train from the first weights, in the way of a variant; everything is put back afterwards.

        Args:
            variant: what is different from the script.
            seed: of the order of the data.
            seconds: after which training ends early.
            steps: at most this many steps; None for all that are planned.
            extra: more rows that outputs are wanted of.
            least: steps that are done however long they take.
            watched: look at the outputs on the way.
        """
        began = time.monotonic()
        with self._changed(variant) as graph:
            train, held = self._rows(self.data.train, variant), self._rows(self.data.held, variant)
            rates = self._rates_of(variant)
            planned = len(rates)
            rates = rates[:steps] if steps is not None else rates
            order = self._order(variant, seed, len(rates))
            before = [v.numpy() for v in graph.trainable]
            losses: list[np.ndarray] = []
            path: list[tuple[int, Nested]] = []
            glimpse = self._rows(self.glimpse, variant).x
            pieces = np.array_split(np.arange(len(rates)), min(CHUNKS, len(rates)))
            first = min(len(rates), 8)  # the first steps trace and tell how long the others take
            pieces = [p for p in (np.arange(first), *(p[p >= first] for p in pieces)) if len(p)]
            for piece in pieces:
                started = time.monotonic()
                losses.append(graph.train(train, order[piece], rates[piece]))
                each = (time.monotonic() - started) / len(piece)
                if piece is not pieces[0]:
                    self.step_seconds = each
                late = time.monotonic() - began + (each * len(piece) if len(losses) > 1 else 0) > seconds
                late &= piece[-1] + 1 >= least
                if watched and np.isfinite(losses[-1]).all():
                    path.append((sum(map(len, losses)), self._own_unit(variant, graph.predict(glimpse))))
                if late or not np.isfinite(losses[-1]).all():
                    break
            moved = _distance(before, graph.trainable)
            still = tuple(
                v for v, b in zip(graph.trainable, before, strict=True) if b.size and np.array_equal(v.numpy(), b)
            )
            some = self._rows(self.some, variant).x
            outputs, fitted = graph.predict(held.x), graph.predict(some)
            more = graph.predict(self._rows(extra, variant).x) if extra is not None else None
            active = graph.predict(some, training=True) if self._normalized else None
        outputs, fitted = self._own_unit(variant, outputs), self._own_unit(variant, fitted)
        done = np.concatenate(losses)
        steps_done = planned if not np.isfinite(done).all() else len(done)
        return Outcome(
            outputs,
            fitted,
            active,
            more,
            self.some_rows,
            done,
            tuple(path),
            moved,
            still,
            steps_done,
            planned,
            time.monotonic() - began,
        )

    def _own_unit(self, variant: Variant, outputs: Nested) -> Nested:
        if variant.targets is None or outputs is None:
            return outputs
        scalings = iter(variant.targets)
        named = sorted_nest(by_target(outputs, self.data.train.y, self.model))
        return mapped(lambda a: a if (s := next(scalings, None)) is None else s.undo(a), named)

    @contextmanager
    def _changed(self, variant: Variant) -> Iterator[_Graph]:
        with ExitStack() as undo:
            undo.callback(self.restore)
            for variable, value in [*zip(self.model.variables, self._first, strict=False), *self._others]:
                variable.assign(value)
            for _, edit in variant.edits:
                undo.callback(edit(self.model))
            if variant.graph not in self._graphs:
                self._graphs[variant.graph] = _Graph(self.model, self.custom, variant, self._head, self.data)
            graph = self._graphs[variant.graph]
            graph.reset()
            if graph.custom:
                self.model.optimizer = graph.optimizer
            yield graph

    def _rows(self, rows: Rows, variant: Variant) -> Rows:
        x, y, weights = rows.x, rows.y, rows.weights
        if variant.inputs is not None:
            scalings = iter(variant.inputs)
            x = mapped(lambda a: a if (s := next(scalings)) is None else s.apply(a), sorted_nest(x))
        if variant.targets is not None:
            scalings = iter(variant.targets)
            y = mapped(lambda a: a if (s := next(scalings)) is None else s.apply(a), sorted_nest(y))
        if variant.column:
            y = mapped(lambda a: a.reshape(-1, 1), y)
        if variant.balanced:
            weights = variant.weights if len(variant.weights) == len(rows) else None
        return Rows(x, y, weights)

    def _rates_of(self, variant: Variant) -> np.ndarray:
        batch = variant.batch or self.data.batch
        steps = max(1, round(len(self.rates) * variant.longer * self.data.batch / batch))
        if variant.rate is not None:
            return np.full(steps, variant.rate, "float32")
        at = np.minimum(np.arange(steps) * len(self.rates) // steps, len(self.rates) - 1)
        return self.rates[at]

    def _order(self, variant: Variant, seed: int, steps: int) -> np.ndarray:
        rows, batch = len(self.data.train), variant.batch or self.data.batch
        batch = min(batch, rows)
        generator = np.random.default_rng(seed)
        shuffle = not self.data.ordered if variant.shuffle is None else variant.shuffle
        epochs = range(-(-steps * batch // rows))
        each = [generator.permutation(rows) if shuffle else np.arange(rows) for _ in epochs]
        return np.concatenate(each)[: steps * batch].reshape(steps, batch).astype("int32")


class _Graph:
    """Training and prediction of one variant of a model, traced once."""

    def __init__(
        self, model: keras.Model, custom: bool, variant: Variant, head: keras.layers.Layer | None, data: Data
    ) -> None:
        self._model = model
        # No step of the script's own knows of layers that are new.
        self.custom = custom and not variant.plain and not (variant.head is not None and variant.head.units)
        self._loss: Any = None if variant.head is None else _loss(variant.head.loss)
        self._replaced = variant.head
        self._head_layer = head
        self._new: keras.layers.Layer | None = None
        if variant.head is not None and variant.head.units:
            assert head is not None
            self._new = keras.layers.Dense(
                variant.head.units, kernel_initializer=keras.initializers.GlorotUniform(0), dtype="float32"
            )
            with self._tapped("input") as caught:
                model(mapped(lambda a: a[:2], data.train.x), training=False)
            self._new.build(caught[-1].shape)
        added = [s for layer in model._flatten_layers() for s in getattr(layer, SUBSTITUTES, ())]
        added += [self._new] if self._new is not None else []
        self.trainable = [*model.trainable_variables, *(v for layer in added for v in layer.trainable_variables)]
        self.optimizer = _copied(model.optimizer, dict(variant.optimizer))
        if self.optimizer is not None:
            self.optimizer.build(self.trainable)
        self._slots = [(v, v.numpy()) for v in self.optimizer.variables] if self.optimizer is not None else []
        self._slots += [(v, v.numpy()) for layer in added for v in layer.variables]
        self._trained: Any = None
        self._size = max(8, data.batch)
        self._eager = False
        self._predict = tf.function(self._forward, reduce_retracing=True)

    def reset(self) -> None:
        for variable, value in self._slots:
            variable.assign(value)

    def train(self, rows: Rows, order: np.ndarray, rates: np.ndarray) -> np.ndarray:
        """Loss of each step."""
        data = (rows.x, rows.y, rows.weights)
        if self._eager:
            return self._walk(data, order, rates)
        if self._trained is None:
            self._trained = tf.function(self._steps, reduce_retracing=True)
        try:
            tensors = mapped(tf.convert_to_tensor, data)
            return np.asarray(self._trained(tensors, tf.constant(order), tf.constant(rates, "float32")))
        except (TypeError, ValueError, AttributeError, NotImplementedError, tf.errors.OperatorNotAllowedInGraphError):
            # Python in the step that no graph can hold: as slow as the script, but it runs.
            self._eager = True
            return self._walk(data, order, rates)

    def predict(self, x: Nested, training: bool = False) -> Nested:
        """Outputs, nested; None where the model makes none."""
        if not callable_(self._model):
            return None
        n, size, parts = len(leaves(x)[0]), self._size if training else 256, []
        for start in range(0, n, size):
            outputs = self._predict(_batch(x, np.arange(start, min(start + size, n))), training)
            parts.append(mapped(keras.ops.convert_to_numpy, outputs))
        found = iter([np.concatenate(each) for each in zip(*(leaves(p) for p in parts), strict=True)])
        return mapped(lambda _: next(found), sorted_nest(parts[0]))

    def _steps(self, data: Any, order: tf.Tensor, rates: tf.Tensor) -> tf.Tensor:
        steps = tf.shape(order)[0]
        losses = tf.TensorArray(tf.float32, steps, element_shape=[])
        for i in tf.range(steps):
            if self.optimizer is not None:
                self.optimizer.learning_rate.assign(rates[i])
            losses = losses.write(i, tf.cast(self._step(_batch(data, order[i])), tf.float32))
        return losses.stack()

    def _walk(self, data: Any, order: np.ndarray, rates: np.ndarray) -> np.ndarray:
        losses = []
        for rows, rate in zip(order, rates, strict=True):
            if self.optimizer is not None:
                self.optimizer.learning_rate.assign(rate)
            losses.append(float(self._step(_batch(data, tf.constant(rows)))))
        return np.array(losses)

    def _step(self, batch: Any) -> Any:
        x, y, weights = batch
        if self.custom:
            given = (x, y, weights) if weights is not None else (x, y) if y is not None else (x,)
            with self._judged():
                logs = self._model.train_step(given)
            found = logs.get("loss") if isinstance(logs, dict) else None
            if found is None:
                found = next(iter(logs.values()), 0.0) if isinstance(logs, dict) else 0.0
            return keras.ops.mean(keras.ops.cast(found, "float32"))
        with tf.GradientTape() as tape:
            outputs = self._forward(x, training=True)
            if self._loss is None:
                loss = self._model.compute_loss(x=x, y=y, y_pred=outputs, sample_weight=weights, training=True)
            else:
                loss = self._loss_of(y, outputs, weights)
            scaled = self.optimizer.scale_loss(loss)
        self.optimizer.apply(tape.gradient(scaled, self.trainable), self.trainable)
        return loss

    def _loss_of(self, y: Any, outputs: Any, weights: Any) -> Any:
        if len(y.shape) == len(outputs.shape) - 1 and getattr(self._loss, "name", "").startswith("binary"):
            y = tf.expand_dims(y, -1)
        loss = self._loss(y, outputs, sample_weight=weights)
        return loss + tf.add_n([tf.cast(part, tf.float32) for part in self._model.losses] or [0.0])

    @contextmanager
    def _judged(self) -> Iterator[None]:
        """The loss of a variant in place of that which a step of the script's own asks the model for."""
        if self._loss is None:
            yield
            return
        with self._tapped("sums") as caught:

            def compute_loss(
                x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, **_: Any
            ) -> Any:
                return self._loss_of(y, keras.ops.cast(caught[-1], "float32"), sample_weight)

            object.__setattr__(self._model, "compute_loss", compute_loss)
            try:
                yield
            finally:
                object.__delattr__(self._model, "compute_loss")

    def _forward(self, x: Any, training: bool = False) -> Any:
        if self._replaced is None:
            return self._model(x, training=training)
        with self._tapped("input" if self._new is not None else "sums") as caught:
            self._model(x, training=training)
        found = caught[-1] if self._new is None else self._new(caught[-1])
        return keras.ops.cast(found, "float32")

    @contextmanager
    def _tapped(self, what: str) -> Iterator[list[Any]]:
        """What the kernel layer of the output takes, or makes of it before any activation."""
        layer: Any = self._head_layer
        caught: list[Any] = []
        call, activation, edited = layer.call, layer.activation, vars(layer).get("call")

        def tapped(x: Any, *args: Any, **kwargs: Any) -> Any:
            if what == "input":
                caught.append(x)
                return call(x, *args, **kwargs)
            layer.activation = keras.activations.linear
            try:
                sums = call(x, *args, **kwargs)
            finally:
                layer.activation = activation
            caught.append(sums)
            return activation(sums) if activation is not None else sums

        object.__setattr__(layer, "call", tapped)
        try:
            yield caught
        finally:
            if edited is None:
                object.__delattr__(layer, "call")
            else:
                object.__setattr__(layer, "call", edited)


def callable_(model: keras.Model) -> bool:
    """Whether a model makes outputs of inputs; one that is all in its `train_step`, as many GANs are, does not."""
    return type(model).call is not keras.Model.call


def _batch(data: Nested, rows: Any) -> Nested:
    """These rows of nested arrays or tensors."""
    return mapped(lambda a: tf.gather(a, rows), data)


def _loss(name: str) -> keras.losses.Loss:
    """A loss of Keras by the name of its function; those of probabilities take logits."""
    words = {"sparse": "Sparse", "log": "Log", "cosh": "Cosh"}
    kind = getattr(keras.losses, "".join(words.get(part, part.capitalize()) for part in name.split("_")))
    found: keras.losses.Loss = kind(from_logits=True) if "crossentropy" in name else kind()
    return found


def _copied(optimizer: Any, changes: dict[str, Any]) -> Any:
    """A new optimizer of the same settings, whose rate is a variable."""
    if optimizer is None:
        return None
    inner = unwrapped(optimizer)
    config = inner.get_config()
    config["learning_rate"] = 0.0
    copy = type(inner).from_config(config | changes)
    return keras.optimizers.LossScaleOptimizer(copy) if inner is not optimizer else copy


def _distance(before: Sequence[np.ndarray], after: Sequence[Any]) -> float:
    """Root mean square of what weights moved by, in parts of that of the weights, over all of them; nan for none."""
    if not before:
        return 0.0
    moved = sum(float(np.square(a.numpy().astype("float64") - b).sum()) for a, b in zip(after, before, strict=True))
    size = sum(float(np.square(b.astype("float64")).sum()) for b in before)
    return float(np.sqrt(moved / max(size, 1e-12)))


def by_target(outputs: Nested, y: Nested, model: keras.Model) -> Nested:
    """Outputs that have targets, in the order in which `leaves` walks these."""
    names = getattr(model, "output_names", None)
    if isinstance(y, dict) and isinstance(outputs, list | tuple) and names and len(names) == len(outputs):
        outputs = dict(zip(names, outputs, strict=True))
    if isinstance(y, dict) and isinstance(outputs, dict) and set(y) <= set(outputs):
        return {name: outputs[name] for name in y}
    return outputs


def with_(variant: Variant, **changes: Any) -> Variant:
    """`variant` with these fields changed; edits are added to those that it has."""
    if "edits" in changes:
        changes["edits"] = (*variant.edits, *changes["edits"])
    return replace(variant, **changes)
