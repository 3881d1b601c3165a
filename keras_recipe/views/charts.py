"""Geometry of the charts, in percent of the plot's box; the templates draw it, the style sheet colours it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from keras_recipe.core.records import CurvePoint, Decision, LearningCurve, Objective, Trial
from keras_recipe.views.units import Units, compact, count

# More points than this are not seen on a screen, and a report of many trials should stay light.
MOST_POINTS = 200
# Where a curve spans more than this factor, a linear axis shows nothing but its first epochs.
LOG_FROM = 25.0
# An interval this many times the median is cut at the edge, so that one wild candidate does not flatten the others.
CUT = 3.0


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: position in percent from the left or from the top, and its text."""

    at: float
    label: str


@dataclass(frozen=True)
class Line:
    """A curve: `role` chooses the colour ("train", "validation"), `points` is the attribute of a polyline."""

    role: str
    points: str
    last: float


@dataclass(frozen=True)
class Curves:
    """A chart of curves over epochs. `rule` is a horizontal line with a text, `kept` the epoch of the kept weights."""

    title: str
    alt: str
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    rule: Tick | None
    kept: float | None
    log: bool


@dataclass(frozen=True)
class Span:
    """An interval on a horizontal axis; `cut_low` and `cut_high` say that it goes on beyond the edge, `outside` that
    even its middle lies there. `expected` is where the middle was expected, None where nothing was said."""

    low: float
    mid: float
    high: float
    cut_low: bool = False
    cut_high: bool = False
    outside: bool = False
    expected: float | None = None


@dataclass(frozen=True)
class Mark:
    """A point with a vertical interval; `forecast` where nothing was trained."""

    x: float
    y: float
    low: float
    high: float
    forecast: bool


@dataclass(frozen=True)
class Scaling:
    """A chart of scores over the number of training examples, on a logarithmic axis: `law` through the points,
    `beyond` where it goes on."""

    alt: str
    marks: tuple[Mark, ...]
    law: str
    beyond: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Axis:
    """A horizontal axis and where its zero lies."""

    zero: float
    ticks: tuple[Tick, ...]


def loss_curves(trial: Trial) -> Curves | None:
    """Training and validation loss over epochs; None where nothing finite was recorded."""
    return _curves(trial, "loss", "Loss", compact, None)


def score_curves(trial: Trial, units: Units, human: float | None) -> Curves | None:
    """Training and validation score over epochs, the human score as a line."""
    name = units.name[:1].upper() + units.name[1:]
    return _curves(trial, "score", name, units.tick, human)


def scaling(curve: LearningCurve, units: Units) -> Scaling:
    """Measured points, the fitted law through them, and where it goes with more data."""
    points = (*curve.points, *curve.forecast)
    values = _finite(*(v for p in points for v in (p.score, p.low, p.high))) or [0.0]
    place, y_ticks = _vertical(values, False, units.tick)
    first, last = points[0].examples, points[-1].examples
    along = _scale(math.log(first), math.log(last))

    def across(examples: float) -> float:
        return 4 + 0.92 * along(math.log(examples))

    def line(start: float, stop: float) -> str:
        steps = [start * (stop / start) ** (i / 40) for i in range(41)]
        return " ".join(f"{across(n):.2f},{place(_by_law(curve, n, units)):.2f}" for n in steps)

    said = [f"{units.score(p.score)} with {count(p.examples)} examples" for p in points]
    return Scaling(
        f"{units.name} over the number of training examples: {'; '.join(said)}.",
        tuple(_mark(p, across, place) for p in points if _finite(p.score)),
        line(first, curve.examples),
        line(curve.examples, last),
        tuple(Tick(across(p.examples), count(p.examples)) for p in points),
        y_ticks,
    )


def _by_law(curve: LearningCurve, examples: float, units: Units) -> float:
    error = curve.c + curve.a * (examples / curve.examples) ** -curve.b
    return 1 - error if units.higher_is_better else error


def _mark(point: CurvePoint, across: Callable[[float], float], place: Callable[[float], float]) -> Mark:
    x, ends = across(point.examples), sorted(place(v) for v in (point.low, point.high))
    return Mark(x, place(point.score), ends[0], ends[1], not point.seeds)


def decision_axis(decisions: Sequence[Decision]) -> tuple[Axis, Callable[[Decision], Span]]:
    """One axis for all decisions of a stage, zero in it, and what places a decision on that axis."""
    limit = _reach(decisions)
    low = max(-limit, min([0.0, *_finite(*(x for d in decisions for x in (d.low, d.effect)))]))
    told = [d.expected or 0.0 for d in decisions]
    high = min(limit, max([0.0, *told, *_finite(*(x for d in decisions for x in (d.high, d.effect)))]))
    pad = 0.06 * (high - low or 1.0)
    place = _scale(low - pad, high + pad)

    def span(d: Decision) -> Span:
        low_end = -math.inf if math.isnan(d.low) else d.low
        high_end = math.inf if math.isnan(d.high) else d.high
        ends = [place(low_end), place(d.effect), place(high_end)]
        start, mid, end = (min(max(x, 0.0), 100.0) for x in ends)
        told = None if d.expected is None else min(max(place(d.expected), 0.0), 100.0)
        return Span(start, mid, end, ends[0] < 0, ends[2] > 100, not 0 <= ends[1] <= 100, told)

    return Axis(place(0.0), tuple(Tick(place(t), "") for t in nice(low - pad, high + pad, 4))), span


