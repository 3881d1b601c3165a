"""What a model is made of, found by watching one forward pass: it is the same for every way of writing a model."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np

from keras_recipe.diagnosis.rows import leaves

LOCATION, COMPILED = "_keras_recipe_location", "_keras_recipe_location_compile"
"""Attributes that hold the line where a layer was made, and where a model was compiled."""

LINEAR = (
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "Flatten",
    "Reshape", "Permute", "BatchNormalization", "LayerNormalization", "AveragePooling1D", "AveragePooling2D",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "MaxPooling1D", "MaxPooling2D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "ZeroPadding2D", "Cropping2D", "ActivityRegularization", "InputLayer", "Identity",
)  # fmt: skip
"""Layers that make no non-linear function out of a linear one (pooling the maximum makes hardly one)."""

PASSING = ("Identity", "Flatten", "Reshape", "Dropout", "GaussianNoise", "GaussianDropout")
"""Layers after which, in inference mode, the same numbers stand."""

ACTIVATING = ("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax")

KERNELS = (
    keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D,
    keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose,
)  # fmt: skip
"""Layers that multiply their input by a kernel."""


@dataclass(frozen=True, eq=False)
class Call:
    """One layer at work.

    Attributes:
        layer: one without layers inside.
        input, output: its first tensors, of some examples.
    """

    layer: keras.layers.Layer
    input: Any
    output: Any

    @property
    def weighted(self) -> bool:
        """Whether it multiplies by a kernel that training may move."""
        return isinstance(self.layer, KERNELS) or (bool(self.layer.weights) and hasattr(self.layer, "kernel"))


@dataclass(frozen=True, eq=False)
class Anatomy:
    """A model, layer by layer, in the order in which data flows.

    Attributes:
        calls: every layer that was called.
        outputs: of the model, in inference mode.
        penalty: sum of the losses that layers add by themselves.
    """

    calls: tuple[Call, ...]
    outputs: Any
    penalty: float = 0.0

    @cached_property
    def weighted(self) -> tuple[Call, ...]:
        """Dense, convolution and recurrent layers."""
        return tuple(c for c in self.calls if c.weighted)

    @cached_property
    def heads(self) -> tuple[tuple[Call, str], ...]:
        """For each output of the model: the kernel layer that it comes from, and the activation that makes it of its
        sums; "" for one that is not known.

        None of them where an output comes from something else.
        """
        found = []
        for output in leaves(self.outputs):
            after: list[str] = []
            call = self.maker(output)
            while call is not None and type(call.layer).__name__ in (*ACTIVATING, *PASSING):
                after.append(activation(call.layer))
                call = self.maker(call.input, call)
            if call is None:  # computed by a function: the last kernel layer, if the numbers say so
                call = next(
                    (c for c in reversed(self.weighted) if np.size(values(c.output)) == np.size(values(output))), None
                )
                if call is not None:
                    after.append(_same(values(call.output), values(output)))
            if call is not None and call.weighted:
                named = [name for name in (activation(call.layer), *after) if name != "linear"]
                found.append((call, "linear" if not named else named[0] if len(named) == 1 else ""))
        return tuple(found)

    @cached_property
    def linear_pairs(self) -> tuple[tuple[Call, Call], ...]:
        """Kernel layers without an activation whose outputs reach the next kernel layer by linear layers alone."""
        found = []
        for call in self.weighted:
            before = self.maker(call.input, call)
            while before is not None and not before.weighted and type(before.layer).__name__ in LINEAR:
                before = self.maker(before.input, before)
            if before is not None and isinstance(before.layer, KERNELS) and activation(before.layer) == "linear":
                found.append((before, call))
        return tuple(found)

    def maker(self, tensor: Any, before: Call | None = None) -> Call | None:
        """The last call (before a given one) that put out this very tensor.

        A layer without an effect, dropout in inference mode, puts out what it takes; order tells it from its input.
        """
        end = len(self.calls) if before is None else self.calls.index(before)
        return next((c for c in reversed(self.calls[:end]) if c.output is tensor), None)


def watch(model: keras.Model, x: Any, training: bool = False) -> Anatomy:
    """Apply a model to some examples, and note what each layer took and gave.

    Args:
        model: built, or built by this.
        x: nested arrays.
        training: in training mode; the state of batch normalization moves then.
    """
    if not model.built:
        model(x, training=training)  # builds, in ways of its own
    calls: list[Call] = []
    original = keras.layers.Layer.__call__

    def noted(layer: Any, *args: Any, **kwargs: Any) -> Any:
        output = original(layer, *args, **kwargs)
        # A layer with layers inside (Bidirectional, a block) has its parts noted; a recurrent layer counts as one.
        inside = [part for part in layer._flatten_layers(include_self=False) if part.weights or part._layers]
        if not inside or isinstance(layer, keras.layers.RNN):
            given = args[0] if args else next(iter(kwargs.values()), None)
            if not isinstance(_first(output), keras.KerasTensor):
                calls.append(Call(layer, _first(given), _first(output)))
        return output

    keras.layers.Layer.__call__ = noted
    try:
        outputs = model(x, training=training)
    finally:
        keras.layers.Layer.__call__ = original
    cells = {id(c.layer.cell) for c in calls if isinstance(c.layer, keras.layers.RNN)}
    penalty = sum(float(np.sum(values(part))) for part in model.losses)
    return Anatomy(tuple(c for c in calls if id(c.layer) not in cells), outputs, penalty)


def _same(sums: np.ndarray, outputs: np.ndarray) -> str:
    """The activation that makes these outputs of these sums, "" for none that is known."""
    sums, outputs = sums.reshape(len(sums), -1), outputs.reshape(len(outputs), -1)
    if sums.shape != outputs.shape:
        return ""
    for name in ("linear", "sigmoid", "softmax", "tanh", "relu", "softplus", "exponential", "log_softmax"):
        found = np.asarray(keras.activations.get(name)(sums.astype("float32")), "float64")
        if np.allclose(found, outputs, rtol=1e-3, atol=1e-5):
            return name
    # Over another axis it is the same function, which the head is told by what its outputs add up to.
    wrong = np.asarray(keras.activations.softmax(sums.astype("float32"), axis=0), "float64")
    return "softmax" if np.allclose(wrong, outputs, rtol=1e-3, atol=1e-5) else ""


def activation(layer: keras.layers.Layer) -> str:
    """Name of what a layer does to its sums: "linear", "relu", ...; "" where it is a function of the script's own."""
    if type(layer).__name__ in ("ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax"):
        return type(layer).__name__.lower().replace("leakyrelu", "leaky_relu")
    found = getattr(layer, "activation", None)
    if found is None:
        return "linear"
    if isinstance(found, keras.layers.Layer):
        return activation(found)
    name = str(getattr(found, "__name__", ""))
    return name if getattr(keras.activations, name, None) is found else _known_as(found)


