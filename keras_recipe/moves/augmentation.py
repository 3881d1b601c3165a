"""Data augmentation, from gentle to aggressive: the next best thing to more data."""

from __future__ import annotations

from collections.abc import Iterator

from keras_recipe.core.config import Config
from keras_recipe.core.records import Trial
from keras_recipe.core.spec import Spec
from keras_recipe.models.convnets import PHOTO
from keras_recipe.moves import Proposed, move
from keras_recipe.problem import Problem


def _with(config: Config, spec: str) -> Config:
    """The config with this augmentation behind its own, or in the place of one of the same name."""
    own = {Spec.parse(part).name: part for part in config.augmentation.split("|") if part}
    return config.replace(augmentation="|".join((own | {Spec.parse(spec).name: spec}).values()))


@move("regularize", order=9, expect=0.1)
def crop_photo(config: Config, trial: Trial, problem: Problem) -> Proposed:
    """Show parts of 70 or 35 % of a training photo's area at full size: what most ImageNet results are trained with."""
    if problem.signature.kind == "image" and min(problem.signature.shape[:2]) <= PHOTO:
        return f"pictures of {PHOTO} pixels or fewer show one thing, in full: there is nothing to leave out"
    yield _with(config, "crop(area=0.7)")
    yield _with(config, "crop(area=0.35)")
    return None


@move("regularize", order=10, expect=0.1)
def shift_picture(config: Config, trial: Trial) -> Iterator[Config]:
    """Move training pictures by up to a tenth, or a fifth, of their size."""
    yield _with(config, "shift(factor=0.1)")
    yield _with(config, "shift(factor=0.2)")


@move("regularize", order=12, expect=0.1)
def flip_picture(config: Config, trial: Trial) -> Iterator[Config]:
    """Mirror half of the training pictures: right for photos, wrong for digits, so it is measured."""
    yield _with(config, "flip()")


@move("regularize", order=14, expect=0.05)
def turn_picture(config: Config, trial: Trial) -> Iterator[Config]:
    """Turn training pictures by up to 10 degrees, or 20."""
    yield _with(config, "rotate(degrees=10.0)")
    yield _with(config, "rotate(degrees=20.0)")


@move("regularize", order=16, expect=0.05)
def zoom_picture(config: Config, trial: Trial) -> Iterator[Config]:
    """Enlarge or shrink training pictures by up to a fifth."""
    yield _with(config, "zoom(factor=0.2)")


@move("regularize", order=18, expect=0.02)
def change_contrast(config: Config, trial: Trial) -> Iterator[Config]:
    """Change the contrast of training pictures by up to 40 %."""
    yield _with(config, "contrast(factor=0.4)")


@move("regularize", order=19, expect=0.05)
def change_colour(config: Config, trial: Trial) -> Iterator[Config]:
    """Change brightness, contrast and colour of training pictures by up to 20 %, or 40 %."""
    yield _with(config, "colour(factor=0.2)")
    yield _with(config, "colour(factor=0.4)")


@move("regularize", order=20, expect=0.02)
def add_noise(config: Config, trial: Trial) -> Iterator[Config]:
    """Add noise of a tenth of a standard deviation to training features."""
    yield _with(config, "noise(scale=0.1)")


@move("regularize", order=21, expect=0.05)
def cut_out(config: Config, trial: Trial) -> Iterator[Config]:
    """Put noise over up to a quarter of each training picture (DeVries & Taylor, 2017)."""
    yield _with(config, "cutout(share=0.25)")


@move("regularize", order=21, expect=0.05)
def grid_mask(config: Config, trial: Trial) -> Iterator[Config]:
    """Hide a sixth, or a third, of each training picture in the squares of a grid (Chen et al., 2020)."""
    yield _with(config, "grid_mask(ratio=0.4)")
    yield _with(config, "grid_mask(ratio=0.6)")


@move("regularize", order=22, expect=0.05)
def rand_augment(config: Config, trial: Trial) -> Iterator[Config]:
    """Two of eleven changes for each batch of pictures (Cubuk et al., 2019)."""
    yield _with(config, "rand_augment(magnitude=0.3)")


@move("regularize", order=23, expect=0.05)
def aug_mix(config: Config, trial: Trial) -> Iterator[Config]:
    """Mix training pictures with changed versions of themselves (Hendrycks et al., 2019)."""
    yield _with(config, "aug_mix(severity=0.2)")


@move("regularize", order=23, expect=0.05)
def randomize_domain(config: Config, trial: Trial) -> Iterator[Config]:
    """Domain randomization: light, contrast, channels, texture, blur and noise vary widely (Tobin et al., 2017)."""
    yield _with(config, "randomize_domain(strength=0.4)")
    yield _with(config, "randomize_domain(strength=1.0)")


@move("regularize", order=24, expect=0.05)
def mix_up(config: Config, trial: Trial) -> Iterator[Config]:
    """Blend pairs of training pictures and their labels (Zhang et al., 2017)."""
    yield _with(config, "mixup(alpha=0.2)")


@move("regularize", order=25, expect=0.05)
def cut_mix(config: Config, trial: Trial) -> Iterator[Config]:
    """Paste a part of one training picture, and of its label, into another (Yun et al., 2019)."""
    yield _with(config, "cutmix(alpha=1.0)")
