"""What a gradient step does to weights, measured at a few points of a trial: weights, gradients, updates.

Nothing is computed a second time. The step is taken alone and the weights before it are compared with those behind it;
the gradient is read back from the first moment that the optimizer keeps. So the graph that trains is the same, and so
are its results, to the bit, whether somebody measures or not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from keras_recipe.checkpoint import write_arrays
from keras_recipe.core.config import Config
from keras_recipe.models.layers import placed
from keras_recipe.spread import evenly

if TYPE_CHECKING:
    from keras_recipe.loop import Loop

R = TypeVar("R")

FILE = "histograms.npz"

POINTS = 6
"""Gradient steps of a trial that are measured: the first of as many epochs, evenly spread, first and last included."""

LAYERS = 8
"""Weight matrices that are measured, evenly spread from the first to the last."""

BINS = 30
"""Of a histogram; TensorBoard's own writer has as many."""

VALUES = 20_000
"""Values of a weight matrix that are counted, at even distances: the time then does not depend on the model's size."""

KINDS = ("weights", "gradients", "updates")
"""In the order of the arrays. Updates are log10(|change of a weight| / root mean square of its matrix): about -3 is
healthy (Karpathy, "A Recipe for Training Neural Networks" and CS231n)."""


@dataclass(frozen=True)
class Watched:
    """Weight matrices of a model, and where the optimizer keeps their first moments.

    Attributes:
        names: of layers and variables, numbered in the order in which data flows.
        weights: Keras variables.
        moments: one a weight; None where the optimizer keeps none from which a gradient can be read.
    """

    optimizer: Any
    names: tuple[str, ...]
    weights: tuple[Any, ...]
    moments: tuple[Any | None, ...]

    @classmethod
    def of(cls, loop: Loop) -> Watched:
        """The weight matrices of a loop's whole model that training may move."""
        trainable = loop.model.trainable_variables
        owners = {id(v): f"{p.name}/{v.name}" for p in placed(loop.model) for v in p.layer.trainable_variables}
        matrices = [i for i, v in enumerate(trainable) if len(v.shape) > 1]
        kept = [matrices[i] for i in evenly(len(matrices), LAYERS)]
        slots = [v for v in loop.optimizer.variables if v.name.endswith("_momentum")]
        found = len(slots) == len(trainable) and _kind(loop.optimizer) is not None
        names = (f"{n:02d} {owners.get(id(trainable[i]), trainable[i].name)}" for n, i in enumerate(kept, start=1))
        return cls(
            loop.optimizer,
            tuple(names),
            tuple(trainable[i] for i in kept),
            tuple(slots[i] if found else None for i in kept),
        )

    def around(self, step: Callable[[], R]) -> tuple[R, np.ndarray]:
        """Take a gradient step, and return what it returns with the histograms, (kinds, weights, 2 + BINS) float32:
        low and high end, and counts; all 0 where there is nothing to count."""
        before = [(_some(w), None if m is None else _some(m)) for w, m in zip(self.weights, self.moments, strict=True)]
        result = step()
        found = np.zeros((len(KINDS), len(self.weights), 2 + BINS), "float32")
        for i, (weights, moment) in enumerate(before):
            found[0, i] = histogram(weights)
            change = np.abs(_some(self.weights[i]) - weights)
            if not change.any():  # a part that does not train yet
                continue
            size = max(float(np.sqrt(np.square(weights, dtype="float64").mean())), 1e-12)
            found[2, i] = histogram(np.log10(change[change > 0] / size))
            if moment is not None:
                found[1, i] = histogram(self._gradient(moment, _some(self.moments[i])))
        return result, found

    def _gradient(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """The gradient as the optimizer saw it (clipped, where it clips)."""
        if _kind(self.optimizer) == "sgd":
            rate = max(float(self.optimizer.learning_rate), 1e-30)
            return (self.optimizer.momentum * before - after) / rate
        return before + (after - before) / (1.0 - self.optimizer.beta_1)


def due(epoch: int, config: Config) -> bool:
    """Whether the first step of this epoch (0 is the first) is one that is measured: those of a trial that lets the
    rate fall are those of the trial that it goes on from, and its last one."""
    even = {round(i * (config.epochs - 1) / (POINTS - 1)) for i in range(POINTS)}
    return epoch in even or epoch == config.all_epochs - 1


def histogram(values: np.ndarray) -> np.ndarray:
    """Low end, high end and BINS counts, (2 + BINS,) float32; what is not finite is not counted."""
    finite = values[np.isfinite(values)].astype("float64")
    if not finite.size:
        return np.zeros(2 + BINS, "float32")
    low, high = finite.min(), finite.max()
    counts = np.bincount(np.minimum((finite - low) / max(high - low, 1e-300) * BINS, BINS - 1).astype(int), None, BINS)
    return np.array([low, high, *counts], "float32")


def write(folder: Path, names: tuple[str, ...], points: dict[int, np.ndarray]) -> None:
    """Write the histograms of a trial beside its other arrays. Raises OSError."""
    if points and names:
        epochs = sorted(points)
        write_arrays(
            folder / FILE,
            {"names": np.array(names), "epochs": np.array(epochs), "points": np.stack([points[e] for e in epochs])},
        )


def _kind(optimizer: Any) -> str | None:
    """Whose first moment a gradient can be read from."""
    import keras

    if isinstance(optimizer, keras.optimizers.SGD):
        return "sgd"
    return "adam" if isinstance(optimizer, keras.optimizers.Adam | keras.optimizers.Nadam) else None


def _some(variable: Any) -> np.ndarray:
    """A copy of at most VALUES of its values. The distance is odd, so that it does not fall in step with channels."""
    flat = variable.numpy().ravel()
    some: np.ndarray = flat[:: (-(-flat.size // VALUES)) | 1].copy()
    return some
