"""Rows of the first screen's chart: the model beside dumb baselines and a person, on one axis, the best first."""

from __future__ import annotations

import math
from dataclasses import dataclass

from keras_recipe.views.charts import Span, scoreboard_scale
from keras_recipe.views.story import Story


@dataclass(frozen=True)
class Row:
    """One line: `kind` is "model", "human" or "baseline"; `span` is a point where there is no interval."""

    kind: str
    label: str
    score: float
    span: Span


def rows(story: Story) -> list[Row]:
    """Scores on the test set; empty before it has been read."""
    e = story.evaluation
    if e is None:
        return []
    found = [("model", "This model", e.score)]
    found += [("baseline", name.replace("_", " "), score) for name, score in e.baselines.items()]
    if story.human_score is not None:
        found.append(("human", "A person", story.human_score))
    place = scoreboard_scale([e.low, e.high, *(score for *_, score in found)])
    best_first = sorted(found, key=lambda f: -f[2] if story.run.objective.higher_is_better else f[2])
    return [
        Row(kind, label, score, Span(place(e.low), place(score), place(e.high)) if kind == "model" else _point(at))
        for kind, label, score in best_first
        for at in [place(score) if math.isfinite(score) else 0.0]
    ]


def _point(at: float) -> Span:
    return Span(at, at, at)
