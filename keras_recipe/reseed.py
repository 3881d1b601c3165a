"""Fresh weights for a model that is built already: what a new build under a seed would draw, without the build.

Building a Keras model costs as much as tens of gradient steps, and a study trains the same model from many seeds.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

_GLOBAL = threading.RLock()
"""Python's, NumPy's and TensorFlow's generators belong to the process: one thread at a time may seed them."""

_SEED_STATE = "seed_generator_state"

Build = Callable[[], tuple[keras.Model, keras.Model | None]]


class Initializers:
    """How the variables of one build get their first values.

    Random ones are drawn again from their initializer, and random generators are seeded again. Whatever the builder
    has assigned itself, a bias or pretrained weights, is put back as it was.

    Attributes:
        complete: False where a layer draws values in a way that only it knows; only a new build has those of a seed.

    Args:
        variables: all that the trained graph holds, in order.
        drawn: each weight that a layer has added, with its initializer and its first value.
    """

    def __init__(self, variables: Sequence[Any], drawn: dict[int, tuple[Any, np.ndarray]]) -> None:
        self._variables = list(variables)
        self._first = [v.numpy() for v in self._variables]
        self._random: list[Any] = [None] * len(self._variables)
        self.complete = True
        for index, variable in enumerate(self._variables):
            if id(variable) not in drawn:
                self.complete &= variable.name == _SEED_STATE
                continue
            initializer, value = drawn[id(variable)]
            known = isinstance(initializer, keras.initializers.Initializer)
            self.complete &= known
            if known and "seed" in initializer.get_config() and np.array_equal(value, self._first[index]):
                self._random[index] = initializer

    def draw(self, seed: int) -> None:
        """Give every variable the first value that belongs to `seed`."""
        with seeded(seed):
            for variable, first, initializer in zip(self._variables, self._first, self._random, strict=True):
                if variable.name == _SEED_STATE:
                    variable.assign(np.array([random.randrange(2**31), 0], dtype=first.dtype))
                elif initializer is None:
                    variable.assign(first)
                else:
                    # A clone draws a seed of its own, unless the builder has fixed one.
                    variable.assign(initializer.clone()(variable.shape, dtype=variable.dtype))


def initialized(build: Build) -> tuple[keras.Model, keras.Model | None, Initializers]:
    """Build, and remember how every weight came by its value."""
    drawn: dict[int, tuple[Any, np.ndarray]] = {}
    with seeded(0), _watched(drawn):
        model, augmentation = build()
    return model, augmentation, Initializers(variables_of(model, augmentation), drawn)


def variables_of(model: keras.Model, augmentation: keras.Model | None) -> list[Any]:
    """Weights and random generators of both, in order."""
    return [*model.variables, *(augmentation.variables if augmentation is not None else [])]


@contextmanager
def seeded(seed: int, everything: bool = False) -> Iterator[None]:
    """One seed for Python and NumPy, from which Keras draws; the caller's generators are left as they were.

    Args:
        seed: any whole number.
        everything: seed TensorFlow's own generator as well. It forgets every compiled function then, in all threads,
            which costs as much as a hundred steps; only what draws from that generator needs it.
    """
    with _GLOBAL:
        states = random.getstate(), np.random.get_state()
        if everything:
            keras.utils.set_random_seed(seed)
        else:
            random.seed(seed)
            np.random.seed(seed % 2**32)
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])


@contextmanager
def _watched(drawn: dict[int, tuple[Any, np.ndarray]]) -> Iterator[None]:
    """Note each weight that a layer of this thread adds, with its initializer."""
    original, thread = keras.layers.Layer.add_weight, threading.get_ident()

    def add_weight(layer: Any, shape: Any = None, initializer: Any = None, *args: Any, **kwargs: Any) -> Any:
        variable = original(layer, shape, initializer, *args, **kwargs)
        if threading.get_ident() == thread:
            drawn[id(variable)] = keras.initializers.get(initializer), variable.numpy()
        return variable

    keras.layers.Layer.add_weight = add_weight
    try:
        yield
    finally:
        keras.layers.Layer.add_weight = original
