"""Smaller inputs: what the network does not see, it cannot fit noise to. Kept where validation does not suffer."""

from __future__ import annotations

from collections.abc import Iterator

from keras_recipe.core.config import Config
from keras_recipe.core.records import Trial
from keras_recipe.core.spec import Spec
from keras_recipe.models.heads import shown_side
from keras_recipe.moves import Important, move
from keras_recipe.problem import Problem

LEAST = 8
"""Pixels of the smallest side that is tried: digits of 8x8 can still be read."""


@move("regularize", order=31, keeps=True)
def smaller_pictures(config: Config, trial: Trial, problem: Problem) -> Iterator[Config]:
    """Show pictures at half, or three quarters, of their side: low-level detail may not matter."""
    model = Spec.parse(config.model)
    if problem.signature.kind != "image" or model.name == "backbone":  # which knows objects at one apparent size
        return
    given = dict(model.args).get("size", 0)
    side = shown_side(problem, given if isinstance(given, int) else 0)
    for size in (side // 2, 3 * side // 4):
        if LEAST <= size < side:
            yield config.with_args("model", size=size)


@move("regularize", order=32, keeps=True)
def grey_pictures(config: Config, trial: Trial, problem: Problem) -> Iterator[Config]:
    """Show pictures in colour by their luminance alone."""
    shape = problem.signature.shape
    if problem.signature.kind == "image" and shape[-1] == 3 and not dict(Spec.parse(config.model).args).get("grey"):
        yield config.with_args("model", grey=True)


@move("regularize", order=33, keeps=True, again=True)
def drop_features(config: Config, trial: Trial, problem: Problem, important: Important) -> Iterator[Config]:
    """Leave out all features, or half of them, whose permutation costs no more than noise (Breiman, 2001)."""
    weakest_first = [i.feature for i in reversed(important()) if not i.above_noise]
    gone = dict(Spec.parse(config.model).args).get("without", ())
    dropped = gone if isinstance(gone, tuple) else ()
    weak = weakest_first[: len(problem.signature.features) - len(dropped) - 1]  # one stays
    for count in dict.fromkeys((len(weak), len(weak) // 2)):
        if count:
            left_out = {*dropped, *weak[:count]}
            yield config.with_args("model", without=tuple(f for f in problem.signature.features if f in left_out))
