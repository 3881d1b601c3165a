"""Numbers as a person reads them: scores in the unit of the objective, gains, seconds, counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from keras_recipe.core import wording
from keras_recipe.core.records import Run

PERCENT = {"accuracy", "balanced_accuracy"}
NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log loss",
    "rmse": "RMSE",
    "mae": "mean absolute error",
}
NBSP = "\u00a0"
MINUS = "\u2212"
# From here on one example is less than the second decimal of a percentage.
MANY_EXAMPLES = 5000


@dataclass(frozen=True)
class Units:
    """How scores of one objective are written.

    Attributes:
        name: of the metric, for a sentence.
        higher_is_better: direction of the metric.
        percent: whether a score of 0..1 is written as a percentage, and a difference in points.
        decimals: of a percentage.
        target: name of the predicted column; empty where there is none.
    """

    name: str
    higher_is_better: bool
    percent: bool
    decimals: int = 1
    target: str = ""

    @classmethod
    def of(cls, run: Run) -> Units:
        """Units of a run's objective; large splits carry one more significant digit."""
        sizes = run.problem.get("sizes") or {}
        smallest = min((sizes[k] for k in ("validation", "test") if k in sizes), default=0)
        metric = run.objective.metric
        return cls(
            NAMES.get(metric, metric.replace("_", " ")),
            run.objective.higher_is_better,
            metric in PERCENT,
            2 if smallest >= MANY_EXAMPLES else 1,
            str(run.problem.get("target") or ""),
        )

    def score(self, value: float) -> str:
        """`98.1 %`, `50,496`, `0.0731`."""
        if not math.isfinite(value):
            return number(value)
        return f"{value * 100:.{self.decimals}f}{NBSP}%" if self.percent else number(value)

    def interval(self, low: float, high: float) -> str:
        """`96.9 to 98.9 %`."""
        if self.percent and math.isfinite(low) and math.isfinite(high):
            return f"{low * 100:.{self.decimals}f} to {self.score(high)}"
        return f"{self.score(low)} to {self.score(high)}"

    def gain(self, value: float) -> str:
        """`+1.24 points`, `−812`; positive is better."""
        text = self._signed(value)
        return f"{text}{NBSP}points" if self.percent and math.isfinite(value) else text

    def gain_interval(self, low: float, high: float) -> str:
        """`−0.31 to +2.79`, without a unit."""
        return f"{self._signed(low)} to {self._signed(high)}"

    def difference(self, value: float) -> str:
        """Size of a difference between two scores, without a sign."""
        size = abs(value)
        return f"{size * 100:.{self.decimals}f}{NBSP}points" if self.percent else number(size)

    def tick(self, value: float) -> str:
        """Short form for an axis."""
        return f"{value * 100:.4g}{NBSP}%" if self.percent else compact(value)

    def _signed(self, value: float) -> str:
        if not math.isfinite(value):
            return number(value)
        text = f"{abs(value) * 100:.2f}" if self.percent else number(abs(value))
        return (MINUS if value < 0 else "+") + text


def number(value: float) -> str:
    """`50,496`, `84.31`, `0.0123`: three or four significant digits, but all of the whole part."""
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return ("" if value > 0 else MINUS) + "∞"
    size = abs(value)
    if 0 < size < 1e-4:
        text = f"{size:.2g}".replace("e-0", "e-")
    else:
        # Four digits from one on, three below: a loss of 0.0123 is not known any better.
        decimals = 0 if size == 0 else max((3 if size >= 1 else 2) - math.floor(math.log10(size)), 0)
        text = f"{size:,.{decimals}f}"
    return (MINUS if value < 0 else "") + text


def compact(value: float) -> str:
    """`120k`, `0.05`, `1e-5`: for an axis."""
    size = abs(value)
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if size >= limit:
            scale = {"G": 1e9, "M": 1e6, "k": 1e3}[suffix]
            return f"{value / scale:.4g}{suffix}".replace("-", MINUS)
    return f"{value:.4g}".replace("e-0", "e-").replace("-", MINUS)


def seconds(value: float) -> str:
    """`0.42 s`, `8.3 s`, `1 min 12 s`, `2 h 05 min`."""
    if not math.isfinite(value):
        return number(value)
    if value < 9.95:
        return f"{value:.1f}{NBSP}s" if value >= 0.95 else f"{value:.2f}{NBSP}s"
    whole = round(value)
    if whole < 60:
        return f"{whole}{NBSP}s"
    if whole < 3600:
        return f"{whole // 60}{NBSP}min" + (f" {whole % 60:02d}{NBSP}s" if whole % 60 else "")
    minutes = whole % 3600 // 60
    return f"{whole // 3600}{NBSP}h" + (f" {minutes:02d}{NBSP}min" if minutes else "")


def count(value: int) -> str:
    """`1,234`."""
    return f"{value:,}"


def plural(value: int, noun: str) -> str:
    """`1 seed`, `3 seeds`, never torn apart at the end of a line."""
    return wording.plural(value, noun).replace(" ", NBSP, 1)
