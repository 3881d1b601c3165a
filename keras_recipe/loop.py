"""Two graphs that train and apply any compiled Keras model, each traced once.

`model.fit` pays for every batch in Python: data adapters, metrics, callbacks. Here one `tf.function` walks over a
matrix of row numbers, whole epochs at a call, and the same trace serves every seed, rate, batch size and length.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from keras_recipe.models.features import is_frozen, is_pretrained, split
from keras_recipe.reseed import Build, initialized, seeded, variables_of

if TYPE_CHECKING:
    import keras

PREDICT_VALUES = 2**22
"""Input values of a step when predicting: the activations behind them then take some hundred megabytes at most."""

Rows = Any
"""A tensor or an array, examples first."""

Apply = Callable[[Rows], np.ndarray]


def predict_batch(shape: Sequence[int]) -> int:
    """Examples of this shape a step when predicting: 8 to 256, which fill the cores and stay in their caches."""
    return max(8, min(256, PREDICT_VALUES // int(np.prod(shape))))


def draws_from_tensorflow(function: Any) -> bool:
    """Whether a traced function draws from TensorFlow's own generator: `tf.random.normal` does, Keras does not."""
    graph = function.graph.as_graph_def()
    nodes = (node for part in (graph, *graph.library.function) for node in getattr(part, "node_def", graph.node))
    return any(node.op.startswith(("Random", "TruncatedNormal", "Multinomial")) for node in nodes)


def spec_of(model: keras.Model) -> tf.TensorSpec:
    """Any number of the model's inputs."""
    return tf.TensorSpec([None, *model.input_shape[1:]], model.inputs[0].dtype)


def batched(model: keras.Model) -> Apply:
    """A function from inputs (examples, ...) to the model's outputs (examples, units) in inference mode, traced
    once."""
    size = predict_batch(model.input_shape[1:])

    @tf.function(input_signature=[spec_of(model)])
    def predict(x: tf.Tensor) -> tf.Tensor:
        steps = (tf.shape(x)[0] + size - 1) // size
        outputs = tf.TensorArray(tf.float32, steps, infer_shape=False, element_shape=[None, model.output_shape[-1]])
        for i in tf.range(steps):
            batch = x[i * size : (i + 1) * size]
            outputs = outputs.write(i, tf.cast(model(batch, training=False), tf.float32))
        return outputs.concat()

    return lambda x: predict(x).numpy()


