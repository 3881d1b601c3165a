"""What would more data bring? A power law through the errors of models that were trained on parts of the data.

    error(n) = c + a * n ** -b,    a >= 0, c >= 0, b in EXPONENTS

for n training examples (Hestness et al., 2017, "Deep learning scaling is predictable, empirically", equation 1, with
the error c that no amount of data takes away; Rosenfeld et al., 2020, "A constructive prediction of the generalization
error across scales"). For each b of a grid, a and c follow from non-negative least squares, which has a closed form for
two unknowns; so a thousand curves are fitted in one go, and none of them gets stuck.

The interval is that of a bootstrap: validation examples are drawn again, the same for all points, since all models
judge the same ones; three seeds are too few to be drawn from, and so each point moves by a normal number with the
deviation of seeds, itself as uncertain as it is.

Not in the interval: that the law may not hold beyond the data, and that the full training split is one sample of many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from keras_recipe.objectives import METRICS

CONFIDENCE = 0.95

EXPONENTS = np.geomspace(0.05, 2.0, 192)
"""Exponents that are tried. Hestness et al. found 0.07 to 0.35 on large data; for small data, and learners that need
but a few examples, theory knows up to 1 (Haussler et al., 1996), and steeper stretches between plateaus."""

REPLICATES = 1000
"""Curves behind an interval."""

GROUPS = 500
"""Validation examples are drawn again in so many groups at most, of equal size: the variance is the same."""


@dataclass(frozen=True, eq=False)
class Law:
    """One power law, or many: each is a float array of one shape.

    Attributes:
        c: error that is left whatever the number of examples.
        a: error at `unit` examples, less c.
        b: exponent.
        unit: number of examples at which a is measured, so that it has a size that one can read.
    """

    c: np.ndarray
    a: np.ndarray
    b: np.ndarray
    unit: float

    def error(self, examples: float) -> np.ndarray:
        """Errors after training on so many examples."""
        return self.c + self.a * (examples / self.unit) ** -self.b


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted learning curve.

    Attributes:
        law: through the points.
        replicates: laws through the points drawn again.
        errors: mean error of each point, (points,).
        low, high: their 95 % intervals, (points,) each.
    """

    law: Law
    replicates: Law
    errors: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def gain(self, factor: float) -> tuple[float, float, float]:
        """What `factor` times the examples would bring, positive being better, and its 95 % interval.

        In simulated classifications (three laws, 300 or 2000 validation examples, three seeds at 1/8, 1/4, 1/2 and all
        of 1000 training examples), the interval for twice the data holds the truth in 94 % of the cases: 87 to 90 %
        where the law has no floor (c = 0), which the estimate then sees half of the time, 94 to 99 % elsewhere.

        With one seed at 1/4 and 1/2, and three at all of them, it is a quarter to a half wider, and holds the truth in
        88 to 91 % and 93 to 99 % of 150 cases each.
        """
        return self._of(lambda law: law.error(law.unit) - law.error(law.unit * factor))

    def error(self, factor: float) -> tuple[float, float, float]:
        """The error after training on `factor` times the examples, and its 95 % interval."""
        return self._of(lambda law: law.error(law.unit * factor))

    def _of(self, value: Callable[[Law], np.ndarray]) -> tuple[float, float, float]:
        low, high = _interval(value(self.replicates))
        return float(value(self.law)[0]), float(low), float(high)


