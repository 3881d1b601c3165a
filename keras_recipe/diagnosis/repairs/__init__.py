"""What might be wrong with a job, each with the change that would mend it. A file added here is found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import keras

from keras_recipe.diagnosis.anatomy import location_of
from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.probe import Outcome, Variant


@dataclass(frozen=True)
class Repair:
    """A suspicion, and the change that tests it.

    Attributes:
        causes: words of the vocabulary, the first names the repair.
        name: the change in a few words, "sigmoid in place of softmax".
        change: the same job with the change.
        expected, measured: what made it suspicious.
        hint: what to write.
        patch: the line of code as it should be; "" where it depends.
        layer, location: where.
        impossible: whether the job cannot be right as it is, by proof and without training.
        certain: whether nobody means it to be as it is: then half of the usual gain is an ERROR.
        rank: among sufficient repairs of equal size the lowest is named.
        general: whether it needs no suspicion: any job trains otherwise at another rate.
    """

    causes: tuple[str, ...]
    name: str
    change: Callable[[Variant], Variant]
    expected: str
    measured: str
    hint: str
    patch: str = ""
    layer: str = ""
    location: str = ""
    impossible: bool = False
    certain: bool = False
    rank: int = 10
    general: bool = False
    check: str = ""


Suspect = Callable[[Case, Outcome | None], Iterator[Repair]]
"""Looks at a case, and at its own training where that has been done."""

SUSPECTS: dict[str, Suspect] = {}


def repair(function: Suspect) -> Suspect:
    """Register a generator of repairs under its name."""
    SUSPECTS[function.__name__] = function
    return function


def suspected(case: Case, own: Outcome | None) -> list[Repair]:
    """Every repair that something measured speaks for."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return [replace(r, check=r.check or name) for name, suspect in SUSPECTS.items() for r in suspect(case, own)]


def place(layers: list[keras.layers.Layer]) -> tuple[str, str]:
    """Names of layers, and the line where the first of them was made."""
    names = ", ".join(dict.fromkeys(layer.name for layer in layers))
    return names, next((found for layer in layers if (found := location_of(layer))), "")
