"""Smaller inputs: what the network does not see, it cannot fit noise to. Kept where validation does not suffer."""

from __future__ import annotations

from keras_recipe.core.config import Config
from keras_recipe.core.records import Trial
from keras_recipe.core.spec import Spec
from keras_recipe.core.wording import plural
from keras_recipe.models.heads import shown_side
from keras_recipe.moves import Important, Proposed, move
from keras_recipe.problem import Problem

LEAST = 8
"""Pixels of the smallest side that is tried: digits of 8x8 can still be read."""


@move("regularize", order=31, keeps=True)
def smaller_pictures(config: Config, trial: Trial, problem: Problem) -> Proposed:
    """Show pictures at half, or three quarters, of their side: low-level detail may not matter."""
    model = Spec.parse(config.model)
    if problem.signature.kind != "image":
        return f"{problem.signature.kind} data has no side"
    if model.name == "backbone":
        return "a pretrained backbone knows objects at the size that it has seen them in"
    given = dict(model.args).get("size", 0)
    side = shown_side(problem, given if isinstance(given, int) else 0)
    for size in (side // 2, 3 * side // 4):
        if LEAST <= size < side:
            yield config.with_args("model", size=size)
    return f"it sees {side} pixels already, and {LEAST} are the fewest that are tried"


@move("regularize", order=32, keeps=True)
def grey_pictures(config: Config, trial: Trial, problem: Problem) -> Proposed:
    """Show pictures in colour by their luminance alone."""
    shape = problem.signature.shape
    if problem.signature.kind != "image":
        return f"{problem.signature.kind} data has no colour"
    if shape[-1] != 3 or dict(Spec.parse(config.model).args).get("grey"):
        return "it sees no colour"
    yield config.with_args("model", grey=True)
    return None


@move("regularize", order=33, keeps=True, again=True)
def drop_features(config: Config, trial: Trial, problem: Problem, important: Important) -> Proposed:
    """Leave out all features, or half of them, whose permutation costs no more than noise (Breiman, 2001)."""
    measured = important()
    if isinstance(measured, str):
        return measured
    weakest_first = [i.feature for i in reversed(measured) if not i.above_noise]
    gone = dict(Spec.parse(config.model).args).get("without", ())
    dropped = gone if isinstance(gone, tuple) else ()
    weak = weakest_first[: len(problem.signature.features) - len(dropped) - 1]  # one stays
    for count in dict.fromkeys((len(weak), len(weak) // 2)):
        if count:
            left_out = {*dropped, *weak[:count]}
            yield config.with_args("model", without=tuple(f for f in problem.signature.features if f in left_out))
    return f"each of its {plural(len(measured), 'feature')} makes a difference beyond noise"
