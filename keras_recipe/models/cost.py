"""What a model costs, counted and not timed: the same on every machine, and in every run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Cost:
    """Of one prediction.

    Attributes:
        inputs: numbers that the network sees of an example.
        weights: that are trained.
        multiply_adds: of a forward pass, in its dense layers and convolutions.
    """

    inputs: int
    weights: int
    multiply_adds: int

    def less(self, other: Cost) -> str:
        """What of it is less than the other's, in words: "42 % fewer weights"; "" where nothing is, or anything is
        more."""
        parts = [(name.replace("_", "-"), getattr(self, name), getattr(other, name)) for name in vars(self)]
        if any(own > its for _, own, its in parts):
            return ""
        return ", ".join(f"{_percent(1 - own / its)} fewer {name}" for name, own, its in parts if own < its)


def cost(model: keras.Model) -> Cost:
    """Count the cost of a built model.

    Multiply-adds are positions of a layer's output times the weights that meet there; normalization, activations and
    pooling are left out, as in the tables of the MobileNet papers (Howard et al., 2017).
    """
    layers = [layer for layer in model._flatten_layers(include_self=False) if hasattr(layer, "kernel")]
    weights = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    return Cost(_seen(model), weights, sum(map(_multiply_adds, layers)))


def _multiply_adds(layer: keras.layers.Layer) -> int:
    weights = int(np.prod(layer.kernel.shape))
    if not layer._inbound_nodes:  # a part of another layer, such as the cell of an LSTM, has no output of its own
        return weights
    shape = layer.output.shape
    # The other axes of an output are positions where the weights are used again, but in an einsum, which may name one
    # of the weights' own.
    return weights * int(np.prod(shape[1:-1])) if type(layer).__name__ != "EinsumDense" else weights


def _seen(model: keras.Model) -> int:
    """Numbers of an example that reach the first layer with weights to train; all of them, where there is none."""
    first = next((layer for layer in model.layers if layer.trainable_weights), None)
    shape = model.input_shape if first is None or isinstance(first.input, list) else first.input.shape
    return int(np.prod(shape[1:]))


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %") if share >= 0.01 else f"{share:.1%}".replace("%", " %")
