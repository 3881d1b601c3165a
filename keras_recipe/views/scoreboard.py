"""The first screen's chart: the model beside dumb baselines and a person, and its gap, on one axis, the best first."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from keras_recipe.views.charts import Span, Tick, nice, scoreboard_scale
from keras_recipe.views.story import Story
from keras_recipe.views.units import Units


@dataclass(frozen=True)
class Row:
    """One line: `kind` is "model", "human" or "baseline"; `span` is a point where there is no interval."""

    kind: str
    label: str
    score: float
    span: Span


@dataclass(frozen=True)
class Board:
    """All lines, the best first; the gap from the training (`low` of its span) to the validation score (`high`), None
    before there is a trial; the axis below them."""

    rows: tuple[Row, ...]
    gap: Span | None
    ticks: tuple[Tick, ...]


def board(story: Story, units: Units) -> Board:
    """Scores on the test set, and the gap of the trial whose weights became the model; empty before the test set has
    been read."""
    e = story.evaluation
    if e is None:
        return Board((), None, ())
    found = [("model", "This model", e.score)]
    found += [("baseline", name.replace("_", " "), score) for name, score in e.baselines.items()]
    if story.human_score is not None:
        found.append(("human", "A person", story.human_score))
    both = [story.best.train_score, story.best.score] if story.best is not None else []
    near = [e.low, e.high, *both, *(score for kind, _, score in found if kind != "baseline")]
    low, high = _reach(near, [score for *_, score in found])
    place = scoreboard_scale([low, high])
    best_first = sorted(found, key=lambda f: -f[2] if story.run.objective.higher_is_better else f[2])
    rows = tuple(
        Row(kind, label, score, _interval(place, e.low, score, e.high) if kind == "model" else _point(place, score))
        for kind, label, score in best_first
    )
    gap = _interval(place, both[0], both[1], both[1]) if both and all(map(math.isfinite, both)) else None
    marks = nice(low, high, 4)
    return Board(rows, gap, tuple(Tick(place(v), units.tick(v)) for v in marks))


def _reach(near: Sequence[float], scores: Sequence[float]) -> tuple[float, float]:
    """Ends of the axis. A guess that never looks at the input may be so far away that nothing else could be told apart:
    it then lies beyond the edge, and an arrow says so."""
    close = [v for v in near if math.isfinite(v)] or [0.0, 1.0]
    every = [v for v in (*close, *scores) if math.isfinite(v)]
    room = 2 * (max(close) - min(close)) or abs(max(close)) or 1.0
    inside = [v for v in every if min(close) - room <= v <= max(close) + room]
    return min(inside), max(inside)


def _interval(place: Callable[[float], float], low: float, mid: float, high: float) -> Span:
    return Span(place(low), place(mid), place(high))


def _point(place: Callable[[float], float], score: float) -> Span:
    at = place(score) if math.isfinite(score) else 0.0
    if at < 0:
        return Span(0.0, 0.0, 4.0, cut_low=True, outside=True)
    if at > 100:
        return Span(96.0, 100.0, 100.0, cut_high=True, outside=True)
    return Span(at, at, at)
