"""Smaller models first, larger ones last."""

from __future__ import annotations

from keras_recipe.core.config import Config
from keras_recipe.core.records import Trial
from keras_recipe.core.spec import Spec, Value
from keras_recipe.models import MODELS
from keras_recipe.moves import Proposed, move
from keras_recipe.moves.regularization import stopped_early


def _argument(config: Config, name: str) -> Value:
    """Value of an argument of the model, its default included; None where it takes no such argument."""
    model = Spec.parse(config.model)
    return (MODELS.arguments(model.name) | dict(model.args)).get(name)


def _replacing(config: Config, name: str) -> Proposed:
    """The model with this part, which takes the place of another; or why it cannot."""
    given = _argument(config, name)
    if given is not False:
        return f"{config.model} {'has it already' if given else f'has no argument {name!r}'}"
    yield config.with_args("model", **{name: True})
    return None


def _wider(config: Config, factor: float, least: int = 1) -> Proposed:
    width = _argument(config, "width")
    if not isinstance(width, int):
        return f"{config.model} has no argument 'width'"
    if width * factor < least:
        return f"{config.model} is narrow already"
    yield config.with_args("model", width=int(width * factor))
    return None


@move("regularize", order=35, keeps=True)
def pool_instead_of_flatten(config: Config, trial: Trial) -> Proposed:
    """Average pooling instead of flatten and a dense layer: where a thing is does not matter (Lin et al., 2013)."""
    return (yield from _replacing(config, "pooling"))


@move("regularize", order=36, keeps=True)
def depthwise(config: Config, trial: Trial) -> Proposed:
    """Convolve each channel by itself, then mix them by 1x1: an eighth of the weights (Howard et al., 2017)."""
    return (yield from _replacing(config, "depthwise"))


@move("regularize", order=37, keeps=True)
def narrower(config: Config, trial: Trial) -> Proposed:
    """Half as many channels or units: fewer weights to fit the noise with."""
    return (yield from _wider(config, 0.5, least=4))


@move("regularize", order=90, expect=0.05, leaves=2)
def larger_model(config: Config, trial: Trial) -> Proposed:
    """Twice as many channels or units, and the same stopped early: larger ones overfit more, and often do better so."""
    for start in (config, stopped_early(config)):
        if why := (yield from _wider(start, 2)):
            return why
    return None
