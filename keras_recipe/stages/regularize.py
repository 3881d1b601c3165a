"""Regularize: give up some training score for validation score, one verified move at a time."""

from __future__ import annotations

from collections.abc import Sequence

from keras_recipe.core.config import Config
from keras_recipe.core.records import Decision
from keras_recipe.moves import MOVES
from keras_recipe.stages.climb import climb
from keras_recipe.stages.more_data import LEARNING_CURVE, draw_curve
from keras_recipe.stages.squeeze import SHARE
from keras_recipe.study import Study

MORE_DATA = "more_data"
"""Name of the move that is tried when a finished run goes on with more data, and only then."""


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
    others = [n for n in MOVES.of_stage("regularize") if n != MORE_DATA and (moves is None or n in moves)]
    return climb(study, config, "regularize", others, kept)


def grow(study: Study, config: Config) -> Config:
    """Train on the examples that were added, too, if that is better than noise.

    Args:
        study: with the trials of the run that goes on.
        config: what that run has come to.

    Raises:
        TimeoutError: the budget ends before it is decided.
    """
    grown = climb(study, config, "regularize", (MORE_DATA,), kept=study.budget * SHARE)
    decided = [d for d in study.journal if isinstance(d, Decision) and d.config.get("more_data") == study.problem.more]
    wanted = config.replace(more_data=study.problem.more)
    hopeless = any(
        r.key == f"hopeless/regularize/{MORE_DATA}/{config.digest()}/{wanted.digest()}" for r in study.journal
    )
    if not hopeless and not any(d.move == MORE_DATA and d.before == config.digest() for d in decided):
        raise TimeoutError("it does not hold the trials on more data")
    return grown
