"""Regularize: give up some training score for validation score, one verified move at a time."""

from __future__ import annotations

from collections.abc import Sequence

from keras_recipe.core.config import Config
from keras_recipe.stages.climb import climb
from keras_recipe.stages.more_data import LEARNING_CURVE, draw_curve
from keras_recipe.stages.squeeze import SHARE
from keras_recipe.study import Study


def regularize(study: Study, config: Config, moves: Sequence[str] | None = None) -> Config:
    """See what more data would bring; try every move in the recipe's order and keep those that are better than noise.

    Args:
        study: the trials so far.
        config: the config that fits the training split.
        moves: names of the moves to try; None for all, () for none.
    """
    kept = study.budget * SHARE
    if moves is None or LEARNING_CURVE in moves:
        draw_curve(study, config, kept)
    return climb(study, config, "regularize", moves, kept)
