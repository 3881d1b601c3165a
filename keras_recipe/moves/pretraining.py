"""Start from a backbone that has seen a million pictures, and let more and more of it follow the data.

Fine-tuning comes before augmentation: behind a frozen backbone, features are computed once, so that larger pictures
cost seconds, and any augmentation would cost a forward pass an epoch.
"""

from __future__ import annotations

from keras_recipe.core.config import Config
from keras_recipe.core.records import Trial
from keras_recipe.core.spec import Spec, Value
from keras_recipe.models.backbones import fed_side, is_pretrained
from keras_recipe.models.suggestion import best_at_hand, none_at_hand
from keras_recipe.moves import Proposed, move
from keras_recipe.problem import Problem

SIZES = (96, 128, 160, 224, 288)
"""Sides (pixels) that pictures are shown at, small first (progressive resizing, as fast.ai's DAWNBench entry of 2018).
Above the 224 that weights are trained at, accuracy still rises: objects look larger in training crops (Touvron et al.,
2019)."""


NONE = "the model has no pretrained backbone"
FROZEN = "the backbone is frozen"


def _backbone(config: Config) -> dict[str, Value] | None:
    """Arguments of the config's pretrained backbone, None where it has another model."""
    model = Spec.parse(config.model)
    return dict(model.args) if model.name == "backbone" and is_pretrained(model) else None


def is_fine_tuned(config: Config) -> bool:
    """Whether pretrained weights are trained: the learning rate falls then, see `training.run_trial`."""
    return (_backbone(config) or {}).get("train") in ("last", "all")


def _unfrozen(config: Config, **changed: Value) -> Proposed:
    """The config with this argument of its backbone, if that is trained."""
    if _backbone(config) is None:
        return NONE
    if not is_fine_tuned(config):
        return FROZEN
    yield config.with_args("model", **changed)
    return None


@move("regularize", order=28, expect=0.5)
def pretrained_backbone(config: Config, trial: Trial, problem: Problem) -> Proposed:
    """A new head on frozen features of a pretrained backbone, if weights are at hand (Kornblith et al., 2019)."""
    if problem.signature.kind != "image":
        return f"there is none for {problem.signature.kind} data"
    if Spec.parse(config.model).name == "backbone":
        return "it is there already"
    found = best_at_hand(problem)
    if not found:
        return none_at_hand(problem)
    yield config.replace(model=found)
    return None


@move("regularize", order=3, expect=0.1)
def larger_pictures(config: Config, trial: Trial, problem: Problem) -> Proposed:
    """Show the backbone larger pictures, 96 to 128 to 160 pixels and so on: progressive resizing."""
    if _backbone(config) is None:
        return NONE
    size = fed_side(problem, Spec.parse(config.model))
    for larger in [s for s in SIZES if s > size][:2]:
        yield config.with_args("model", size=larger)
    return f"it sees {size} pixels already"


@move("regularize", order=4, expect=0.1)
def unfreeze_last_stage(config: Config, trial: Trial) -> Proposed:
    """Train the last stage of the backbone too, lower layers at a lower rate (Howard & Ruder, 2018)."""
    arguments = _backbone(config)
    if arguments is None:
        return NONE
    if arguments.get("train", "") not in ("", "head"):
        return "it is trained already"
    yield config.with_args("model", train="last")
    return None


@move("regularize", order=5, expect=0.2)
def unfreeze_all(config: Config, trial: Trial) -> Proposed:
    """Train the whole backbone, its first layers at a tenth of the rate, its batch statistics as they are."""
    arguments = _backbone(config)
    if arguments is None:
        return NONE
    if arguments.get("train", "") == "all":
        return "all of it is trained already"
    yield config.with_args("model", train="all")
    return None


@move("regularize", order=6, expect=0.1)
def backbone_rate(config: Config, trial: Trial) -> Proposed:
    """Let the first layers of an unfrozen backbone move at a third of the rate, or at the whole rate."""
    for rate in (0.3, 1.0):
        if why := (yield from _unfrozen(config, rate=rate)):
            return why
    return None


@move("regularize", order=7, expect=0.05)
def adapt_batch_norm(config: Config, trial: Trial) -> Proposed:
    """Let the batch statistics of an unfrozen backbone follow the data."""
    if (_backbone(config) or {}).get("batch_norm") == "adapt":
        return "they do already"
    return (yield from _unfrozen(config, batch_norm="adapt"))
