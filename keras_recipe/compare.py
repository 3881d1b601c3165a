"""Is the candidate better, or lucky? Paired comparison over the same seeds and the same validation examples.

Two things vary when an experiment is repeated: the seed (weights, order, dropout) and the finite validation set.
The interval covers both. The gain's variance is the sum of three parts,

    Var = var_seeds(before) / k + var_seeds(after) / k + var_examples(difference) / n

with `k` seeds and `n` examples; the examples are paired (both models judge the same ones), so that what is hard for
both cancels. The parts are known to different precision, k - 1 degrees of freedom for a part over seeds, n - 1 for
the one over examples; Welch-Satterthwaite (Welch, 1947) combines them into the degrees of freedom of a t interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_recipe.objectives import METRICS

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Effect:
    """What a change brings, in the metric's unit, positive being better whatever the metric's direction.

    Attributes:
        gain: mean over seeds and examples.
        low, high: 95 % interval.
        seeds: seeds that both were trained with.
    """

    gain: float
    low: float
    high: float
    seeds: int

    @property
    def better(self) -> bool:
        """Better than noise."""
        return self.low > 0

    @property
    def worse(self) -> bool:
        """Worse than noise."""
        return self.high < 0


def promising(before: np.ndarray, first: np.ndarray) -> bool:
    """Whether a candidate's first seed earns it more of them: it beats the mean of the incumbent's.

    The incumbent's own first seed would be no measure; it may have been a lucky one.

    Args:
        before: gains of each example, (seeds, examples).
        first: gains of the candidate's first seed, (examples,).
    """
    return bool(first.mean() > before.mean())


def compare(metric: str, before: np.ndarray, after: np.ndarray) -> Effect:
    """The gain of `after` over `before`.

    Args:
        metric: name in `objectives.METRICS`.
        before: gains of each example, (seeds, examples); it may hold more seeds than `after`, the shared ones first.
        after: gains of each example under the first seeds of `before`. With one seed its spread over seeds is
            taken to be that of `before`.

    Raises:
        ValueError: `after` has more seeds than `before`, or neither has two.
    """
    shared = len(after)
    if shared > len(before) or len(before) < 2:
        raise ValueError(f"Expected two seeds or more before, and no more after. Received {len(before)} and {shared}.")
    difference = (after - before[:shared]).mean(axis=0)
    spread_before = float(before.mean(axis=1).var(ddof=1))
    spread_after = float(after.mean(axis=1).var(ddof=1)) if shared > 1 else spread_before
    parts = [
        (spread_before / shared, len(before) - 1),
        (spread_after / shared, max(shared, 2) - 1),
        (float(difference.var(ddof=1)) / difference.size, difference.size - 1),
    ]
    unit = abs(METRICS[metric].slope(float((after.mean() + before[:shared].mean()) / 2)))
    gain, margin = float(difference.mean()) * unit, _margin(parts) * unit
    return Effect(gain, gain - margin, gain + margin, shared)


def score_interval(metric: str, gains: np.ndarray) -> tuple[float, float, str]:
    """95 % interval of one model's score over the examples that it was judged on, and the interval's name.

    Accuracy: Wilson's score interval, sound near 1. Others: t interval over examples, carried to the metric's unit
    by the delta method.

    Args:
        metric: name in `objectives.METRICS`.
        gains: of each example, (examples,).
    """
    from scipy.stats import binomtest

    if metric == "accuracy":
        interval = binomtest(int(gains.sum()), len(gains)).proportion_ci(CONFIDENCE, method="wilson")
        return float(interval.low), float(interval.high), "Wilson"
    mean = float(gains.mean())
    value, unit = METRICS[metric].value(mean), abs(METRICS[metric].slope(mean))
    margin = _margin([(float(gains.var(ddof=1)) / len(gains), len(gains) - 1)]) * unit if len(gains) > 1 else 0.0
    return value - margin, value + margin, "t over examples"


def _margin(parts: list[tuple[float, int]]) -> float:
    """Half the width of the t interval whose variance is the sum of (variance, degrees of freedom) parts."""
    from scipy.special import stdtrit

    total = sum(v for v, _ in parts)
    if total == 0:
        return 0.0
    freedom = total**2 / sum(v**2 / df for v, df in parts)
    return float(stdtrit(freedom, 0.5 + CONFIDENCE / 2) * np.sqrt(total))
