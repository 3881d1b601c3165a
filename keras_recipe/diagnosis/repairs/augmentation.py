"""Augmentation that leaves nothing of what the labels say."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import keras

from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.probe import Edit, Outcome, Undo, with_
from keras_recipe.diagnosis.repairs import Repair, place, repair

OTHERS = ("GaussianNoise", "MixUp", "CutMix", "RandAugment", "AugMix", "AutoContrast", "Solarization")
"""Layers of Keras that change inputs at random, beside those that are called Random...; RandomCrop changes shapes."""


@repair
def augmentation(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Layers that change examples at random while training."""
    if case.reconstruction:
        return  # to take noise away is what it is to learn
    called = [c.layer for c in case.anatomy.calls]
    layers = [layer for layer in dict.fromkeys([*called, *case.model._flatten_layers()]) if _augments(layer)]
    if not layers:
        return
    names, where = place(layers)
    yield Repair(
        ("augmentation",),
        "no augmentation",
        lambda v: with_(v, edits=(("no augmentation", _without(layers)),)),
        "changes that leave it to be seen what an example is",
        ", ".join(_said(layer) for layer in layers[:4]),
        "look at some augmented examples; make the changes smaller, and leave out those that change the label",
        "",
        names,
        where,
        rank=3,
    )


def _augments(layer: keras.layers.Layer) -> bool:
    name = type(layer).__name__
    if type(layer).__module__.startswith("keras."):
        return (name.startswith("Random") and name != "RandomCrop") or name in OTHERS
    if isinstance(layer, keras.Model) or layer.weights or layer._layers or "dropout" in name.lower():
        return False
    return "training" in inspect.signature(layer.call).parameters


def _said(layer: keras.layers.Layer) -> str:
    given = ("factor", "height_factor", "width_factor", "stddev", "mode", "value_range", "scale")
    settings = {n: v for n in given if (v := getattr(layer, n, None)) is not None}
    return f"{layer.name}({', '.join(f'{n}={v}' for n, v in settings.items())})"


def _without(layers: list[keras.layers.Layer]) -> Edit:
    def edit(model: keras.Model) -> Undo:
        for layer in layers:
            object.__setattr__(layer, "call", lambda inputs, *args, **kwargs: inputs)

        def undo() -> None:
            for layer in layers:
                object.__delattr__(layer, "call")

        return undo

    return edit
