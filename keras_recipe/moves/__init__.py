"""Moves: generators `(config, trial) -> Proposed`, each candidate one leaf away. A file added here is found.

A move that needs to know more takes it as a parameter of that name: `problem`, the data; `important`, a function that
measures which features the trained model uses when it is called; `generator`, the spec of the user's generator of
simulated examples, "" where there is none. A move that proposes nothing returns the reason as text.

A move says beforehand what it is to bring: `expect=0.1` for a tenth of the incumbent's error, which is 1 minus the
score or, where lower is better, the score. These are what such changes have brought elsewhere, in round numbers; the
record shows the gain expected beside the gain measured.

A candidate is one leaf away from the incumbent; `leaves=2` is for a tip that is two, as a larger model is one that is
stopped early.

A move is accepted if it is better than noise. Two options of its decorator say otherwise: `keeps=True`, for what makes
the model smaller, which is accepted if validation does not suffer (`compare.MARGIN`); `again=True`, for what may be
proposed anew once it was accepted. `shortens=True` is for what may end training early: it comes before its order where
the incumbent's history says that it will (`stages.climb.SHORT`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Sequence
from typing import Any

from keras_recipe.core.config import Config, difference
from keras_recipe.core.records import Trial
from keras_recipe.core.registry import Registry
from keras_recipe.core.spec import Spec
from keras_recipe.data import augmentations, synthetic
from keras_recipe.importance import Importance
from keras_recipe.models import MODELS
from keras_recipe.problem import Problem, Signature

MOVES: Registry[Callable[..., Any]] = Registry("move", __name__)
move = MOVES.staged

Proposed = Generator[Config, None, str | None]
"""What a move makes: candidates, or, where there are none, why."""

Important = Callable[[], Sequence[Importance] | str]
"""Measures the importance of the features that the model sees, the most important first; or says why it does not."""


def candidates(
    name: str, config: Config, trial: Trial, problem: Problem, important: Important = lambda: (), generator: str = ""
) -> list[Config]:
    """The configs that a move proposes, those left out whose argument the model does not take or the data forbids.

    Args:
        name: of the move.
        config, trial: that it starts from.
        problem: the data.
        important: measures the importance of features.
        generator: spec of the user's generator of simulated examples.

    Raises:
        ValueError: a candidate differs from `config` in more leaves than the move may change: it is broken.
    """
    return proposals(name, config, trial, problem, important, generator)[0]


def leaves_of(name: str) -> int:
    """Leaves that a candidate of this move may change at most."""
    return int(MOVES.option(name, "leaves")) or 1


def proposals(
    name: str, config: Config, trial: Trial, problem: Problem, important: Important = lambda: (), generator: str = ""
) -> tuple[list[Config], str]:
    """What `candidates` returns, and why the move proposes nothing, where it says so."""
    found: list[Config] = []
    unfit = ""
    function = MOVES.get(name)
    known = {"config": config, "trial": trial, "problem": problem, "important": important, "generator": generator}
    given = {name: known[name] for name in inspect.signature(function).parameters}
    proposed: Proposed = function(**given)
    while True:
        try:
            candidate = next(proposed)
        except StopIteration as end:
            return found, "" if found else end.value or unfit
        changed = difference(config, candidate)
        if not changed:
            unfit = unfit or "the model has it already"
            continue
        if len(changed) > leaves_of(name):
            raise ValueError(f"Expected the move {name!r} to change one leaf. Received a change of {sorted(changed)}.")
        if why := _unfit(candidate, problem.signature):
            unfit = why
        elif candidate not in found:
            found.append(candidate)


def _unfit(candidate: Config, signature: Signature) -> str:
    """Why this candidate is not for this model or kind of data; "" where it is."""
    model = Spec.parse(candidate.model)
    if model.name in MODELS.of_stage("features" if signature.kind == "image" else "pictures"):
        return f"{model.name} is not for {signature.kind} data"
    unknown = [name for name, _ in model.args if name not in MODELS.arguments(model.name)]
    if unknown:
        return f"{model.name} has no argument {unknown[0]!r}"
    if not synthetic.applies(candidate.synthetic, signature):
        return f"{candidate.synthetic} makes no {signature.kind} data"
    return augmentations.unfit(candidate.augmentation, signature)
