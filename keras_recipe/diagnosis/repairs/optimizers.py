"""Settings of an optimizer that nobody trains with."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from keras_recipe.diagnosis.anatomy import compiled_at, unwrapped
from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.probe import Outcome, with_
from keras_recipe.diagnosis.repairs import Repair, repair

USUAL = {
    "momentum": (0.0, 0.98), "beta_1": (0.0, 0.98), "beta_2": (0.9, 0.99999), "rho": (0.5, 0.9995),
    "epsilon": (0.0, 0.01), "initial_accumulator_value": (0.0, 1.0), "l1_regularization_strength": (0.0, 0.01),
    "l2_regularization_strength": (0.0, 0.01),
}  # fmt: skip
"""Lowest and highest value of each setting that is not suspected."""

DECAY = 0.05
"""Weight decay from which it is suspected; AdamW begins with .004."""


@repair
def optimizer_settings(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Momentum, epsilon and their like far from what Keras begins with."""
    optimizer = unwrapped(case.model.optimizer)
    if optimizer is None:
        return
    defaults = {n: p.default for n, p in inspect.signature(type(optimizer).__init__).parameters.items()}
    strange = {
        name: value for name, (low, high) in USUAL.items()
        if name in defaults and isinstance(value := getattr(optimizer, name, None), int | float)
        and not low <= value <= high
    }  # fmt: skip
    if strange:
        own_defaults = tuple((name, defaults[name]) for name in strange)
        usual = ", ".join(f"{name}={value:g}" for name, value in own_defaults)
        yield Repair(
            ("optimizer",),
            f"{type(optimizer).__name__} with {usual}",
            lambda v: with_(v, optimizer=(*v.optimizer, *own_defaults)),
            usual,
            ", ".join(f"{name}={value:g}" for name, value in strange.items()),
            "leave the settings of the optimizer as Keras has them",
            f"{type(optimizer).__name__}({usual})",
            location=compiled_at(case.model),
            rank=5,
        )
    decay = getattr(optimizer, "weight_decay", None)
    if isinstance(decay, int | float) and decay >= DECAY:
        yield Repair(
            ("regularization",),
            "no weight decay",
            lambda v: with_(v, optimizer=(*v.optimizer, ("weight_decay", None))),
            f"a weight decay below {DECAY}",
            f"{decay:g}",
            "leave it out, or make it small",
            "weight_decay=0.004",
            location=compiled_at(case.model),
            rank=5,
        )
