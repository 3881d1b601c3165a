"""Get more data: the surest way to a better model."""

from __future__ import annotations

from collections.abc import Iterator

from keras_recipe.core.config import Config
from keras_recipe.core.records import Trial
from keras_recipe.moves import move
from keras_recipe.problem import Problem


@move("regularize", order=1, expect=0.1)
def more_data(config: Config, trial: Trial, problem: Problem) -> Iterator[Config]:
    """Train on the examples that were added, too."""
    if problem.more and config.more_data != problem.more:
        yield config.replace(more_data=problem.more)
