"""A Job: one training job under examination, whoever wrote it. Checks see only Jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_recipe import texts
from keras_recipe.cheap import Features, features
from keras_recipe.problem import Problem, Split
from keras_recipe.survey import Survey, survey

if TYPE_CHECKING:
    import pandas as pd

    from keras_recipe.loop import Loop

SAMPLE = 1000
"""Examples that a check looks at where all would cost more than they tell: shares are then known to 3 points."""


TEXTS = 20_000
"""Texts of a column that are read, at a fraction of a millisecond each: shares are then known to half a point."""

AFFORDABLE = 2**24
"""Input values that a short run may look at: seconds, for the first model of the ladder on two cores."""


def _silent(what: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True, eq=False)
class Job:
    """A compiled model with its data and fit arguments.

    Attributes:
        problem: the data, the task, and what counts as better.
        directory: where pictures go.
        fresh: seed -> the model's loop with the weights of that seed, untrained.
        batch_size: examples a gradient step.
        seed: of whatever a check draws.
        wider: seed -> the loop of the same model with more capacity; None where nobody knows how to widen it.
        trained: the loop with the weights that it was trained to; None before there are any.
        progress: called with (what, done, total) during long looks.
    """

    problem: Problem
    directory: Path
    fresh: Callable[[int], Loop]
    batch_size: int
    seed: int
    wider: Callable[[int], Loop] | None = None
    trained: Callable[[], Loop] | None = None
    progress: Callable[[str, int, int], None] = _silent

    @cached_property
    def survey(self) -> Survey:
        """One pass over all pictures, done when a check first asks for it."""
        return survey(self.problem, self.progress)

    @cached_property
    def features(self) -> Features:
        """Train and validation examples as a cheap model sees them."""
        look = self.survey if self.problem.signature.kind == "image" else None
        return features(self.problem, look, self.seed)

    @cached_property
    def texts(self) -> dict[str, pd.DataFrame]:
        """Properties of the training texts of each column of text, by row: of at most TEXTS rows drawn at random."""
        raw = self.problem.train.raw
        if raw is None:
            return {}
        rows = np.sort(np.random.default_rng(self.seed).permutation(len(raw))[:TEXTS])
        found = {}
        for name in texts.text_columns(raw):
            self.progress(f"reading {name}", 0, 1)
            found[name] = texts.properties(raw[name].iloc[rows]).set_axis(rows)
            self.progress(f"reading {name}", 1, 1)
        return found

    def steps(self, batch: int, least: int, most: int) -> int:
        """Gradient steps of a short run: as many as AFFORDABLE allows, between these bounds.

        A count and not a time, so that a rerun finds the same numbers.
        """
        values = batch * int(np.prod(self.problem.signature.shape))
        return int(np.clip(AFFORDABLE // max(values, 1), least, most))

    def sample(self, split: Split, count: int = SAMPLE) -> tuple[np.ndarray, np.ndarray]:
        """The same random examples at every call: inputs and labels of at most `count` rows, and at most a buffer."""
        return split.sample(count, self.seed)