def _reach(decisions: Sequence[Decision]) -> float:
    """How far from zero the axis goes: to the widest interval, unless that is far wider than the median one."""
    ends = sorted(max((abs(x) for x in _finite(d.low, d.effect, d.high)), default=0.0) for d in decisions)
    if not ends:
        return 1.0
    return min(ends[-1], CUT * ends[len(ends) // 2]) or ends[-1] or 1.0


def scoreboard_scale(values: Iterable[float]) -> Callable[[float], float]:
    """Places scores on a common axis, in percent, with some air at both ends."""
    finite = _finite(*values)
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    pad = 0.05 * (high - low) or 1.0
    return _scale(low - pad, high + pad)


def nice(low: float, high: float, wanted: int) -> list[float]:
    """Round values within [low, high], about as many as wanted."""
    if not high > low:
        return [low]
    raw = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, math.floor(high / step + 1e-9) + 1)]


def best_baseline(baselines: dict[str, float], objective: Objective) -> tuple[str, float] | None:
    """Name and score of the best baseline, if there is one."""
    pick = max if objective.higher_is_better else min
    known = {k: v for k, v in baselines.items() if math.isfinite(v)}
    return pick(known.items(), key=lambda item: item[1]) if known else None


def _curves(trial: Trial, quantity: str, title: str, tick: Callable[[float], str], rule: float | None) -> Curves | None:
    series = {"train": trial.history.get(quantity, []), "validation": trial.history.get(f"val_{quantity}", [])}
    values = _finite(*series["train"], *series["validation"])
    if not values:
        return None
    log = min(values) > 0 and max(values) > LOG_FROM * min(values)
    place, y_ticks = _vertical([*values, *_finite(*[rule] if rule is not None else [])], log, tick)
    epochs = max(len(s) for s in series.values())
    across = _scale(1, epochs) if epochs > 1 else lambda _: 50.0
    lines = tuple(_line(role, s, across, place) for role, s in series.items() if _finite(*s))
    return Curves(
        title,
        _alt(title, epochs, series, tick),
        lines,
        tuple(Tick(across(e), count(e)) for e in _epochs(epochs)),
        y_ticks,
        Tick(place(rule), f"human {tick(rule)}") if rule is not None and math.isfinite(rule) else None,
        across(trial.best_epoch) if 1 <= trial.best_epoch <= epochs and epochs > 1 else None,
        log,
    )


def _vertical(
    values: Sequence[float], log: bool, tick: Callable[[float], str]
) -> tuple[Callable[[float], float], tuple[Tick, ...]]:
    low, high = min(values), max(values)
    if log and low > 0:
        at = _scale(math.log(low), math.log(high))
        marks = [t for t in _decades(low, high) if low <= t <= high]
        return (lambda v: 100 - at(math.log(max(v, low)))), tuple(Tick(100 - at(math.log(t)), tick(t)) for t in marks)
    pad = 0.04 * (high - low) or 0.05 * abs(high) or 1.0
    scale = _scale(low - pad, high + pad)
    marks = nice(low - pad, high + pad, 4)
    return (lambda v: 100 - scale(v)), tuple(Tick(100 - scale(t), tick(t)) for t in marks)


def _decades(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1,) if last - first > 3 else (1, 3)
    return [m * 10.0**p for p in range(first, last + 1) for m in steps]


def _epochs(epochs: int) -> list[int]:
    inner = [int(e) for e in nice(1, epochs, 4) if e == int(e) and 1 < e < epochs * 0.86]
    return [1, *(e for e in inner if e > epochs * 0.1), epochs] if epochs > 1 else [1]


def _line(
    role: str, values: Sequence[float], across: Callable[[float], float], place: Callable[[float], float]
) -> Line:
    stride = max(1, math.ceil(len(values) / MOST_POINTS))
    kept = sorted({*range(0, len(values), stride), len(values) - 1})
    at = [(across(i + 1), place(values[i])) for i in kept if math.isfinite(values[i])]
    if len(at) == 1:  # a single epoch is drawn as a short stroke, or nothing would be seen
        at = [(at[0][0] - 2, at[0][1]), (at[0][0] + 2, at[0][1])]
    return Line(role, " ".join(f"{x:.2f},{y:.2f}" for x, y in at), at[-1][1])


def _alt(title: str, epochs: int, series: dict[str, list[float]], tick: Callable[[float], str]) -> str:
    said = [f"{role} from {tick(s[0])} to {tick(s[-1])}" for role, s in series.items() if s]
    return f"{title} over {epochs} epochs: {'; '.join(said)}."


def _finite(*values: float) -> list[float]:
    return [v for v in values if math.isfinite(v)]


def _scale(low: float, high: float) -> Callable[[float], float]:
    width = (high - low) or 1.0
    return lambda value: 100.0 * (value - low) / width
