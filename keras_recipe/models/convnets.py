"""Convolutional networks for pictures from 8x8 up, trained from scratch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from keras_recipe.models import model_of
from keras_recipe.models.heads import head, inputs, shown_side

if TYPE_CHECKING:
    import keras

    from keras_recipe.problem import Problem


PHOTO = 48
"""Smaller side (pixels) above which a picture is a photo: it shows enough of what ImageNet teaches, and the first
layer makes it smaller, since at full size that layer would cost more than all the others together."""


@model_of("pictures")
def small_cnn(
    problem: Problem,
    width: int = 32,
    dropout: float = 0.0,
    spatial_dropout: float = 0.0,
    size: int = 0,
    grey: bool = False,
    depthwise: bool = False,
    pooling: bool = True,
) -> keras.Model:
    """Small ConvNet: VGG-like stages of 3x3 convolution, batch normalization, ReLU and pooling.

    As many stages as halve the picture to about 4x4, channels doubling up to four times the width; global average
    pooling instead of flatten and dense (Lin et al., 2013, section 3.2).

    Args:
        problem: pictures of at least 4x4; above 48 pixels a convolution of stride 2 comes first.
        width: channels of the first stage.
        dropout: share of features dropped before the last layer, 0 to below 1.
        spatial_dropout: share of whole channels dropped at the end of each stage, 0 to below 1.
        size, grey: make the input smaller, see `heads.inputs`; the stages are those of so small a picture.
        depthwise: convolve each channel by itself, then mix them by 1x1, but in the first layer.
        pooling: False for flatten and a dense layer of four times the width, as it was done before (Simonyan &
            Zisserman, 2014): more weights than all convolutions together.
    """
    import keras

    tensor, x = inputs(problem, size=size, grey=grey)
    side, stage = shown_side(problem, size), 0
    if side > PHOTO:
        x, side = _convolution(x, width, kernel=5, strides=2), side // 2
    while side >= 8 or stage == 0:
        channels = width * min(2**stage, 4)
        x = _convolution(x, channels, depthwise=depthwise and stage > 0)
        x = _without_channels(keras.layers.MaxPooling2D(padding="same")(x), spatial_dropout)
        side, stage = side // 2, stage + 1
    x = _convolution(x, width * min(2**stage, 4), depthwise=depthwise)
    if not pooling:
        x = keras.layers.Flatten()(x)
        x = keras.layers.Dense(4 * width, activation="relu", kernel_initializer="he_normal")(x)
    return keras.Model(tensor, head(problem, _pooled(x, dropout)), name="small_cnn")


@model_of("pictures")
def resnet(
    problem: Problem,
    depth: int = 8,
    width: int = 16,
    dropout: float = 0.0,
    spatial_dropout: float = 0.0,
    size: int = 0,
    grey: bool = False,
    depthwise: bool = False,
) -> keras.Model:
    """Residual network for small pictures (He et al., 2015, section 4.2), with batch normalization.

    Args:
        problem: pictures; above 48 pixels a stem of stride 4 comes first, as in the ImageNet networks of the paper.
        depth: 6n + 2 weighted layers, n residual blocks in each of three stages: 8, 14, 20, ...
        width: channels of the first stage, doubled at each of the next two.
        dropout: share of features dropped before the last layer, 0 to below 1.
        spatial_dropout: share of whole channels dropped at the end of each stage, 0 to below 1.
        size, grey: make the input smaller, see `heads.inputs`; the stem is that of so small a picture.
        depthwise: convolve each channel by itself, then mix them by 1x1, but in the first layer.

    Raises:
        ValueError: depth is not 6n + 2.
    """
    import keras

    if depth < 8 or (depth - 2) % 6:
        raise ValueError(f"Expected a depth of 6n + 2 (8, 14, 20, ...). Received {depth}.")
    tensor, x = inputs(problem, size=size, grey=grey)
    if shown_side(problem, size) > PHOTO:
        x = _convolution(x, width, kernel=7, strides=2)
        x = keras.layers.MaxPooling2D(3, strides=2, padding="same")(x)
    else:
        x = _convolution(x, width)
    for stage in range(3):
        for block in range((depth - 2) // 6):
            x = _residual(x, width * 2**stage, strides=2 if stage and not block else 1, depthwise=depthwise)
        x = _without_channels(x, spatial_dropout)
    return keras.Model(tensor, head(problem, _pooled(x, dropout)), name="resnet")


def _convolution(
    x: Any, channels: int, *, kernel: int = 3, strides: int = 1, relu: bool = True, depthwise: bool = False
) -> Any:
    import keras

    if depthwise:  # Howard et al., 2017, section 3.1: each half has its normalization and its ReLU
        # Each channel has its own inputs, of which "he_normal" would count those of all channels.
        normal = keras.initializers.RandomNormal(stddev=math.sqrt(2) / kernel)
        x = keras.layers.DepthwiseConv2D(kernel, strides, padding="same", use_bias=False, depthwise_initializer=normal)(
            x
        )
        x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
        kernel, strides = 1, 1
    # No bias: the normalization that follows has its own.
    x = keras.layers.Conv2D(channels, kernel, strides, padding="same", use_bias=False, kernel_initializer="he_normal")(
        x
    )
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    return keras.layers.ReLU()(x) if relu else x


def _residual(x: Any, channels: int, *, strides: int, depthwise: bool) -> Any:
    import keras

    shortcut = x
    if strides > 1 or x.shape[-1] != channels:
        shortcut = _convolution(x, channels, kernel=1, strides=strides, relu=False)
    x = _convolution(x, channels, strides=strides, depthwise=depthwise)
    x = _convolution(x, channels, relu=False, depthwise=depthwise)
    return keras.layers.ReLU()(keras.layers.Add()([x, shortcut]))


def _without_channels(x: Any, share: float) -> Any:
    """Channels dropped as wholes: neighbouring pixels say the same, so that dropping single ones would drop nothing
    (Tompson et al., 2015, section 3.2)."""
    import keras

    return keras.layers.SpatialDropout2D(share)(x) if share else x


def _pooled(x: Any, dropout: float) -> Any:
    import keras

    x = keras.layers.GlobalAveragePooling2D()(x) if len(x.shape) == 4 else x
    return keras.layers.Dropout(dropout)(x) if dropout else x
