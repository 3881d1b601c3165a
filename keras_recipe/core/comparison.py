"""What a comparison of runs says: its values, which the console and the JSON are computed from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Side:
    """One of the runs.

    Attributes:
        directory: of the run.
        name: of its problem.
        score, low, high: on the test split, with the 95 % interval; None where the run is not finished.
        examples: of the test split; 0 where it has not been read.
        validation: score on the validation split, of the model, or of the trial that leads so far; None before one.
        config: leaves of the config that the model, or that trial, was trained by, and "members", the seeds averaged.
        data: what identifies the data, its split and the objective.
        run: seed, budget, versions and the other choices of the user.
    """

    directory: str
    name: str
    score: float | None
    low: float | None
    high: float | None
    examples: int
    validation: float | None
    config: dict[str, Any]
    data: dict[str, Any]
    run: dict[str, Any]


@dataclass(frozen=True)
class Contrast:
    """A run against the first one, on one split.

    Attributes:
        directory: of the run.
        split: "test" or "validation".
        paired: whether both models were judged on the same examples, one by one.
        why: why they were not; "" where they were.
        examples: of the run.
        gain, low, high: over the first run, positive being better, in the metric's unit, and its 95 % interval over the
            examples.
    """

    directory: str
    split: str
    paired: bool
    why: str
    examples: int
    gain: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """ "better", "worse", or "not distinguishable": whether the interval leaves 0 out."""
        return "better" if self.low > 0 else "worse" if self.high < 0 else "not distinguishable"


@dataclass(frozen=True)
class Comparison:
    """Runs side by side, the first one being what the others are held against.

    Attributes:
        metric: that decides; "" where the runs have several, so that no scores are compared.
        higher_is_better: its direction.
        sides: the runs, in the order given.
        contrasts: of each run but the first, on each split that allows it.
        data, config, run: name of what differs to its values, one a run.
        notes: what could not be compared, and why.
    """

    metric: str
    higher_is_better: bool
    sides: tuple[Side, ...]
    contrasts: tuple[Contrast, ...]
    data: dict[str, list[Any]]
    config: dict[str, list[Any]]
    run: dict[str, list[Any]]
    notes: tuple[str, ...] = ()

    @property
    def worse(self) -> bool:
        """Whether a run is worse than the first one on the test split, by more than noise."""
        return any(c.verdict == "worse" for c in self.contrasts if c.split == "test")

    def to_json(self) -> dict[str, Any]:
        """As `compare --json` prints it."""
        contrasts = [asdict(c) | {"verdict": c.verdict} for c in self.contrasts]
        return {**asdict(self), "contrasts": contrasts, "worse": self.worse}
