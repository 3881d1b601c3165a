"""What the climb itself says of a move, on data made for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from keras_recipe.core.config import Config
    from keras_recipe.problem import Problem

    Setting = Callable[[], tuple[Problem, Config]]


@pytest.fixture
def accepted(tmp_path: Path) -> Callable[..., Config]:
    """Prove that a move is accepted, on data and from a config that a function gives; the config that is chosen."""
    from keras_recipe.core.config import difference
    from keras_recipe.core.journal import select
    from keras_recipe.core.records import Decision
    from keras_recipe.moves import leaves_of
    from keras_recipe.recipe import Recipe
    from keras_recipe.stages.climb import climb

    def prove(move: str, setting: Setting, stage: str = "regularize", seed: int = 0) -> Config:
        data, config = setting()
        with Recipe(data, tmp_path, 900.0, seed=seed, workers=1).study() as study:
            chosen = climb(study, config, stage, (move,))
            (decided,) = [d for d in select(list(study.journal), Decision) if d.accepted]
            assert decided.low > 0
            assert decided.seeds >= 3
            assert decided.before == config.digest()
            assert decided.after == chosen.digest()
            assert 1 <= len(difference(config, chosen)) <= leaves_of(move)
            return chosen

    return prove


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., None]:
    """Prove that all candidates of a move lose, on data and from a config that a function gives."""
    from keras_recipe.core.journal import select
    from keras_recipe.core.records import Decision, Plan
    from keras_recipe.recipe import Recipe
    from keras_recipe.stages.climb import climb

    def prove(move: str, setting: Setting, stage: str = "regularize", seed: int = 0) -> None:
        data, config = setting()
        with Recipe(data, tmp_path, 900.0, seed=seed, workers=1).study() as study:
            assert climb(study, config, stage, (move,)) == config
            made = select(list(study.journal), Decision)
            given_up = [p for p in select(list(study.journal), Plan) if p.key.startswith("hopeless/")]
            assert made or given_up
            assert all(d.effect < 0 and not d.accepted for d in made)

    return prove
