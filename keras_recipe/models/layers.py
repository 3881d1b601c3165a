"""The layers of a model in the order in which data flows, those of nested models too, and what they put out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

BATCH = 32
"""Examples at a time: the activations of many layers are held at once."""

Compute = Callable[[np.ndarray], Iterator[list[np.ndarray]]]
"""From inputs (examples, ...) to tensors inside the model in inference mode, float32, BATCH examples at a time."""


@dataclass(frozen=True)
class Placed:
    """A layer and where it is.

    Attributes:
        layer: one whose output can be asked for; a block that only its class knows is one layer.
        name: as a person finds it, `backbone/Conv1`. Keras counts layers that have no name of their own over the whole
            process; here they are counted within their model, so that the same model has the same names always.
        within: the nested models around it, from the outside in; empty at the top.
    """

    layer: keras.layers.Layer
    name: str
    within: tuple[keras.Model, ...] = ()

    @property
    def trainable(self) -> bool:
        """Whether training moves any of its weights."""
        return bool(self.layer.trainable_variables)


def placed(model: keras.Model, within: tuple[keras.Model, ...] = (), prefix: str = "") -> list[Placed]:
    """Layers of a functional model, from the inputs to the outputs; none of a model that is no graph of layers.

    Args:
        model: with nested models, or without.
        within: the models around it.
        prefix: of the names.
    """
    import keras

    found = []
    counts: Counter[str] = Counter()
    for layer in model.layers:
        name = prefix + _called(layer, counts)
        if isinstance(layer, keras.Model) and _is_graph(layer) and len(layer._inbound_nodes) > 0:
            found += placed(layer, (*within, layer), f"{name}/")
        elif _is_graph(model) and not isinstance(layer, keras.layers.InputLayer):
            found.append(Placed(layer, name, within))
    return found


def _called(layer: keras.layers.Layer, counts: Counter[str]) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", type(layer).__name__).lower()
    base = re.sub(r"_\d+$", "", layer.name)
    if base.replace("_", "") != words.replace("_", ""):
        return str(layer.name)
    counts[base] += 1
    return base if counts[base] == 1 else f"{base}_{counts[base] - 1}"


def outputs_of(model: keras.Model, layers: Sequence[Placed]) -> Compute:
    """A function from inputs to the layers' outputs, all of which must be within the same models."""
    return _computed(model, layers[0].within, [p.layer.output for p in layers])


def inputs_of(model: keras.Model, layers: Sequence[Placed]) -> Compute:
    """The same for what the layers are fed with."""
    return _computed(model, layers[0].within, [p.layer.input for p in layers])


def _computed(model: keras.Model, within: Sequence[keras.Model], tensors: Sequence[Any]) -> Compute:
    import keras

    start, feeds = model, []
    for nested in within:
        feeds.append(keras.Model(start.inputs[0], _fed(nested)))
        start = nested
    last = keras.Model(start.inputs[0], list(tensors))

    def compute(x: np.ndarray) -> Iterator[list[np.ndarray]]:
        for begin in range(0, len(x), BATCH):
            values: Any = x[begin : begin + BATCH]
            for feed in feeds:
                values = feed(values, training=False)
            outputs = last(values, training=False)
            several = outputs if isinstance(outputs, list | tuple) else [outputs]  # Keras unpacks a list of one
            yield [np.asarray(v).astype("float32") for v in several]

    return compute


def _fed(nested: keras.Model) -> Any:
    """The tensor that the model around it feeds to a nested model."""
    return nested._inbound_nodes[-1].input_tensors[0]


def _is_graph(model: keras.Model) -> bool:
    return isinstance(getattr(model, "inputs", None), list) and hasattr(model, "_operations_by_depth")
