"""From a config to a compiled model."""

from __future__ import annotations

from typing import Any

import keras

from keras_recipe.core.config import Config
from keras_recipe.core.errors import RecipeError, nearest
from keras_recipe.core.spec import Spec
from keras_recipe.data.augmentations import pipeline
from keras_recipe.models import create
from keras_recipe.models.fused import fuse
from keras_recipe.models.rates import discriminative
from keras_recipe.problem import Problem


def build(problem: Problem, config: Config) -> tuple[keras.Model, keras.Model | None]:
    """The compiled model and the augmentation of a config, randomness drawn from the global generators."""
    model = fuse(create(config.model, problem))
    augmentation = pipeline(config.augmentation, problem)
    mixed = augmentation is not None and len(augmentation.inputs) > 1
    model.compile(
        optimizer=discriminative(optimizer(config.optimizer), model),
        loss=loss(problem, config.label_smoothing, shares=mixed),
    )
    return model, augmentation


def optimizer(spec: str) -> keras.optimizers.Optimizer:
    """The Keras optimizer of a spec; weight decay, decoupled, spares biases and normalization.

    Raises:
        RecipeError: the name or an argument is unknown to Keras.
    """
    parsed = Spec.parse(spec)
    known = {name.lower(): cls for name, cls in vars(keras.optimizers).items() if isinstance(cls, type)}
    if parsed.name not in known:
        raise RecipeError("the name of a Keras optimizer", repr(parsed.name), nearest(parsed.name, known))
    try:
        made = known[parsed.name](**dict(parsed.args))
    except (TypeError, ValueError) as error:
        raise RecipeError(f"arguments of keras.optimizers.{parsed.name}", str(error), "correct the spec") from error
    if made.weight_decay:
        made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return made


class Crossentropy(keras.losses.Loss):
    """Cross-entropy of logits with class indices (batch,), or with shares of classes (batch, classes).

    Args:
        smoothing: share of each label that is spread over all classes (Szegedy et al., 2016, section 7).
    """

    def __init__(self, smoothing: float = 0.0, **options: Any) -> None:
        super().__init__(**options)
        self.smoothing = smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Loss of each example, (batch,)."""
        shares = y_true if len(y_true.shape) == 2 else keras.ops.one_hot(y_true, y_pred.shape[-1])
        return keras.losses.categorical_crossentropy(shares, y_pred, True, self.smoothing)


def loss(problem: Problem, smoothing: float = 0.0, *, shares: bool = False) -> keras.losses.Loss:
    """The problem's training loss, on logits or on standardized targets.

    Args:
        problem: with its loss.
        smoothing: see Config.label_smoothing.
        shares: whether labels may come as (batch, classes) too.
    """
    if problem.signature.task == "binary":
        return keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing)
    if problem.loss == "crossentropy" and (shares or smoothing):
        return Crossentropy(smoothing)
    if problem.loss == "crossentropy":
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return {"mse": keras.losses.MeanSquaredError, "mae": keras.losses.MeanAbsoluteError, "huber": keras.losses.Huber}[
        problem.loss
    ]()


def learning_rate(config: Config) -> float | None:
    """The config's learning rate, None where its optimizer's default applies."""
    rate = dict(Spec.parse(config.optimizer).args).get("learning_rate")
    return float(rate) if isinstance(rate, int | float) else None
