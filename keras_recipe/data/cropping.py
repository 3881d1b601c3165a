"""The augmentation behind most ImageNet results, which Keras has no layer for: parts of a picture at full size."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class RandomResizedCrop(keras.layers.Layer):
    """Cut out a random part of each picture and enlarge it to the size of the whole (Szegedy et al., 2015, section 6).

    Args:
        area: least share of the picture's area that is left, above 0 to 1; the most is all of it.
        ratio: largest factor by which a part's width and height are stretched against each other, 1 or more.
    """

    def __init__(self, area: float = 0.35, ratio: float = 4 / 3, **options: Any) -> None:
        super().__init__(**options)
        if not 0 < area <= 1 or ratio < 1:
            raise ValueError(
                f"Expected an area above 0 to 1 and a ratio of 1 or more. Received area={area}, ratio={ratio}."
            )
        self.area, self.ratio = area, ratio
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, pictures: Any, training: bool | None = None) -> Any:
        """Pictures (batch, height, width, channels), of the same shape; as they are where it is not training."""
        if not training:
            return pictures
        count, (rows, columns) = ops.shape(pictures)[0], pictures.shape[1:3]
        area = self._uniform(count, self.area, 1.0)
        stretch = ops.exp(self._uniform(count, -1.0, 1.0) * ops.log(self.ratio))
        height, width = (ops.minimum(ops.sqrt(side), 1.0) for side in (area / stretch, area * stretch))
        top, left = ((1 - side) * self._uniform(count, 0.0, 1.0) for side in (height, width))
        none = ops.zeros_like(area)
        # Where a pixel of the result comes from: x' = a x + b, y' = c y + d, pixels being as wide as one.
        across = (width, none, left * columns + (width - 1) / 2)
        down = (none, height, top * rows + (height - 1) / 2)
        return ops.image.affine_transform(
            pictures, ops.stack([*across, *down, none, none], axis=1), interpolation="bilinear", fill_mode="nearest"
        )

    def _uniform(self, count: Any, low: float, high: float) -> Any:
        return keras.random.uniform((count,), low, high, seed=self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        """Its arguments."""
        return {**super().get_config(), "area": self.area, "ratio": self.ratio}
