"""How much a trained model depends on each feature: what it loses where that feature says nothing about the example.

Permutation importance (Breiman, 2001, section 10; Fisher, Rudin & Dominici, 2019): the values of one feature are
shuffled among the examples of the validation split, all others stay. Features that say the same share their importance,
so that each of them may seem to be of no use: whoever leaves some out has to measure anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from keras_recipe.compare import compare_paired
from keras_recipe.core.records import Table
from keras_recipe.objectives import METRICS
from keras_recipe.problem import Problem

ROWS = 5000
"""Validation examples that are looked at, drawn at random where there are more: an accuracy is then known to half a
point."""

FEATURES = 200
"""Features above which none is judged: pixels and embeddings by the thousand mean nothing alone."""

PERMUTATIONS = 3
"""Of each feature, for each of the models."""

Predict = Callable[[np.ndarray], np.ndarray]
"""From encoded examples (examples, features) to predictions as the metrics take them."""


@dataclass(frozen=True)
class Importance:
    """What the score loses without the information of one feature.

    Attributes:
        feature: its name, see `Signature.features`.
        gain: by the feature, in the metric's unit, positive where the model is better with it.
        low, high: 95 % interval over models and validation examples.
    """

    feature: str
    gain: float
    low: float
    high: float

    @property
    def above_noise(self) -> bool:
        """Whether the model is better with it than without, beyond noise."""
        return self.low > 0


def importances(
    problem: Problem,
    models: Iterable[Predict],
    features: Sequence[str],
    seed: int,
    permutations: int = PERMUTATIONS,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Importance, ...]:
    """The importance of each feature, the most important first.

    Args:
        problem: a table or vectors.
        models: two or more, of one config under different seeds; each is asked before the next one is taken.
        features: names of those to be judged.
        seed: of the permutations.
        permutations: of each feature for each model; their mean is taken.
        told: called with (done, total) features, for each model.
    """
    metric, places = METRICS[problem.objective.metric], problem.signature.features
    generator = np.random.default_rng(seed)
    rows = np.sort(generator.permutation(len(problem.validation))[:ROWS])
    x, y = np.asarray(problem.validation.x[rows]), problem.validation.y[rows]
    own, shuffled = [], []
    for predict in models:
        own.append(metric.gains(y, predict(x)))
        parts = []
        for number, name in enumerate(features, start=1):
            several = [_shuffled(x, list(places[name]), generator) for _ in range(permutations)]
            gains = metric.gains(np.concatenate([y] * permutations), predict(np.concatenate(several)))
            parts.append(gains.reshape(permutations, len(y)).mean(axis=0))
            told(number, len(features))
        shuffled.append(parts)
    effects = [
        compare_paired(problem.objective.metric, np.stack([parts[i] for parts in shuffled]), np.stack(own))
        for i in range(len(features))
    ]
    found = [Importance(n, e.gain, e.low, e.high) for n, e in zip(features, effects, strict=True)]
    return tuple(sorted(found, key=lambda i: (-i.gain, i.feature)))


def table(found: Sequence[Importance]) -> Table:
    """For a person to read."""
    return Table(
        ("feature", "importance", "low", "high", "verdict"),
        tuple(
            (i.feature, *map(_rounded, (i.gain, i.low, i.high)), "used" if i.above_noise else "noise") for i in found
        ),
        "importance",
    )


def _rounded(value: float) -> float:
    """Four digits; what is left of sums that cancel is 0."""
    return float(f"{value:.4g}") if abs(value) > 1e-12 else 0.0


def _shuffled(x: np.ndarray, where: list[int], generator: np.random.Generator) -> np.ndarray:
    """A copy in which these positions, together, are those of other examples."""
    found = x.copy()
    found[:, where] = x[generator.permutation(len(x))][:, where]
    return found
