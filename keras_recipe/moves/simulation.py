"""Simulated examples among the real ones: creative augmentation, each measured like any other move."""

from __future__ import annotations

from keras_recipe.core.config import Config
from keras_recipe.core.records import Trial
from keras_recipe.core.spec import Spec
from keras_recipe.data import adversarial, pasting
from keras_recipe.data.synthetic import SEED
from keras_recipe.moves import Proposed, move
from keras_recipe.problem import Problem


def _with(config: Config, generator: str, share: float) -> Config:
    return config.replace(synthetic=str(Spec.parse(generator).with_args(share=share)))


@move("regularize", order=23, expect=0.1)
def simulated_examples(config: Config, trial: Trial, problem: Problem, generator: str) -> Proposed:
    """Let a tenth, a quarter, or half of each epoch's examples come from the user's generator."""
    if not generator:
        return "no generator of simulated examples was given (--synthetic package.module:function)"
    for share in (0.1, 0.25, 0.5):
        yield _with(config, generator, share)
    return None


@move("regularize", order=26, expect=0.05)
def pasted_objects(config: Config, trial: Trial, problem: Problem) -> Proposed:
    """Paste objects on backgrounds of other pictures, for a quarter or half of each epoch (Dwibedi et al., 2017)."""
    if problem.signature.kind != "image":
        return f"there is nothing to cut out of {problem.signature.kind} data"
    if why := pasting.unfit(problem, pasting.cuttings(problem.train, SEED)):
        return f"there is too little to cut out: {why}"
    for share in (0.25, 0.5):
        yield _with(config, "paste()", share)
    return None


@move("regularize", order=27, expect=0.02)
def gan_samples(config: Config, trial: Trial, problem: Problem) -> Proposed:
    """Samples of a small conditional GAN for a tenth, or a quarter, of each epoch (Mirza & Osindero, 2014)."""
    if why := adversarial.unfit(problem):
        return why
    for share in (0.1, 0.25):
        yield _with(config, "gan()", share)
    return None