@functools.cache
def _known_as(function: Callable[[Any], Any]) -> str:
    """The activation of Keras that a function is, tf.nn.softmax or a lambda, by what it makes of some numbers."""
    numbers = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    try:
        return _same(numbers, values(function(keras.ops.convert_to_tensor(numbers))))
    except Exception:  # a function of the script's own may ask for anything
        return ""


def values(tensor: Any) -> np.ndarray:
    """A tensor as float64, or nothing where it holds no numbers."""
    if tensor is None or not hasattr(tensor, "shape"):
        return np.empty(0)
    found = np.asarray(keras.ops.convert_to_numpy(tensor))
    return found.astype("float64") if found.dtype.kind in "iufb" else np.empty(0)


def _first(nested: Any) -> Any:
    while isinstance(nested, list | tuple | dict) and nested:
        nested = next(iter(nested.values())) if isinstance(nested, dict) else nested[0]
    return nested


def location_of(thing: Any) -> str:
    """ "file.py:12" where a layer was made; "" where nobody knows."""
    return str(getattr(thing, LOCATION, ""))


def unwrapped(optimizer: Any) -> Any:
    """The optimizer without what mixed precision wraps around it; None for None."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def steps_itself(model: keras.Model) -> bool:
    """Whether the model has a training step of its own."""
    return type(model).train_step is not keras.Model.train_step


def compiled_at(model: keras.Model) -> str:
    """ "file.py:12" where a model was compiled; "" where nobody knows."""
    return str(getattr(model, COMPILED, ""))


def caller() -> str:
    """The innermost line of the user's own code on the stack, "train.py:12"."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if not (f"{os.sep}site-packages{os.sep}" in name or name.startswith(("<", _OWN, _LIBRARY))):
            return f"{_short(name)}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return ""


def _short(name: str) -> str:
    try:
        relative = os.path.relpath(name)
    except ValueError:
        return name
    return name if relative.startswith("..") else relative


_OWN = os.path.dirname(os.path.dirname(__file__)) + os.sep
_LIBRARY = os.path.dirname(os.__file__) + os.sep


@contextmanager
def located() -> Iterator[None]:
    """Note where each layer is made and each model is compiled."""
    made, compiled = keras.layers.Layer.__init__, keras.Model.compile

    @functools.wraps(made)  # Keras reads the signature
    def init(layer: Any, *args: Any, **kwargs: Any) -> None:
        made(layer, *args, **kwargs)
        if not hasattr(layer, LOCATION):
            object.__setattr__(layer, LOCATION, caller())

    @functools.wraps(compiled)
    def compile_(model: Any, *args: Any, **kwargs: Any) -> None:
        compiled(model, *args, **kwargs)
        object.__setattr__(model, COMPILED, caller())

    keras.layers.Layer.__init__, keras.Model.compile = init, compile_
    try:
        yield
    finally:
        keras.layers.Layer.__init__, keras.Model.compile = made, compiled
