"""Moves: generators `(config, trial) -> Iterator[Config]`, each candidate one leaf away. A file added here is found.

A move that needs to know the data takes the problem as a third parameter; one that asks which features the trained
model uses takes, as a fourth, a function that measures it when it is called.

A move is accepted if it is better than noise. Two options of its decorator say otherwise: `keeps=True`, for what makes
the model smaller, which is accepted if validation does not suffer (`compare.MARGIN`); `again=True`, for what may be
proposed anew once it was accepted.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence

from keras_recipe.core.config import Config, difference
from keras_recipe.core.records import Trial
from keras_recipe.core.registry import Registry
from keras_recipe.core.spec import Spec
from keras_recipe.data.augmentations import applies
from keras_recipe.importance import Importance
from keras_recipe.models import MODELS
from keras_recipe.problem import Problem, Signature

MOVES: Registry[Callable[..., Iterator[Config]]] = Registry("move", __name__)
move = MOVES.staged

Important = Callable[[], Sequence[Importance]]
"""Measures the importance of the features that the model sees, the most important first; () where it is not known."""


def candidates(
    name: str, config: Config, trial: Trial, problem: Problem, important: Important = lambda: ()
) -> list[Config]:
    """The configs that a move proposes, those left out whose argument the model does not take or the data forbids.

    Raises:
        ValueError: a candidate differs from `config` in more than one leaf, or in none: the move is broken.
    """
    found = []
    function = MOVES.get(name)
    given = (config, trial, problem, important)[: len(inspect.signature(function).parameters)]
    for candidate in function(*given):
        changed = difference(config, candidate)
        if len(changed) != 1:
            raise ValueError(f"Expected the move {name!r} to change one leaf. Received a change of {sorted(changed)}.")
        if _applies(candidate, problem.signature):
            found.append(candidate)
    return found


def _applies(candidate: Config, signature: Signature) -> bool:
    model = Spec.parse(candidate.model)
    known = MODELS.arguments(model.name)
    fits = model.name not in MODELS.of_stage("features" if signature.kind == "image" else "pictures")
    return fits and all(name in known for name, _ in model.args) and applies(candidate.augmentation, signature)
