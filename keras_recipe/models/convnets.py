"""Convolutional networks for pictures from 8x8 up, trained from scratch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keras_recipe.models import model_of
from keras_recipe.models.heads import head, inputs

if TYPE_CHECKING:
    import keras

    from keras_recipe.problem import Problem


PHOTO = 48
"""Smaller side (pixels) above which a picture is a photo: it shows enough of what ImageNet teaches, and the first
layer makes it smaller, since at full size that layer would cost more than all the others together."""


@model_of("pictures")
def small_cnn(problem: Problem, width: int = 32, dropout: float = 0.0, spatial_dropout: float = 0.0) -> keras.Model:
    """Small ConvNet: VGG-like stages of 3x3 convolution, batch normalization, ReLU and pooling.

    As many stages as halve the picture to about 4x4, channels doubling up to four times the width; global average
    pooling instead of flatten and dense (Lin et al., 2013, section 3.2).

    Args:
        problem: pictures of at least 4x4; above 48 pixels a convolution of stride 2 comes first.
        width: channels of the first stage.
        dropout: share of features dropped before the last layer, 0 to below 1.
        spatial_dropout: share of whole channels dropped at the end of each stage, 0 to below 1.
    """
    import keras

    tensor, x = inputs(problem)
    size, stage = min(problem.signature.shape[:2]), 0
    if size > PHOTO:
        x, size = _convolution(x, width, kernel=5, strides=2), size // 2
    while size >= 8 or stage == 0:
        channels = width * min(2**stage, 4)
        x = _convolution(x, channels)
        x = _without_channels(keras.layers.MaxPooling2D(padding="same")(x), spatial_dropout)
        size, stage = size // 2, stage + 1
    x = _convolution(x, width * min(2**stage, 4))
    return keras.Model(tensor, head(problem, _pooled(x, dropout)), name="small_cnn")


@model_of("pictures")
def resnet(
    problem: Problem, depth: int = 8, width: int = 16, dropout: float = 0.0, spatial_dropout: float = 0.0
) -> keras.Model:
    """Residual network for small pictures (He et al., 2015, section 4.2), with batch normalization.

    Args:
        problem: pictures; above 48 pixels a stem of stride 4 comes first, as in the ImageNet networks of the paper.
        depth: 6n + 2 weighted layers, n residual blocks in each of three stages: 8, 14, 20, ...
        width: channels of the first stage, doubled at each of the next two.
        dropout: share of features dropped before the last layer, 0 to below 1.
        spatial_dropout: share of whole channels dropped at the end of each stage, 0 to below 1.

    Raises:
        ValueError: depth is not 6n + 2.
    """
    import keras

    if depth < 8 or (depth - 2) % 6:
        raise ValueError(f"Expected a depth of 6n + 2 (8, 14, 20, ...). Received {depth}.")
    tensor, x = inputs(problem)
    if min(problem.signature.shape[:2]) > PHOTO:
        x = _convolution(x, width, kernel=7, strides=2)
        x = keras.layers.MaxPooling2D(3, strides=2, padding="same")(x)
    else:
        x = _convolution(x, width)
    for stage in range(3):
        for block in range((depth - 2) // 6):
            x = _residual(x, width * 2**stage, strides=2 if stage and not block else 1)
        x = _without_channels(x, spatial_dropout)
    return keras.Model(tensor, head(problem, _pooled(x, dropout)), name="resnet")


def _convolution(x: Any, channels: int, *, kernel: int = 3, strides: int = 1, relu: bool = True) -> Any:
    import keras

    # No bias: the normalization that follows has its own.
    x = keras.layers.Conv2D(channels, kernel, strides, padding="same", use_bias=False, kernel_initializer="he_normal")(
        x
    )
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    return keras.layers.ReLU()(x) if relu else x


def _residual(x: Any, channels: int, *, strides: int) -> Any:
    import keras

    shortcut = x
    if strides > 1 or x.shape[-1] != channels:
        shortcut = _convolution(x, channels, kernel=1, strides=strides, relu=False)
    x = _convolution(_convolution(x, channels, strides=strides), channels, relu=False)
    return keras.layers.ReLU()(keras.layers.Add()([x, shortcut]))


def _without_channels(x: Any, share: float) -> Any:
    """Channels dropped as wholes: neighbouring pixels say the same, so that dropping single ones would drop nothing
    (Tompson et al., 2015, section 3.2)."""
    import keras

    return keras.layers.SpatialDropout2D(share)(x) if share else x


def _pooled(x: Any, dropout: float) -> Any:
    import keras

    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.layers.Dropout(dropout)(x) if dropout else x
