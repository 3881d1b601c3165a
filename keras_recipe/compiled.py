"""From a config to a compiled model."""

from __future__ import annotations

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
    model.compile(optimizer=discriminative(optimizer(config.optimizer), model), loss=loss(problem))
    return model, pipeline(config.augmentation, problem)


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


def loss(problem: Problem) -> keras.losses.Loss:
    """The problem's training loss, on logits or on standardized targets."""
    if problem.signature.task == "binary":
        return keras.losses.BinaryCrossentropy(from_logits=True)
    if problem.loss == "crossentropy":
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return {"mse": keras.losses.MeanSquaredError, "mae": keras.losses.MeanAbsoluteError, "huber": keras.losses.Huber}[
        problem.loss
    ]()


def learning_rate(config: Config) -> float | None:
    """The config's learning rate, None where its optimizer's default applies."""
    rate = dict(Spec.parse(config.optimizer).args).get("learning_rate")
    return float(rate) if isinstance(rate, int | float) else None
