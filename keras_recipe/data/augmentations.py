"""Augmentations: functions that return Keras layers, which change a whole batch at once, on the device.

Those of pictures see levels of 0..255 in float32, whatever the data; those of features see a standard deviation of 1;
those of "pairs" see labels too, as one column a class. `pipeline` gives the type and range of the data back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipe.core.registry import Registry
from keras_recipe.core.spec import parse_pipeline

if TYPE_CHECKING:
    import keras

    from keras_recipe.problem import Problem, Signature

AUGMENTATIONS: Registry[Callable[..., Any]] = Registry("augmentation", __name__)
register_augmentation = AUGMENTATIONS.register
augmentation_of = AUGMENTATIONS.staged
"""Decorator: an augmentation of "pictures", of "pairs" of pictures and labels, or of "features" only."""

LEVELS = (0, 255)
"""Range of the pictures that augmentations see."""


@augmentation_of("pictures")
def flip() -> keras.layers.Layer:
    """Mirror left and right, half of the time."""
    import keras

    return keras.layers.RandomFlip("horizontal")


@augmentation_of("pictures")
def shift(factor: float = 0.1) -> keras.layers.Layer:
    """Move by up to this share of height and width, the edge repeated."""
    import keras

    return keras.layers.RandomTranslation(factor, factor, fill_mode="nearest")


@augmentation_of("pictures")
def rotate(degrees: float = 10.0) -> keras.layers.Layer:
    """Turn by up to this many degrees either way, the edge repeated."""
    import keras

    return keras.layers.RandomRotation(degrees / 360, fill_mode="nearest")


@augmentation_of("pictures")
def zoom(factor: float = 0.1) -> keras.layers.Layer:
    """Enlarge or shrink by up to this share, height and width alike, the edge repeated."""
    import keras

    return keras.layers.RandomZoom(factor, fill_mode="nearest")


@augmentation_of("pictures")
def crop(area: float = 0.35) -> keras.layers.Layer:
    """Show a random part of at least this share of the area, at full size (Szegedy et al., 2015)."""
    from keras_recipe.data.cropping import RandomResizedCrop

    return RandomResizedCrop(area)


@augmentation_of("pictures")
def contrast(factor: float = 0.2) -> keras.layers.Layer:
    """Change contrast by up to this share."""
    import keras

    return keras.layers.RandomContrast(factor, value_range=LEVELS)


@augmentation_of("pictures")
def brightness(factor: float = 0.2) -> keras.layers.Layer:
    """Make lighter or darker by up to this share of the range."""
    import keras

    return keras.layers.RandomBrightness(factor, value_range=LEVELS)


@augmentation_of("colour")
def colour(factor: float = 0.2) -> keras.layers.Layer:
    """Change brightness, contrast, saturation and a little of the hue by up to this share."""
    import keras

    return keras.layers.RandomColorJitter(
        value_range=LEVELS,
        brightness_factor=factor,
        contrast_factor=factor,
        saturation_factor=(0.5 - factor / 2, 0.5 + factor / 2),
        hue_factor=factor / 10,
    )


@augmentation_of("pictures")
def blur(sigma: float = 1.0) -> keras.layers.Layer:
    """Blur half of the pictures by one half to all of this many pixels."""
    import keras

    return keras.layers.RandomGaussianBlur(
        factor=(0.5, 0.5), kernel_size=5, sigma=(sigma / 2, sigma), value_range=LEVELS
    )


@augmentation_of("pictures")
def cutout(share: float = 0.25) -> keras.layers.Layer:
    """Put noise over a part of up to this share of the area (DeVries & Taylor, 2017; Zhong et al., 2017)."""
    import keras

    return keras.layers.RandomErasing(factor=1.0, scale=(0.02, share), value_range=LEVELS)


@augmentation_of("pictures")
def grid_mask(ratio: float = 0.4) -> keras.layers.Layer:
    """Hide the squares of a grid, each this share of its cell high and wide (Chen et al., 2020)."""
    from keras_recipe.data.domains import GridMask

    return GridMask(ratio)


@augmentation_of("pictures")
def rand_augment(magnitude: float = 0.3) -> keras.layers.Layer:
    """Two of eleven changes of this strength (0 to 1), others for each batch (Cubuk et al., 2019).

    The strongest of each kind are those of AutoAugment (Cubuk et al., 2018, table 6). Keras takes one factor for all
    of them, as each layer means it: at 0.2, pictures would be turned by up to 72 degrees, all one way, lose all but one
    bit of each level, and be inverted above a level of 51.
    """
    import keras

    found = keras.layers.RandAugment(value_range=LEVELS, num_ops=2, factor=magnitude)
    ranges = {
        "random_shear": keras.layers.RandomShear(0.3 * magnitude, 0.3 * magnitude),
        "random_translation": keras.layers.RandomTranslation(0.45 * magnitude, 0.45 * magnitude),
        "random_rotation": keras.layers.RandomRotation(30 / 360 * magnitude),
        "random_brightness": keras.layers.RandomBrightness(0.9 * magnitude, value_range=LEVELS),
        "random_posterization": keras.layers.RandomPosterization((8 - round(4 * magnitude), 8), value_range=LEVELS),
        "solarization": keras.layers.Solarization(value_range=LEVELS),
    }
    # Not by its argument: Keras scales the upper end to levels alone, and would invert from a level of 1 on.
    ranges["solarization"].threshold_factor = 255 * (1 - magnitude), 1.0
    for name, layer in ranges.items():
        delattr(found, name)
        setattr(found, name, layer)
    return found


@augmentation_of("pictures")
def aug_mix(severity: float = 0.2) -> keras.layers.Layer:
    """Mix a picture with changed versions of itself, of this severity, 0 to 1 (Hendrycks et al., 2019)."""
    from keras_recipe.data.chains import AugMix

    return AugMix(severity)


@augmentation_of("pictures")
def randomize_domain(strength: float = 0.5) -> keras.layers.Layer:
    """Vary light, contrast, channels, texture, blur and noise widely, 0 to 1 (Tobin et al., 2017)."""
    from keras_recipe.data.domains import RandomizedDomain

    return RandomizedDomain(strength)


@augmentation_of("pairs")
def mixup(alpha: float = 0.2) -> keras.layers.Layer:
    """Blend each picture and its label with another's, by a share from Beta(alpha, alpha) (Zhang et al., 2017)."""
    import keras

    from keras_recipe.data.mixing import Mixing

    return Mixing(keras.layers.MixUp(alpha))


