"""Discriminative learning rates: the pretrained part of a model moves slower than its new head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

_MARK = "learning_rate_factor"


def slow(layer: keras.layers.Layer, factor: float) -> None:
    """Mark a layer: its weights are to move at this share of the learning rate, see `discriminative`.

    Raises:
        ValueError: the factor is not above 0 (freeze the layer instead) or above 1.
    """
    if not 0 < factor <= 1:
        raise ValueError(f"Expected a share of the learning rate, above 0 and at most 1. Received {factor}.")
    setattr(layer, _MARK, factor)


def discriminative(optimizer: keras.optimizers.Optimizer, model: keras.Model) -> keras.optimizers.Optimizer:
    """The same optimizer, which moves the weights of slowed layers of `model` at their share of the rate.

    Discriminative fine-tuning (Howard & Ruder, 2018, section 3.2): what was learnt from a million pictures should not
    be forgotten while the new head is still noise. Scaled gradients would not do: Adam divides them by their own
    size. Decoupled weight decay is scaled alike.

    Args:
        optimizer: not built yet.
        model: its trainable weights must be those that `optimizer` will be applied to. A model without slowed layers
            leaves the optimizer as it is.
    """
    slowed = [layer for layer in model._flatten_layers() if getattr(layer, _MARK, 1.0) != 1.0]  # nested ones, too
    factors = {id(v): getattr(layer, _MARK) for layer in slowed for v in layer.variables}
    if not any(id(v) in factors for v in model.trainable_variables):
        return optimizer
    optimizer.build(model.trainable_variables)
    by_index = [factors.get(id(v), 1.0) for v in model.trainable_variables]
    step, decay = optimizer.update_step, optimizer._apply_weight_decay

    def update_step(gradient: Any, variable: Any, learning_rate: Any) -> None:
        step(gradient, variable, learning_rate * by_index[optimizer._get_variable_index(variable)])

    def apply_weight_decay(variables: list[Any]) -> None:
        given = optimizer.weight_decay
        for factor in sorted({*by_index}) if given else ():
            optimizer.weight_decay = given * factor
            decay([v for v in variables if by_index[optimizer._get_variable_index(v)] == factor])
        optimizer.weight_decay = given

    optimizer.update_step, optimizer._apply_weight_decay = update_step, apply_weight_decay
    return optimizer
