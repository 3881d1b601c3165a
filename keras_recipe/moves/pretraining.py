"""Start from a backbone that has seen a million pictures, and let more and more of it follow the data.

Fine-tuning comes before augmentation: behind a frozen backbone, features are computed once, so that larger pictures
cost seconds, and any augmentation would cost a forward pass an epoch.
"""

from __future__ import annotations

from collections.abc import Iterator

from keras_recipe.core.config import Config
from keras_recipe.core.records import Trial
from keras_recipe.core.spec import Spec, Value
from keras_recipe.models.backbones import fed_side, is_pretrained
from keras_recipe.models.suggestion import best_at_hand
from keras_recipe.moves import move
from keras_recipe.problem import Problem

SIZES = (96, 128, 160, 224, 288)
"""Sides (pixels) that pictures are shown at, small first (progressive resizing, as fast.ai's DAWNBench entry of 2018).
Above the 224 that weights are trained at, accuracy still rises: objects look larger in training crops (Touvron et al.,
2019)."""


def _backbone(config: Config) -> dict[str, Value] | None:
    """Arguments of the config's pretrained backbone, None where it has another model."""
    model = Spec.parse(config.model)
    return dict(model.args) if model.name == "backbone" and is_pretrained(model) else None


@move("regularize", order=28, expect=0.5)
def pretrained_backbone(config: Config, trial: Trial) -> Iterator[Config]:
    """A new head on frozen features of a pretrained backbone, if weights are at hand (Kornblith et al., 2019)."""
    found = best_at_hand()
    if Spec.parse(config.model).name != "backbone" and found:
        yield config.replace(model=found)


@move("regularize", order=3, expect=0.1)
def larger_pictures(config: Config, trial: Trial, problem: Problem) -> Iterator[Config]:
    """Show the backbone larger pictures, 96 to 128 to 160 pixels and so on: progressive resizing."""
    if _backbone(config) is None:
        return
    size = fed_side(problem, Spec.parse(config.model))
    for larger in [s for s in SIZES if s > size][:2]:
        yield config.with_args("model", size=larger)


@move("regularize", order=4, expect=0.1)
def unfreeze_last_stage(config: Config, trial: Trial) -> Iterator[Config]:
    """Train the last stage of the backbone too, at a tenth of the rate (Howard & Ruder, 2018)."""
    arguments = _backbone(config)
    if arguments is not None and arguments.get("train", "") in ("", "head"):
        yield config.with_args("model", train="last")


@move("regularize", order=5, expect=0.2)
def unfreeze_all(config: Config, trial: Trial) -> Iterator[Config]:
    """Train the whole backbone, at a tenth of the rate, its batch statistics as they are."""
    arguments = _backbone(config)
    if arguments is not None and arguments.get("train", "") != "all":
        yield config.with_args("model", train="all")


@move("regularize", order=6, expect=0.1)
def backbone_rate(config: Config, trial: Trial) -> Iterator[Config]:
    """Let an unfrozen backbone move at a third of the rate, or at the whole rate."""
    arguments = _backbone(config)
    if arguments is not None and arguments.get("train") in ("last", "all"):
        yield config.with_args("model", rate=0.3)
        yield config.with_args("model", rate=1.0)


@move("regularize", order=7, expect=0.05)
def adapt_batch_norm(config: Config, trial: Trial) -> Iterator[Config]:
    """Let the batch statistics of an unfrozen backbone follow the data."""
    arguments = _backbone(config)
    if arguments is not None and arguments.get("train") in ("last", "all") and "batch_norm" not in arguments:
        yield config.with_args("model", batch_norm="adapt")
