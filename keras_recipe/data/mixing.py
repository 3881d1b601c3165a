"""Augmentations that change a picture and its label together: each example is mixed with another of its batch."""

from __future__ import annotations

from typing import Any

import keras


class Mixing(keras.layers.Layer):
    """A Keras layer over {"images", "labels"}, `keras.layers.MixUp` for instance, as one over two tensors.

    Args:
        mix: the layer.
    """

    def __init__(self, mix: keras.layers.Layer, **options: Any) -> None:
        super().__init__(**options)
        self.mix = mix

    def build(self, shapes: Any) -> None:
        """It has no weights."""
        self.mix.build(shapes[0])

    def call(self, pair: tuple[Any, Any], training: bool | None = None) -> tuple[Any, Any]:
        """Pictures (batch, height, width, channels) and labels (batch, outputs), both float32, and the same mixed."""
        if not training:
            return tuple(pair)
        mixed = self.mix({"images": pair[0], "labels": pair[1]}, training=True)
        return mixed["images"], mixed["labels"]

    def compute_output_shape(self, shapes: Any) -> Any:
        """Those of the inputs."""
        return tuple(shapes)