def fit(metric: str, sizes: Sequence[int], gains: Sequence[np.ndarray], seed: int) -> Fit:
    """Fit a learning curve, and say how sure it is.

    Args:
        metric: name in `objectives.METRICS`.
        sizes: number of training examples of each point, ascending.
        gains: of each point, those of each validation example, (seeds, examples); numbers of seeds may differ.
        seed: of the bootstrap.

    Raises:
        ValueError: fewer than three points, or no point with two seeds.
    """
    counts = np.array([len(g) for g in gains])
    if len(sizes) < 3 or counts.max() < 2:
        raise ValueError(f"Expected three points or more, one with two seeds. Received seeds {counts.tolist()}.")
    generator = np.random.default_rng(seed)
    of_seeds = _errors(metric, np.concatenate(gains).mean(axis=1)[None])[0]
    starts = np.cumsum(counts) - counts
    errors = np.add.reduceat(of_seeds, starts) / counts
    drawn = np.add.reduceat(_errors(metric, _resampled(np.concatenate(gains), generator)), starts, axis=1) / counts
    drawn = np.maximum(drawn + _of_seeds(of_seeds, errors, counts, generator), 0.0)
    spread = drawn.var(axis=0)
    weights = 1 / np.maximum(spread, 1e-6 * max(float(spread.max()), 1e-12))
    low, high = _interval(drawn)
    n = np.array(sizes, float)
    return Fit(power_law(n, errors[None], weights), power_law(n, drawn, weights), errors, low, high)


def power_law(sizes: np.ndarray, errors: np.ndarray, weights: np.ndarray) -> Law:
    """The laws of least weighted squares.

    Args:
        sizes: training examples of each point, (points,), the last one being the unit of the laws.
        errors: (curves, points), not negative.
        weights: of each point, (points,).

    Returns:
        (curves,) laws.
    """
    w = weights / weights.sum()
    x = (sizes / sizes[-1]) ** -EXPONENTS[:, None]  # (exponents, points)
    mean_x, mean_y = x @ w, errors @ w
    xx, xy = (x * x) @ w, (errors * w) @ x.T  # (exponents,), (curves, exponents)
    slope = (xy - mean_y[:, None] * mean_x) / (xx - mean_x**2)
    level = mean_y[:, None] - slope * mean_x
    # Where one of the two would be negative, the best is on an edge: c = 0, or a = 0.
    slope = np.where(level < 0, xy / xx, slope)
    level = np.where(slope < 0, mean_y[:, None], np.maximum(level, 0.0))
    slope = np.maximum(slope, 0.0)
    left = slope**2 * xx + level**2 + 2 * slope * level * mean_x - 2 * (slope * xy + level * mean_y[:, None])
    best = left.argmin(axis=1)
    rows = np.arange(len(errors))
    return Law(level[rows, best], slope[rows, best], EXPONENTS[best], float(sizes[-1]))


def _errors(metric: str, means: np.ndarray) -> np.ndarray:
    """Mean gains as errors in the metric's unit: 1 - accuracy, or what is lower when it is better."""
    m = METRICS[metric]
    values = np.vectorize(m.value, otypes=[float])(means)
    return 1.0 - values if m.higher_is_better else values


def _resampled(gains: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Mean gains over validation examples drawn with replacement, (REPLICATES, models), of gains (models, examples)."""
    order = generator.permutation(gains.shape[1])
    groups = np.array_split(order, min(GROUPS, len(order)))
    means = np.stack([gains[:, g].mean(axis=1) for g in groups])
    drawn = generator.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), size=REPLICATES)
    return drawn @ means / len(groups)


def _of_seeds(
    of_seeds: np.ndarray, errors: np.ndarray, counts: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """What other seeds might have changed of each point, (REPLICATES, points).

    The variance over seeds is taken to be proportional to the error, so that all points tell of it together.
    """
    floor = np.maximum(errors, 1e-3 * max(float(errors.max()), 1e-12))
    squares = (of_seeds - np.repeat(errors, counts)) ** 2 / np.repeat(floor, counts)
    freedom = int((counts - 1).sum())
    variance = squares.sum() / freedom * floor / counts
    unknown = freedom / generator.chisquare(freedom, size=(REPLICATES, 1))
    return np.sqrt(variance * unknown) * generator.normal(size=(REPLICATES, len(counts)))


def _interval(values: np.ndarray) -> np.ndarray:
    tail = 50 * (1 - CONFIDENCE)
    return np.percentile(values, [tail, 100 - tail], axis=0)
