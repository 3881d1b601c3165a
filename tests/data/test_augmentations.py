"""Every registered augmentation goes through the same tests."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_recipe.core.errors import RecipeError
from keras_recipe.data.augmentations import AUGMENTATIONS, applies, pipeline
from keras_recipe.data.cropping import RandomResizedCrop
from keras_recipe.data.toys import blobs, stripes
from keras_recipe.problem import Problem

VECTORS = {"noise"}


def problem_of(name: str) -> Problem:
    return blobs() if name in VECTORS else stripes()


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_it_changes_examples_and_keeps_shape_type_and_range(name: str) -> None:
    problem = problem_of(name)
    layer = pipeline(name, problem)
    assert layer is not None
    x = np.asarray(problem.train.x[:32])
    changed = np.asarray(layer(x, training=True))
    assert changed.shape == x.shape
    assert changed.dtype == x.dtype
    assert not np.array_equal(changed, x)
    assert np.isfinite(changed.astype("float64")).all()
    np.testing.assert_array_equal(np.asarray(layer(x, training=False)), x)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_examples_of_a_batch_are_changed_each_in_its_own_way(name: str) -> None:
    problem = problem_of(name)
    layer = pipeline(name, problem)
    assert layer is not None
    same = np.repeat(np.asarray(problem.train.x[:1]), 64, axis=0)
    changed = np.asarray(layer(same, training=True)).reshape(64, -1)
    assert len(np.unique(changed, axis=0)) > 1


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_it_says_what_it_does_and_every_argument_has_a_default(name: str) -> None:
    assert AUGMENTATIONS.describe(name).endswith(".")
    AUGMENTATIONS.get(name)()


def test_the_empty_pipeline_is_none() -> None:
    assert pipeline("", stripes()) is None


def test_an_unknown_augmentation_suggests_the_nearest() -> None:
    with pytest.raises(RecipeError, match="'flip'"):
        pipeline("flop()", stripes())


def test_pictures_and_features_have_their_own() -> None:
    assert applies("shift(factor=0.1)|flip()", "image")
    assert not applies("shift(factor=0.1)|noise()", "image")
    assert applies("noise()", "table")
    assert not applies("flip()", "vector")


def test_a_crop_is_a_part_of_the_picture_at_full_size() -> None:
    keras.utils.set_random_seed(0)
    rows, columns = np.mgrid[:40, :80]
    picture = np.stack([rows / 39, columns / 79], axis=-1)[None].astype("float32")
    crops = np.asarray(RandomResizedCrop(area=0.25, ratio=2.0)(np.repeat(picture, 500, axis=0), training=True))
    # A part of a slope is a slope: its rise is the part's height or width.
    height, width = np.ptp(crops[..., 0], axis=(1, 2)), np.ptp(crops[..., 1], axis=(1, 2))
    np.testing.assert_allclose(crops[..., 0].mean(axis=2)[:, 20] - crops[..., 0].mean(axis=2)[:, 19], height / 39, 0.1)
    assert 0.2 < (height * width).min() < 0.3
    assert 0.9 < (height * width).max() <= 1.0
    assert 1.5 < (height / width).max() <= 2.1
    assert 0.48 <= (height / width).min() < 0.67
    assert crops.min() >= 0.0
    assert crops.max() <= 1.0
    # Anywhere: its corners reach every corner of the picture.
    tops, lefts = crops[:, 0, 0, 0], crops[:, 0, 0, 1]
    assert max(tops.min(), lefts.min()) < 0.02
    assert min(tops.max(), lefts.max()) > 0.3


def test_a_crop_of_everything_changes_nothing() -> None:
    x = np.random.default_rng(0).random((4, 9, 7, 3)).astype("float32")
    np.testing.assert_allclose(RandomResizedCrop(area=1.0, ratio=1.0)(x, training=True), x, atol=1e-5)


@pytest.mark.parametrize("wrong", [{"area": 0.0}, {"area": 1.1}, {"ratio": 0.9}])
def test_a_crop_of_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="area"):
        RandomResizedCrop(**wrong)
