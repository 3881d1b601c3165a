"""Every registered augmentation goes through the same tests."""

from __future__ import annotations

import numpy as np
import pytest

from keras_recipe.core.errors import RecipeError
from keras_recipe.data.augmentations import AUGMENTATIONS, applies, pipeline
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