@augmentation_of("pairs")
def cutmix(alpha: float = 1.0) -> keras.layers.Layer:
    """Paste a part of another picture, and that part of its label (Yun et al., 2019)."""
    import keras

    from keras_recipe.data.mixing import Mixing

    return Mixing(keras.layers.CutMix(alpha))


@augmentation_of("features")
def noise(scale: float = 0.1) -> keras.layers.Layer:
    """Add Gaussian noise of this many standard deviations of each feature (vectors and tables)."""
    import keras

    return keras.layers.GaussianNoise(scale)


def unfit(text: str, signature: Signature) -> str:
    """Why an augmentation of the pipeline is not for this kind of input and label; "" where all are."""
    pictures = signature.kind == "image"
    reasons = {
        "features": f"it does not apply to {signature.kind} data: it is for features" if pictures else "",
        "pictures": "" if pictures else f"it does not apply to {signature.kind} data: it is for pictures",
        "colour": "" if pictures and signature.shape[-1] == 3 else "it is for pictures in colour",
        "pairs": "it mixes labels of classes, and here they are numbers" if signature.task == "regression" else "",
    }
    reasons["pairs"] = reasons["pairs"] or reasons["pictures"]
    stages = {name: stage for stage in reasons for name in AUGMENTATIONS.of_stage(stage)}
    return next((why for spec in parse_pipeline(text) if (why := reasons.get(stages.get(spec.name, ""), ""))), "")


def pipeline(text: str, problem: Problem) -> keras.Model | None:
    """Model (batch, *shape) -> same shape, type and range; None for the empty pipeline.

    With an augmentation of pairs in it, a model of two inputs, the second of them labels (batch, outputs).

    Raises RecipeError for an unknown name or argument.
    """
    if not text:
        return None
    import keras

    signature, specs = problem.signature, parse_pipeline(text)
    start = keras.Input(signature.shape, dtype=signature.dtype)
    x = keras.ops.cast(start, "float32")
    scale, offset = _levels(problem)
    x = keras.layers.Rescaling(scale, offset)(x)
    pairs = AUGMENTATIONS.of_stage("pairs")
    labels = y = keras.Input((signature.outputs,)) if any(spec.name in pairs for spec in specs) else None
    for spec in specs:
        layer = AUGMENTATIONS.check(spec)(**dict(spec.args))
        if spec.name in pairs:
            x, y = layer([x, y])
        else:
            x = layer(x)
    x = keras.layers.Rescaling(1 / scale, -offset / scale)(x)
    if signature.dtype == "uint8":
        x = keras.ops.cast(keras.ops.round(keras.ops.clip(x, 0.0, 255.0)), "uint8")
    if labels is None:
        return keras.Model(start, x, name="augmentation")
    return keras.Model([start, labels], [x, y], name="augmentation")


def _levels(problem: Problem) -> tuple[Any, float]:
    """Scale and offset that make levels of 0..255 of pictures; a scale a feature that makes a deviation of 1."""
    if problem.signature.kind != "image":
        from keras_recipe.models.heads import input_moments

        return 1 / np.sqrt(input_moments(problem)[1]), 0.0
    from keras_recipe.models.conventions import levels_of

    found = levels_of(problem)
    return found.scale, found.offset
