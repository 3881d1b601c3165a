"""Augmentations: functions that return Keras layers, which change a whole batch at once, on the device.

Those of pictures see levels of 0..255 in float32, whatever the data; those of "pairs" see labels too, as one column a
class. `pipeline` gives the type and range of the data back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

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
    """Blur half of the pictures by up to this many pixels."""
    import keras

    return keras.layers.RandomGaussianBlur(factor=0.5, kernel_size=5, sigma=sigma, value_range=LEVELS)


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
def rand_augment(magnitude: float = 0.2) -> keras.layers.Layer:
    """Two of eleven changes of this strength (0 to 1), others for each batch (Cubuk et al., 2019)."""
    import keras

    return keras.layers.RandAugment(value_range=LEVELS, num_ops=2, factor=magnitude)


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
    """Add Gaussian noise of this many standard deviations to standardized features (vectors and tables)."""
    import keras

    return keras.layers.GaussianNoise(scale)


def applies(text: str, signature: Signature) -> bool:
    """Whether every augmentation of the pipeline is one for this kind of input and label."""
    unfit = {"features"} if signature.kind == "image" else {"pictures", "colour", "pairs"}
    if signature.kind == "image" and signature.shape[-1] != 3:
        unfit.add("colour")
    if signature.task == "regression":
        unfit.add("pairs")
    names = {name for stage in unfit for name in AUGMENTATIONS.of_stage(stage)}
    return not any(spec.name in names for spec in parse_pipeline(text))


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
    stretch = _levels(problem)
    if stretch != (1.0, 0.0):
        x = keras.layers.Rescaling(*stretch)(x)
    pairs = AUGMENTATIONS.of_stage("pairs")
    labels = y = keras.Input((signature.outputs,)) if any(spec.name in pairs for spec in specs) else None
    for spec in specs:
        layer = AUGMENTATIONS.check(spec)(**dict(spec.args))
        if spec.name in pairs:
            x, y = layer([x, y])
        else:
            x = layer(x)
    if stretch != (1.0, 0.0):
        x = keras.layers.Rescaling(1 / stretch[0], -stretch[1] / stretch[0])(x)
    if signature.dtype == "uint8":
        x = keras.ops.cast(keras.ops.round(keras.ops.clip(x, 0.0, 255.0)), "uint8")
    if labels is None:
        return keras.Model(start, x, name="augmentation")
    return keras.Model([start, labels], [x, y], name="augmentation")


def _levels(problem: Problem) -> tuple[float, float]:
    """Scale and offset that make levels of 0..255 of pictures; others stay as they are."""
    if problem.signature.kind != "image":
        return 1.0, 0.0
    from keras_recipe.models.conventions import levels_of

    found = levels_of(problem)
    return found.scale, found.offset
