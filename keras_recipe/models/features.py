"""The features of a backbone: where a model can be cut in two, so that they are computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

BACKBONE, FEATURES = "backbone", "features"
"""Names of the nested model that may be frozen or pretrained, and of the layer whose output is worth keeping."""


def is_frozen(model: keras.Model) -> bool:
    """Whether the model has a backbone none of whose weights are trained."""
    return _has_parts(model) and not model.get_layer(BACKBONE).trainable_variables


def is_pretrained(model: keras.Model) -> bool:
    """Whether the model has a backbone that has been given pretrained weights."""
    origin = getattr(model.get_layer(BACKBONE), "origin", None) if _has_parts(model) else None
    return bool(origin and origin.weights)


def split(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Cut a model behind its features: inputs -> features, and features -> outputs. Both share all layers with it.

    What is trained on the features of a frozen backbone is the same as what would be trained behind the whole forward
    pass, at the price of one pass over the data instead of one an epoch.

    Raises:
        ValueError: the model has no layers "backbone" and, behind it, "features".
    """
    import keras

    features = model.get_layer(FEATURES).output
    x = start = keras.Input(features.shape[1:], dtype=features.dtype, name=FEATURES)
    for layer in model.layers[[layer.name for layer in model.layers].index(FEATURES) + 1 :]:
        x = layer(x)
    return keras.Model(model.inputs[0], features, name="before"), keras.Model(start, x, name="rest")


def _has_parts(model: keras.Model) -> bool:
    return {BACKBONE, FEATURES} <= {layer.name for layer in model.layers}
