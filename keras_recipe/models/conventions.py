"""What a pretrained backbone expects of a pixel. Wrong preprocessing is the classic silent fault of fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from keras_recipe.problem import Problem

_MEAN, _DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
"""Of ImageNet's pixels by channel, R, G, B, in levels of 0..255 (0.485, 0.229 and so on, times 255, as in
torchvision)."""


@dataclass(frozen=True)
class Convention:
    """The input of a backbone is (levels - offset) / scale, by channel, for levels of 0..255.

    Attributes:
        offset, scale: of R, G, B.
        bgr: whether channels come in the order B, G, R.
    """

    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    bgr: bool = False

    def apply(self, levels: Any) -> Any:
        """Levels 0..255, (batch, height, width, 3) as R, G, B: an array, a tensor, or a symbolic one of Keras."""
        x = (levels - np.array(self.offset, "float32")) / np.array(self.scale, "float32")
        return x[..., ::-1] if self.bgr else x

    def layers(self, levels: Any) -> Any:
        """The same as layers of a Keras model, which are saved with it."""
        import keras

        x = levels
        if self.offset != (0.0, 0.0, 0.0) or self.scale != (1.0, 1.0, 1.0):
            scale = [1.0 / s for s in self.scale]
            offset = [-o / s for o, s in zip(self.offset, self.scale, strict=True)]
            uniform = len({*scale}) == 1 and len({*offset}) == 1
            x = keras.layers.Rescaling(*((scale[0], offset[0]) if uniform else (scale, offset)), name="preprocess")(x)
        return keras.ops.flip(x, axis=-1) if self.bgr else x


CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {
        "0..255": Convention(),
        "0..1": Convention(scale=(255.0, 255.0, 255.0)),
        "-1..1": Convention(offset=(127.5, 127.5, 127.5), scale=(127.5, 127.5, 127.5)),
        "imagenet": Convention(_MEAN, _DEVIATION),
        "caffe": Convention((123.68, 116.779, 103.939), bgr=True),
    }
)
"""By the names that `backbone(convention=...)` takes: "0..255" is for backbones that rescale inside; "imagenet" has
zero mean and unit variance over ImageNet, as PyTorch's models; "caffe" is B, G, R less the mean, as the first VGG and
ResNet."""


_ROOTS = tuple((d / 255.0) ** 0.5 for d in _DEVIATION)

EFFICIENTNET = Convention(
    tuple(m * (1.0 - r) for m, r in zip(_MEAN, _ROOTS, strict=True)),
    _ROOTS,
)
"""Levels for ImageNet's weights of EfficientNetB0 to B7 in keras.applications: they want pixels divided by the
deviation. The layer in front divides by its root; Keras adds the other division only where it fetches them itself."""

OVERSHOOT = 0.1
"""Part of the largest pixel by which the smallest may be below 0 without the range being one around 0: bicubic resizing
swings that far beyond its input (Keys, 1981)."""


@dataclass(frozen=True)
class Levels:
    """How raw pixels become levels of 0..255: pixel * scale + offset."""

    scale: float
    offset: float


def levels(low: float, high: float, dtype: str) -> Levels:
    """From the smallest and largest pixel that the training split has.

    Photos in uint8 are levels already. Pixels of 0..1, 0..16 or -1..1 are stretched: a backbone that takes 0..255
    sees a black picture otherwise.
    """
    if dtype == "uint8" and high > 127:
        return Levels(1.0, 0.0)
    if -low > OVERSHOOT * high:
        largest = max(-low, high)
        return Levels(127.5 / largest, 127.5)
    if dtype != "uint8" and 127 < high <= 255:
        return Levels(1.0, 0.0)
    return Levels(255.0 / high if high > 0 else 1.0, 0.0)


def levels_of(problem: Problem) -> Levels:
    """Levels of a problem's pictures, from a fixed sample of its training split."""
    from keras_recipe.models.heads import input_sample

    sample = input_sample(problem)
    return levels(float(sample.min()), float(sample.max()), problem.signature.dtype)
