"""First and last layers that every builder shares: normalization of the inputs, and logits that start unbiased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipe.core.errors import RecipeError
from keras_recipe.problem import buffer_rows

if TYPE_CHECKING:
    import keras

    from keras_recipe.problem import Problem

SAMPLE = 4096
"""Examples that input statistics are taken from: their means are then known to 1.6 % of a standard deviation. Large
pictures: as many as fit a buffer, each of which brings thousands of pixels."""


def inputs(problem: Problem) -> tuple[Any, Any]:
    """The input tensor of a builder, and the same tensor as zero-mean, unit-variance float32.

    Pictures are normalized by channel, vectors by feature; tables arrive encoded and pass as they are.
    """
    import keras

    signature = problem.signature
    tensor = keras.Input(signature.shape, dtype=signature.dtype, name="inputs")
    if signature.kind == "table":
        return tensor, tensor
    mean, variance = input_moments(problem)
    return tensor, keras.layers.Normalization(axis=-1, mean=mean, variance=variance, name="normalize")(tensor)


def input_moments(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance over the last axis (channels or features) of a fixed sample of the training split."""
    sample = input_sample(problem).astype("float64")
    axes = tuple(range(sample.ndim - 1))
    variance = sample.var(axis=axes)
    return sample.mean(axis=axes).astype("float32"), np.where(variance > 0, variance, 1.0).astype("float32")


def input_sample(problem: Problem) -> np.ndarray:
    """A fixed sample of training inputs, spread evenly over the split: at most SAMPLE rows, and at most a buffer."""
    count = buffer_rows(problem.train.x, min(SAMPLE, problem.given))
    return problem.train.x[np.linspace(0, problem.given - 1, count).astype("int64")]


def head(problem: Problem, features: Any) -> Any:
    """Last layer: one unit an output, its bias set so that the first predictions are the label frequencies.

    Classification starts at log frequencies (log odds for binary), so that the first epochs are not spent on
    learning the bias; standardized regression targets start at 0, their mean.
    """
    import keras

    signature = problem.signature
    # Small weights (0.01, as in the last layer of Simonyan & Zisserman, 2014, and of most ImageNet code since): what
    # the untrained features say is noise, and the first loss should be that of the label frequencies.
    small = keras.initializers.RandomNormal(stddev=0.01)
    layer = keras.layers.Dense(signature.outputs, kernel_initializer=small, name="logits", dtype="float32")
    outputs = layer(features)
    if signature.task != "regression":
        frequencies = np.clip(problem.label_frequencies(), 1e-6, 1.0)
        bias = np.log(frequencies) if signature.task == "multiclass" else np.log(frequencies[1:] / frequencies[:1])
        layer.bias.assign(bias)
    return outputs


def fits(model: keras.Model, problem: Problem, spec: str) -> keras.Model:
    """The model, its output shape proven to be that of the problem. Raises RecipeError."""
    expected, received = (None, problem.signature.outputs), getattr(model, "output_shape", None)
    if received != expected:
        raise RecipeError(
            f"a model with outputs of shape {expected} for this {problem.signature.task} problem",
            f"{spec}, whose outputs have shape {received}",
            "end the builder with keras_recipe.models.head(problem, features)",
        )
    return model
