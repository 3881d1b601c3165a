"""Augmentations: functions that return Keras layers, which change a whole batch at once, on the device.

They work on float32; `pipeline` gives the type and range of the data back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from keras_recipe.core.registry import Registry
from keras_recipe.core.spec import parse_pipeline

if TYPE_CHECKING:
    import keras

    from keras_recipe.problem import Kind, Problem

AUGMENTATIONS: Registry[Callable[..., Any]] = Registry("augmentation", __name__)
register_augmentation = AUGMENTATIONS.register
augmentation_of = AUGMENTATIONS.staged
"""Decorator: an augmentation of "pictures" or of "features" only."""


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

    return keras.layers.RandomContrast(factor)


@augmentation_of("features")
def noise(scale: float = 0.1) -> keras.layers.Layer:
    """Add Gaussian noise of this many standard deviations to standardized features (vectors and tables)."""
    import keras

    return keras.layers.GaussianNoise(scale)


def applies(text: str, kind: Kind) -> bool:
    """Whether every augmentation of the pipeline is one for this kind of input."""
    other = AUGMENTATIONS.of_stage("features" if kind == "image" else "pictures")
    return not any(spec.name in other for spec in parse_pipeline(text))


def pipeline(text: str, problem: Problem) -> keras.Model | None:
    """Model (batch, *shape) -> same shape, type and range; None for the empty pipeline.

    Raises RecipeError for an unknown name or argument.
    """
    if not text:
        return None
    import keras

    signature = problem.signature
    tensor = keras.Input(signature.shape, dtype=signature.dtype)
    x = keras.ops.cast(tensor, "float32")
    for spec in parse_pipeline(text):
        x = AUGMENTATIONS.check(spec)(**dict(spec.args))(x)
    if signature.dtype == "uint8":
        x = keras.ops.cast(keras.ops.round(keras.ops.clip(x, 0.0, 255.0)), "uint8")
    return keras.Model(tensor, x, name="augmentation")
