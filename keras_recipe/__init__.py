"""Runs Karpathy's recipe for training neural networks, in Keras, and shows the evidence for every decision.

    import keras_recipe as kr

    result = kr.Recipe(kr.load("digits"), directory="runs/digits").run()

Names are loaded when they are used: importing this package imports neither Keras nor TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "Config": "keras_recipe.core.config",
    "Problem": "keras_recipe.problem",
    "Recipe": "keras_recipe.recipe",
    "RecipeError": "keras_recipe.core.errors",
    "Result": "keras_recipe.recipe",
    "Diagnosis": "keras_recipe.core.diagnosis",
    "check": "keras_recipe.checks",
    "diagnose": "keras_recipe.diagnosis",
    "inspect": "keras_recipe.inspection",
    "load": "keras_recipe.data",
    "move": "keras_recipe.moves",
    "pipeline": "keras_recipe.data.augmentations",
    "register_augmentation": "keras_recipe.data.augmentations",
    "register_model": "keras_recipe.models",
    "register_synthetic": "keras_recipe.data.synthetic",
    "suggest_model": "keras_recipe.models.suggestion",
}
_MODULES = ("callbacks", "models")

__all__ = [*sorted(_HOMES), *_MODULES]  # noqa: PLE0604 - names of a table


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"keras_recipe.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
