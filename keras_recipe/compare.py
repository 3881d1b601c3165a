"""Is the candidate better, or lucky? Paired comparison over the same seeds and the same validation examples.

Two things vary when an experiment is repeated: the seed (weights, order, dropout) and the finite validation set.
The interval covers both. With `k` seeds and `n` examples, the gain's variance is

    Var = var_seeds(before) / k + var_seeds(after) / k + var_examples(mean difference) / n - interaction / (k n)

The examples are paired (both models judge the same ones), so that what is hard for both cancels; the interaction of
seeds and examples is part of all of the former, and counts once (the variance components of a two-way random layout;
Searle, Casella & McCulloch, 1992, chapter 4). The parts are known to different precision, k - 1 degrees of freedom over
seeds, n - 1 over examples; Welch-Satterthwaite (Welch, 1947) combines them into the degrees of freedom of a t interval.

A change that makes the model smaller need not make it better: it is kept where the same interval leaves no loss above a
margin stated beforehand (non-inferiority; Blackwelder, 1982, "Proving the null hypothesis in clinical trials").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from keras_recipe.objectives import METRICS

CONFIDENCE = 0.95

SEEDS = (3, 5, 7)
"""Seeds behind a decision: three, and more of them only where they may still decide it."""

MARGIN = 0.05
"""Part of the incumbent's error that a smaller model may lose at most: a twentieth of the mistakes, of the log loss, of
the absolute or of the squared error (which is a fortieth of an RMSE). Twenty examples in a hundred mistaken are then
twenty-one at worst, which is within what another draw of the validation split would change. With a tenth, a table of
32,000 people gave up their working hours for what may have been 1.3 points; that is for nobody but the user to give
away."""


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
    def undecided(self) -> bool:
        """Neither, but the gain is more than half of what it would take: more seeds may show that it is real."""
        return self.low <= 0 < self.gain + self.low

    @property
    def worse(self) -> bool:
        """Worse than noise."""
        return self.high < 0

    def keeps(self, margin: float) -> bool:
        """Not worse: the interval holds no loss above the margin, and not only losses."""
        return self.low >= -margin and not self.worse


def promising(before: np.ndarray, first: np.ndarray, loss: float | None = None) -> bool:
    """Whether a candidate's first seed earns it more of them: it beats the mean of the incumbent's.

    The incumbent's own first seed would be no measure; it may have been a lucky one.

    Args:
        before: gains of each example, (seeds, examples).
        first: gains of the candidate's first seed, (examples,).
        loss: that it may have, in the unit of the gains; None where it has to be better.
    """
    return bool(first.mean() > before.mean() if loss is None else first.mean() >= before.mean() - loss)


def allowed_loss(metric: str, before: np.ndarray) -> float:
    """What a smaller model may lose, see MARGIN, in the unit of the gains.

    Args:
        metric: name in `objectives.METRICS`.
        before: gains of each example, (seeds, examples).
    """
    perfect = 1.0 if METRICS[metric].higher_is_better else 0.0
    return MARGIN * max(0.0, perfect - float(before.mean()))


def in_unit(metric: str, before: np.ndarray, loss: float) -> float:
    """A loss in the unit of the gains, in that of the metric."""
    return loss * abs(METRICS[metric].slope(float(before.mean())))


def compare(metric: str, before: np.ndarray, after: np.ndarray) -> Effect:
    """The gain of `after` over `before`.

    Args:
        metric: name in `objectives.METRICS`.
        before: gains of each example, (seeds, examples); it may hold more seeds than `after`, the shared ones first.
        after: gains of each example under the first seeds of `before`. With one seed its spread over seeds is
            taken to be that of `before`. With one on either side nobody has seen any: both together are taken to be
            as large as the variance over examples, which already holds the interaction of the two.

    Raises:
        ValueError: `after` has more seeds than `before`, or there are none.
    """
    shared = len(after)
    if not 1 <= shared <= len(before):
        raise ValueError(f"Expected one seed or more before, and no more after. Received {len(before)} and {shared}.")
    difference = after - before[:shared]
    examples = difference.shape[1]
    over_examples = float(difference.mean(axis=0).var(ddof=1)) / examples
    if len(before) == 1:
        total, parts = 2 * over_examples, [(2 * over_examples, examples - 1)]
    else:
        spread_before = float(before.mean(axis=1).var(ddof=1)) / shared
        spread_after = float(after.mean(axis=1).var(ddof=1)) / shared if shared > 1 else spread_before
        total = max(over_examples, spread_before + spread_after + over_examples - _interaction(difference))
        parts = [
            (spread_before, len(before) - 1),
            (spread_after, max(shared, 2) - 1),
            (over_examples, examples - 1),
        ]
    unit = abs(METRICS[metric].slope(float((after.mean() + before[:shared].mean()) / 2)))
    gain, margin = float(difference.mean()) * unit, _margin(total, parts) * unit
    return Effect(gain, gain - margin, gain + margin, shared)


def compare_paired(metric: str, before: np.ndarray, after: np.ndarray) -> Effect:
    """The gain of `after` over `before` where both are of the same models, which differ in what they were shown.

    What a seed has made of a model is then common to both sides, and cancels.

    Args:
        metric: name in `objectives.METRICS`.
        before, after: gains of each example, (seeds, examples), of at least two seeds.
    """
    difference = after - before
    seeds, examples = difference.shape
    spread = float(difference.mean(axis=1).var(ddof=1)) / seeds
    over_examples = float(difference.mean(axis=0).var(ddof=1)) / examples
    total = max(over_examples, spread + over_examples - _interaction(difference))
    unit = abs(METRICS[metric].slope(float((after.mean() + before.mean()) / 2)))
    gain, margin = float(difference.mean()) * unit, _margin(total, [(spread, seeds - 1), (over_examples, examples - 1)])
    return Effect(gain, gain - margin * unit, gain + margin * unit, seeds)


def compare_average(metric: str, members: np.ndarray, average: np.ndarray) -> Effect:
    """The gain of an average of models over the mean of its members. These are given, only the examples vary.

    Args:
        metric: name in `objectives.METRICS`.
        members: gains of each example, (members, examples).
        average: gains of each example by the averaged predictions, (examples,).
    """
    difference = average - members.mean(axis=0)
    unit = abs(METRICS[metric].slope(float((average.mean() + members.mean()) / 2)))
    spread = float(difference.var(ddof=1)) / len(difference) if len(difference) > 1 else 0.0
    gain, margin = float(difference.mean()) * unit, _margin(spread, [(spread, max(len(difference), 2) - 1)]) * unit
    return Effect(gain, gain - margin, gain + margin, len(members))


def compare_models(metric: str, before: np.ndarray, after: np.ndarray) -> Effect:
    """The gain of one trained model over another on the same examples. Both are given, only the examples vary.

    For accuracy the interval is that of Agresti & Min, 2005 ("Simple improved confidence intervals for comparing
    matched proportions"), half a pseudo-example in each of the four cells: it has a width even where both models are
    right and wrong on the same examples.

    Args:
        metric: name in `objectives.METRICS`.
        before, after: gains of each example, (examples,).
    """
    if metric != "accuracy":
        return compare_average(metric, before[None], after)
    from scipy.special import ndtri

    won, lost = float((after > before).sum()) + 0.5, float((after < before).sum()) + 0.5
    count = len(before) + 2
    middle = (won - lost) / count
    spread = (won + lost - (won - lost) ** 2 / count) / count**2
    margin = float(ndtri(0.5 + CONFIDENCE / 2) * np.sqrt(spread))
    return Effect(float((after - before).mean()), middle - margin, middle + margin, 1)


def compare_intervals(before: tuple[float, float, float], after: tuple[float, float, float], sign: int) -> Effect:
    """The gain of one score over another, measured on other examples: the interval of a difference from those of its
    sides (Newcombe, 1998, method 10; Zou & Donner, 2008).

    Args:
        before, after: score with the ends of its 95 % interval.
        sign: 1 where higher is better, -1 elsewhere.
    """
    difference = after[0] - before[0]
    low = difference - float(np.hypot(after[0] - after[1], before[2] - before[0]))
    high = difference + float(np.hypot(after[2] - after[0], before[0] - before[1]))
    ends = sorted((sign * low, sign * high))
    return Effect(sign * difference, ends[0], ends[1], 1)


def judge(
    metric: str, gains: Callable[[int], tuple[np.ndarray, np.ndarray] | None], margin: float = 0.0
) -> Effect | None:
    """Compare under three seeds, and under five and seven where these may still decide it.

    Args:
        metric: name in `objectives.METRICS`.
        gains: number of seeds -> gains of each example before and after, (seeds, examples) both, or None where so
            many seeds are not to be had.
        margin: loss that does not count, in the metric's unit.

    Returns:
        the effect under the most seeds that were needed, None where there were none.
    """
    found = None
    for count in SEEDS:
        both = gains(count)
        if both is None:
            break
        found = compare(metric, *both)
        if not replace(found, gain=found.gain + margin, low=found.low + margin).undecided:
            break
    return found


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
    spread = float(gains.var(ddof=1)) / len(gains) if len(gains) > 1 else 0.0
    margin = _margin(spread, [(spread, max(len(gains), 2) - 1)]) * unit
    return value - margin, value + margin, "t over examples"


def _interaction(difference: np.ndarray) -> float:
    """The part of the mean's variance that is neither a seed's nor an example's own: both spreads hold it once."""
    seeds, examples = difference.shape
    if seeds < 2 or examples < 2:
        return 0.0
    rest = difference - difference.mean(axis=0) - difference.mean(axis=1, keepdims=True) + difference.mean()
    return float(np.square(rest).sum()) / ((seeds - 1) * (examples - 1)) / difference.size


def _margin(total: float, parts: list[tuple[float, int]]) -> float:
    """Half the width of a t interval; its degrees of freedom follow from (variance, degrees of freedom) parts."""
    from scipy.special import stdtrit

    if total == 0:
        return 0.0
    freedom = total**2 / sum(v**2 / df for v, df in parts)
    return float(stdtrit(freedom, 0.5 + CONFIDENCE / 2) * np.sqrt(total))
