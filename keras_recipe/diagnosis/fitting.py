"""One call of `model.fit`, as somebody wrote it, before its first step."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from keras_recipe.core.errors import RecipeError


@dataclass(frozen=True, eq=False)
class Fit:
    """A compiled model with the arguments of its `fit`.

    Attributes:
        model: compiled; built or not.
        x, y, sample_weight: arrays, nested ones, a tf.data.Dataset, a PyDataset or a generator in `x`.
        validation_data: a tuple of arrays, a dataset, or None.
        validation_split: share of the last rows that is held out, 0 to 1.
        batch_size, epochs, initial_epoch, steps_per_epoch, shuffle, class_weight, callbacks: as in `keras.Model.fit`.
        location: "file.py:12", the line of the call; "" where it is not known.
    """

    model: keras.Model
    x: Any = None
    y: Any = None
    batch_size: int | None = None
    epochs: int = 1
    callbacks: Sequence[Any] = ()
    validation_split: float = 0.0
    validation_data: Any = None
    shuffle: bool = True
    class_weight: dict[int, float] | None = None
    sample_weight: Any = None
    initial_epoch: int = 0
    steps_per_epoch: int | None = None
    location: str = ""


_SIGNATURE = inspect.signature(keras.Model.fit)


def bound(model: keras.Model, args: Sequence[Any], kwargs: dict[str, Any], location: str = "") -> Fit:
    """The call `model.fit(*args, **kwargs)`.

    Raises:
        RecipeError: `fit` would not take these arguments.
    """
    try:
        given = _SIGNATURE.bind(model, *args, **kwargs)
    except TypeError as error:
        raise RecipeError(
            f"the arguments of keras.Model.fit {_SIGNATURE}", str(error), "call it as Keras 3 does"
        ) from error
    given.apply_defaults()
    taken = {k: v for k, v in given.arguments.items() if k in Fit.__dataclass_fields__}
    taken["callbacks"] = tuple(_listed(taken["callbacks"]))
    return Fit(model, **taken, location=location)


def _listed(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return list(callbacks.callbacks)
    return list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
