"""Smaller models first, larger ones last."""

from __future__ import annotations

from collections.abc import Iterator

from keras_recipe.core.config import Config
from keras_recipe.core.records import Trial
from keras_recipe.core.spec import Spec, Value
from keras_recipe.models import MODELS
from keras_recipe.moves import move


def _argument(config: Config, name: str) -> Value:
    """Value of an argument of the model, its default included; None where it takes no such argument."""
    model = Spec.parse(config.model)
    return (MODELS.arguments(model.name) | dict(model.args)).get(name)


def _width(config: Config) -> int | None:
    width = _argument(config, "width")
    return width if isinstance(width, int) else None


@move("regularize", order=35, keeps=True)
def pool_instead_of_flatten(config: Config, trial: Trial) -> Iterator[Config]:
    """Average pooling instead of flatten and a dense layer: where a thing is does not matter (Lin et al., 2013)."""
    if _argument(config, "pooling") is False:
        yield config.with_args("model", pooling=True)


@move("regularize", order=36, keeps=True)
def depthwise(config: Config, trial: Trial) -> Iterator[Config]:
    """Convolve each channel by itself, then mix them by 1x1: an eighth of the weights (Howard et al., 2017)."""
    if _argument(config, "depthwise") is False:
        yield config.with_args("model", depthwise=True)


@move("regularize", order=37, keeps=True)
def narrower(config: Config, trial: Trial) -> Iterator[Config]:
    """Half as many channels or units: fewer weights to fit the noise with."""
    width = _width(config)
    if width is not None and width >= 8:
        yield config.with_args("model", width=width // 2)


@move("regularize", order=90, expect=0.05)
def larger_model(config: Config, trial: Trial) -> Iterator[Config]:
    """Twice as many channels or units, last: larger models overfit more, but often do better stopped early."""
    width = _width(config)
    if width is not None:
        yield config.with_args("model", width=width * 2)
