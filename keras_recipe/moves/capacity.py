"""Smaller models first, larger ones last."""

from __future__ import annotations

from collections.abc import Iterator

from keras_recipe.core.config import Config
from keras_recipe.core.records import Trial
from keras_recipe.core.spec import Spec
from keras_recipe.models import MODELS
from keras_recipe.moves import move


def _width(config: Config) -> int | None:
    model = Spec.parse(config.model)
    width = (MODELS.arguments(model.name) | dict(model.args)).get("width")
    return width if isinstance(width, int) else None


@move("regularize", order=30)
def smaller_model(config: Config, trial: Trial) -> Iterator[Config]:
    """Half as many channels or units: fewer weights to fit the noise with."""
    width = _width(config)
    if width is not None and width >= 8:
        yield config.with_args("model", width=width // 2)


@move("regularize", order=90)
def larger_model(config: Config, trial: Trial) -> Iterator[Config]:
    """Twice as many channels or units, last: larger models overfit more, but often do better stopped early."""
    width = _width(config)
    if width is not None:
        yield config.with_args("model", width=width * 2)
