"""Hidden layers too narrow for what has to pass them."""

from __future__ import annotations

from collections.abc import Iterator

import keras

from keras_recipe.diagnosis.anatomy import ACTIVATING, Call, activation, steps_itself
from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.probe import SUBSTITUTES, Edit, Outcome, Undo, with_
from keras_recipe.diagnosis.repairs import Repair, place, repair

WIDE = 32
"""Units of the layer that is tried in place of a narrow one."""

PASSED = (*ACTIVATING, "Dropout", "GaussianNoise", "GaussianDropout", "Identity")
"""Layers for any width that may stand between two others."""


@repair
def narrow_layers(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """One unit, or two for many classes, between wider layers."""
    if steps_itself(case.model) or not case.targets:
        return
    narrow = [pair for pair in _pairs(case) if _too_few(case, int(pair[0].layer.units))]
    if not narrow:
        return
    first, following = narrow[0]
    names, where = place([first.layer])
    yield Repair(
        ("units",),
        f"{WIDE} units in {names}",
        lambda v: with_(v, edits=((f"wider {names}", _wider(first, following)),)),
        f"as many units as there are things to tell apart, {_wanted(case)} at least",
        f"{first.layer.units} in {names}, between {first.input.shape[-1]} and {following.output.shape[-1]}",
        f"give {names} more units",
        f"Dense({WIDE}, activation={activation(first.layer)!r})",
        names,
        where,
        rank=2,
    )


def _pairs(case: Case) -> Iterator[tuple[Call, Call]]:
    """Dense layers of which one takes what the other gives."""
    for following in case.anatomy.weighted:
        first = case.anatomy.maker(following.input, following)
        while first is not None and not first.weighted and type(first.layer).__name__ in PASSED:
            first = case.anatomy.maker(first.input, first)
        if first is not None and all(type(c.layer) is keras.layers.Dense for c in (first, following)):
            yield first, following


def _wanted(case: Case) -> int:
    target = case.target
    if target is None:
        return 1
    if case.reconstruction:
        return 2  # a code of two is made on purpose, to be drawn
    if target.kind == "multiclass":
        return 2 if target.classes < 8 else 3
    return min(2, target.classes) if target.kind != "binary" else 1


def _too_few(case: Case, units: int) -> bool:
    return units < _wanted(case)


def _wider(first: Call, following: Call) -> Edit:
    made: list[keras.layers.Dense] = []

    def edit(model: keras.Model) -> Undo:
        if not made:
            wide = keras.layers.Dense(
                WIDE, first.layer.activation, kernel_initializer=keras.initializers.GlorotUniform(0)
            )
            units, last = following.layer.units, following.layer.activation
            after = keras.layers.Dense(units, last, kernel_initializer=keras.initializers.GlorotUniform(1))
            wide.build(first.input.shape)
            after.build((*first.output.shape[:-1], WIDE))
            made.extend((wide, after))
        spec, following.layer.input_spec = following.layer.input_spec, None  # it takes a wider input now
        for layer, other in zip((first.layer, following.layer), made, strict=True):
            object.__setattr__(layer, "call", other)
            object.__setattr__(layer, SUBSTITUTES, [other])

        def undo() -> None:
            following.layer.input_spec = spec
            for layer in (first.layer, following.layer):
                object.__delattr__(layer, "call")
                object.__delattr__(layer, SUBSTITUTES)

        return undo

    return edit
