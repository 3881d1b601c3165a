"""What a diagnosis says: its values, which the console and the JSON are computed from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from keras_recipe.core.shown import shown

Grade = Literal["ERROR", "WARNING", "INFO"]

CAUSES = (
    "input-scale", "target-scale", "nan-data", "labels", "imbalance", "shuffling", "leakage", "duplicates",
    "preprocessing-mismatch", "units", "last-activation", "hidden-activation", "loss", "metric", "optimizer",
    "learning-rate", "batch-size", "epochs", "initializer", "architecture", "regularization", "dropout",
    "batch-normalization", "dead-units", "vanishing-gradient", "exploding-gradient", "gradient-clipping",
    "frozen-layers", "schedule", "no-validation", "augmentation",
)  # fmt: skip
"""Vocabulary of `Fault.cause`."""


@dataclass(frozen=True)
class Fault:
    """Something that is wrong with a training job, or that is worth knowing about it.

    Attributes:
        check: which check found it.
        severity: "ERROR" (proved, and harmful), "WARNING" (likely), "INFO" (worth knowing).
        cause: a word of CAUSES.
        message: one sentence.
        layer, location: names of layers, and "file.py:12"; "" where it is no matter of a layer, or not known.
        expected, measured: the two sides of the comparison.
        hint, patch: what to do, in words and as a line of code.
        evidence: figures, JSON values only.
        follows: what merely follows from it.
    """

    check: str
    severity: Grade
    cause: str
    message: str
    layer: str = ""
    location: str = ""
    expected: str = ""
    measured: str = ""
    hint: str = ""
    patch: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    follows: tuple[str, ...] = ()


def graded(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Faults by severity, strongest first; otherwise in the order in which they were found."""
    order = ("ERROR", "WARNING", "INFO")
    return tuple(sorted(faults, key=lambda f: order.index(f.severity)))


@dataclass(frozen=True)
class Diagnosis:
    """The verdict on one call of `fit`.

    Attributes:
        faults: strongest first.
        figures: what was measured, by name: "score", "constant", "linear", ...
        unit: what the scores are.
        checked: names of what was looked at.
        seconds: of it all.
        location: "file.py:12", the line of the call of fit.
        fits: calls of fit that the script has, this one included, as far as is known.
    """

    faults: tuple[Fault, ...]
    figures: dict[str, Any]
    unit: str
    checked: tuple[str, ...]
    seconds: float
    location: str = ""
    fits: int = 1

    @property
    def ok(self) -> bool:
        """Whether nothing is proved to be wrong."""
        return not any(f.severity == "ERROR" for f in self.faults)

    def _repr_html_(self) -> str:
        return shown("diagnosis", self)

    def to_json(self) -> dict[str, Any]:
        """As `diagnose --json` writes it."""
        values = asdict(self)
        findings = [{**f, "follows": list(f["follows"])} for f in values.pop("faults")]
        return {"ok": self.ok, "findings": findings, **values, "checked": list(self.checked)}
