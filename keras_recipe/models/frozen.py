"""A frozen backbone computes the same features in every epoch: the part that never changes, and the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

BACKBONE, FEATURES = "backbone", "features"
"""Names of the layer that may be frozen, and of the one whose output is worth keeping."""


def frozen_part(model: keras.Model) -> tuple[keras.Model, keras.Model] | None:
    """Split a model behind its frozen backbone: inputs -> features, and features -> outputs.

    Both share all layers with `model`. What is trained on the features is the same as what would be trained behind
    the whole forward pass, at the price of one pass over the data instead of one an epoch.

    Returns:
        None where the model has no layer "backbone" that is frozen, followed by a layer "features" and a chain of
        layers.
    """
    import keras

    names = [layer.name for layer in model.layers]
    if BACKBONE not in names or FEATURES not in names or model.get_layer(BACKBONE).trainable:
        return None
    features = model.get_layer(FEATURES).output
    before = keras.Model(model.inputs, features, name="frozen")
    if before.trainable_variables:
        return None
    x = start = keras.Input(features.shape[1:], dtype=features.dtype, name=FEATURES)
    for layer in model.layers[names.index(FEATURES) + 1 :]:
        x = layer(x)
    return before, keras.Model(start, x, name="rest")
