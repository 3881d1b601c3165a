"""Augmentations that hide parts of a picture in a grid, or make it look as if it came from elsewhere."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

GREY = 127.5


class GridMask(keras.layers.Layer):
    """Hide the squares of a grid, whose size and place are drawn for each picture (Chen et al., 2020).

    Hidden pixels get the picture's mean colour: the paper puts 0 where the data has mean 0.

    Args:
        ratio: of a hidden square's side to that of its cell, above 0 and below 1; ratio ** 2 of the area is hidden.
        cells: fewest and most cells along the shorter side.
    """

    def __init__(self, ratio: float = 0.4, cells: tuple[float, float] = (1.5, 4.0), **options: Any) -> None:
        super().__init__(**options)
        if not 0 < ratio < 1 or not 1 <= cells[0] <= cells[1]:
            raise ValueError(
                f"Expected a ratio above 0 and below 1, and 1 cell or more. Received ratio={ratio}, cells={cells}."
            )
        self.ratio, self.cells = ratio, tuple(cells)
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, pictures: Any, training: bool | None = None) -> Any:
        """Pictures (batch, height, width, channels), of the same shape; as they are where it is not training."""
        if not training:
            return pictures
        count, (rows, columns) = ops.shape(pictures)[0], pictures.shape[1:3]
        side = min(rows, columns) / self._uniform((count, 1), *self.cells)
        down, across = (self._hidden(length, side) for length in (rows, columns))
        hidden = ops.logical_and(down[:, :, None, None], across[:, None, :, None])
        return ops.where(hidden, ops.mean(pictures, axis=(1, 2), keepdims=True), pictures)

    def _hidden(self, length: int, side: Any) -> Any:
        """Which rows or columns cross a hidden square, (batch, length)."""
        start = self._uniform(ops.shape(side), 0.0, 1.0) * side
        middles = ops.arange(length, dtype="float32")[None] + 0.5
        return ops.mod(middles + start, side) < self.ratio * side

    def _uniform(self, shape: Any, low: float, high: float) -> Any:
        return keras.random.uniform(shape, low, high, seed=self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        """Its arguments."""
        return {**super().get_config(), "ratio": self.ratio, "cells": self.cells}


class RandomizedDomain(keras.layers.Layer):
    """Make each picture look as if it came from elsewhere: another light, another camera, another print.

    Domain randomization (Tobin et al., 2017), which varies what must not matter so widely that the real world looks
    like one more variation: brightness, contrast, the gain of each channel, a smooth texture, blur for half of the
    pictures, noise. Sadeghi & Levine, 2016, do the same to a simulator's textures and lights.

    Args:
        strength: above 0 to 1; at 1, brightness moves by up to 80 levels, contrast by a factor of up to 2.5, a
            channel's gain by up to 2, texture and noise have deviations of up to 40 and 30 levels.
    """

    def __init__(self, strength: float = 0.5, **options: Any) -> None:
        super().__init__(**options)
        if not 0 < strength <= 1:
            raise ValueError(f"Expected a strength above 0 and at most 1. Received {strength}.")
        self.strength = strength
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, pictures: Any, training: bool | None = None) -> Any:
        """Pictures (batch, height, width, channels) of levels 0..255, of the same shape."""
        if not training:
            return pictures
        shape = ops.shape(pictures)
        count, channels = shape[0], pictures.shape[-1]
        contrast = 2.5 ** self._uniform((count, 1, 1, 1), -self.strength, self.strength)
        gain = 2.0 ** self._uniform((count, 1, 1, channels), -self.strength, self.strength)
        brightness = 80 * self._uniform((count, 1, 1, 1), -self.strength, self.strength)
        blurred = ops.average_pool(pictures, 3, strides=1, padding="same")
        blur = self._uniform((count, 1, 1, 1), 0.0, 1.0) < 0.5 * self.strength
        x = ops.where(blur, blurred, pictures)
        x = ((x - GREY) * contrast + GREY) * gain + brightness
        coarse = 40 * self.strength * self._uniform((count, 1, 1, 1), 0.0, 1.0) * self._normal((count, 4, 4, channels))
        x = x + ops.image.resize(coarse, pictures.shape[1:3], interpolation="bilinear")
        x = x + 30 * self.strength * self._uniform((count, 1, 1, 1), 0.0, 1.0) * self._normal(shape)
        return ops.clip(x, 0.0, 255.0)

    def _uniform(self, shape: Any, low: float, high: float) -> Any:
        return keras.random.uniform(shape, low, high, seed=self.seed_generator)

    def _normal(self, shape: Any) -> Any:
        return keras.random.normal(shape, seed=self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        """Its arguments."""
        return {**super().get_config(), "strength": self.strength}
