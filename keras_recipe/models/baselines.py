"""The dumbest models that train: what a deep one has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_recipe.models import register_model
from keras_recipe.models.heads import head, inputs

if TYPE_CHECKING:
    import keras

    from keras_recipe.problem import Problem


@register_model
def linear(problem: Problem, size: int = 0, grey: bool = False, without: tuple[str, ...] = ()) -> keras.Model:
    """Linear model: logistic or linear regression by gradient descent.

    Args:
        problem: any kind; pictures are flattened.
        size, grey, without: make the input smaller, see `heads.inputs`.
    """
    import keras

    tensor, x = inputs(problem, size=size, grey=grey, without=without)
    return keras.Model(tensor, head(problem, keras.layers.Flatten()(x)), name="linear")


@register_model
def mlp(
    problem: Problem,
    width: int = 128,
    depth: int = 2,
    dropout: float = 0.0,
    size: int = 0,
    grey: bool = False,
    without: tuple[str, ...] = (),
) -> keras.Model:
    """Multilayer perceptron: dense layers with ReLU.

    Args:
        problem: any kind; pictures are flattened.
        width: units of each hidden layer, at least 1.
        depth: hidden layers, at least 1.
        dropout: share of hidden activations dropped, 0 to below 1.
        size, grey, without: make the input smaller, see `heads.inputs`.
    """
    import keras

    tensor, x = inputs(problem, size=size, grey=grey, without=without)
    x = keras.layers.Flatten()(x)
    for _ in range(depth):
        x = keras.layers.Dense(width, activation="relu", kernel_initializer="he_normal")(x)
        if dropout:
            x = keras.layers.Dropout(dropout)(x)
    return keras.Model(tensor, head(problem, x), name="mlp")