def augmented(
    augmentation: keras.Model | None, x: tf.Tensor, y: tf.Tensor, outputs: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """What an augmentation makes of a batch; class indices become (batch, outputs) where labels are mixed."""
    if augmentation is None:
        return x, y
    if len(augmentation.inputs) == 1:
        return augmentation(x, training=True), y
    labels = y if len(y.shape) == 2 else tf.one_hot(y, outputs)
    pair = [tf.convert_to_tensor(x), tf.convert_to_tensor(labels)]
    return tuple(augmentation(pair, training=True))


class Loop:
    """A compiled model with its augmentation, ready to be trained from any seed.

    Args:
        build: returns a compiled model and an augmentation (or None), drawing all randomness from the global
            generators. It is called once for the graphs, and once for each seed as the source of fresh weights.
    """

    def __init__(self, build: Build) -> None:
        self._build = build
        self.model, self.augmentation, self._initializers = initialized(build)
        self._body = self.model
        self._state = self._kept = variables_of(self.model, self.augmentation)
        self.optimizer = self.model.optimizer
        self.optimizer.build(self.model.trainable_variables)
        self._rate = float(self.optimizer.learning_rate)
        self._slots = [v for v in self.optimizer.variables if v is not self.optimizer.learning_rate]
        self._fresh_slots = [v.numpy() for v in self._slots]
        self._seed, self._draws_from_tensorflow = 0, False
        self._seen: tuple[Rows, Rows] | None = None
        self._trace()

    def _trace(self) -> None:
        self._train: Any = None
        self._predict = batched(self._body)

    @cached_property
    def parts(self) -> tuple[Apply, Loop] | None:
        """What a backbone that is frozen or pretrained makes of the inputs, and a loop over the rest, which takes that.

        The other loop trains the rest alone. It shares all variables, the optimizer and `reset` with this one; its
        `state` is that of the rest. None where there is no such backbone.
        """
        if not (self.frozen or is_pretrained(self.model)):
            return None
        before, body = split(self.model)
        rest = copy.copy(self)
        rest._body, rest.augmentation = body, None
        # Random generators of an augmentation, too: another process must go on with them.
        changing = {id(v) for v in variables_of(body, self.augmentation)}
        rest._kept = [v for v in self._kept if id(v) in changing]
        rest._trace()
        return batched(before), rest

    @cached_property
    def frozen(self) -> bool:
        """Whether a backbone is not trained, so that the rest is all that changes."""
        return is_frozen(self.model)

    def behind_the_frozen(self, x: Rows) -> tuple[Loop, Rows]:
        """What a short run on a few examples trains: a loop, and these examples as it takes them.

        Where a backbone is frozen and nothing is augmented, that is the rest of the model and the features of the
        examples, which are computed here instead of in every step; elsewhere it is this loop and x itself.
        """
        if self.parts is None or not self.frozen or self.augmentation is not None:
            return self, x
        apply, rest = self.parts
        if not is_pretrained(self.model):  # each seed has a backbone of its own
            return rest, apply(x)
        if self._seen is None or not np.array_equal(self._seen[0], x):
            self._seen = x, apply(x)
        return rest, self._seen[1]

    @property
    def input_values(self) -> int:
        """Numbers that one example consists of, as this loop takes it."""
        return int(np.prod(self._body.input_shape[1:]))

    def reset(self, seed: int, learning_rate: float | None = None) -> None:
        """Give weights, optimizer and random generators the values that a new build under `seed` has."""
        self._seed = seed
        if self._draws_from_tensorflow:
            tf.random.set_seed(seed)
        if self._initializers.complete:
            self._initializers.draw(seed)
        else:  # a layer has made variables of its own, in a way that only it knows
            with seeded(seed, everything=True):
                twin = variables_of(*self._build())
            for old, new in zip(self._state, twin, strict=True):
                old.assign(new)
        self.restart()
        self.set_rate(learning_rate)

    def set_rate(self, learning_rate: float | None, factor: float = 1.0) -> None:
        """Let the next steps move at `factor` times this learning rate; None stands for the optimizer's own."""
        self.optimizer.learning_rate.assign((self._rate if learning_rate is None else learning_rate) * factor)

    def restart(self) -> None:
        """Let the optimizer forget its past: moments of weights that did not move would be wrong for hundreds of
        steps."""
        for slot, value in zip(self._slots, self._fresh_slots, strict=True):
            slot.assign(value)

    def train(self, x: Rows, y: Rows, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One gradient step for each row of `order`, (steps, batch) row numbers into `x` and `y`.

        Returns:
            loss of each step, (steps,), and the outputs as trained, (steps * batch, units), in the given order.
        """
        if self._train is None:  # the labels' type is known only now
            labels = tf.TensorSpec([None, *y.shape[1:]], y.dtype)
            steps = tf.TensorSpec([None, None], "int32")
            self._train = tf.function(self._train_steps, input_signature=[spec_of(self._body), labels, steps])
            self._draws_from_tensorflow = draws_from_tensorflow(self._train.get_concrete_function())
            if self._draws_from_tensorflow:
                tf.random.set_seed(self._seed)
        losses, outputs = self._train(x, y, tf.constant(order, "int32"))
        return losses.numpy(), outputs.numpy()

    def augmented(self, x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """A batch as it is trained on; class indices become (batch, classes) where labels are mixed."""
        return augmented(self.augmentation, x, y, self.model.output_shape[-1])

    def predict(self, x: Rows) -> np.ndarray:
        """Outputs in inference mode, (len(x), units)."""
        return self._predict(x)

    def state(self) -> list[np.ndarray]:
        """Everything that the next step depends on: weights, optimizer, random generators."""
        return [v.numpy() for v in (*self._kept, *self._slots)]

    def restore(self, state: Sequence[np.ndarray]) -> None:
        """Inverse of `state`."""
        for variable, value in zip((*self._kept, *self._slots), state, strict=True):
            variable.assign(value)

    def _train_steps(self, x: tf.Tensor, y: tf.Tensor, order: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        steps = tf.shape(order)[0]
        outputs = tf.TensorArray(tf.float32, steps, element_shape=[None, self.model.output_shape[-1]])
        losses = tf.TensorArray(tf.float32, steps, element_shape=[])
        for i in tf.range(steps):
            rows = order[i]
            loss, predictions = self._step(tf.gather(x, rows), tf.gather(y, rows))
            losses = losses.write(i, tf.cast(loss, tf.float32))
            outputs = outputs.write(i, predictions)
        return losses.stack(), outputs.concat()

    def _step(self, x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y = self.augmented(x, y)
        with tf.GradientTape() as tape:
            predictions = self._body(x, training=True)
            loss = self.model.compute_loss(x=x, y=y, y_pred=predictions, training=True)
            scaled = self.optimizer.scale_loss(loss)
        variables = self._body.trainable_variables
        self.optimizer.apply(tape.gradient(scaled, variables), variables)
        return loss, tf.cast(predictions, tf.float32)
