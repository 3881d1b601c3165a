"""Model builders: functions `(problem, **arguments) -> keras.Model`, registered by their own name.

A built model takes encoded inputs (batch, *problem.signature.shape), normalizes them itself, and returns logits
(batch, classes), one logit (batch, 1) for binary tasks, or standardized targets (batch, targets).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from keras_recipe.core.registry import Registry
from keras_recipe.core.spec import Spec

if TYPE_CHECKING:
    import keras

    from keras_recipe.problem import Problem

MODELS: Registry[Callable[..., Any]] = Registry("model", __name__)
register_model = MODELS.register
model_of = MODELS.staged
"""Decorator: a model of "pictures" only, or of "features" (tables and vectors)."""


def __getattr__(name: str) -> Any:
    """A module of this package, imported when it is asked for: `kr.models.rates.discriminative`, for instance."""
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from error


def content_of(spec: str) -> str:
    """What a spec stands for besides its text: the source code of a user's own builder, the digest of pretrained
    weights.

    Empty for the other builders of this package: its version says what they do.
    """
    parsed = Spec.parse(spec)
    if parsed.name == "backbone":
        from keras_recipe.models.backbones import weights_digest

        return weights_digest(parsed)
    return MODELS.source(parsed.name)


def create(spec: str, problem: Problem) -> keras.Model:
    """Build the model of a spec such as `"resnet(depth=8)"` or `"package.module:function(width=64)"`.

    Raises:
        RecipeError: the name or an argument is unknown (the nearest one is named), or the builder's output
            does not fit the problem.
    """
    from keras_recipe.models.heads import fits

    parsed = Spec.parse(spec)
    return fits(MODELS.check(parsed)(problem, **dict(parsed.args)), problem, spec)
