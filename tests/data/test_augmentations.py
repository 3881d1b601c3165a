"""Every registered augmentation goes through the same tests."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_recipe.core.errors import RecipeError
from keras_recipe.data import load
from keras_recipe.data.augmentations import AUGMENTATIONS, pipeline, unfit
from keras_recipe.data.chains import AugMix
from keras_recipe.data.cropping import RandomResizedCrop
from keras_recipe.data.domains import GridMask, RandomizedDomain
from keras_recipe.data.toys import blobs, stripes
from keras_recipe.problem import Problem

PAIRS = AUGMENTATIONS.of_stage("pairs")
SINGLE = [name for name in AUGMENTATIONS if name not in PAIRS]
WHOLE_BATCH = {"rand_augment"}
"""Those that change all examples of a batch in the same way, and another batch in another."""

YES = np.arange(60) // 30


def problem_of(name: str) -> Problem:
    if name in AUGMENTATIONS.of_stage("features"):
        return blobs()
    rng = np.random.default_rng(0)
    smooth = np.kron(rng.integers(40, 216, (60, 4, 4, 3)), np.ones((1, 4, 4, 1)))
    return load((smooth.astype("uint8"), np.arange(60) % 3), name="colours")


@pytest.mark.parametrize("name", SINGLE)
def test_it_changes_examples_and_keeps_shape_type_and_range(name: str) -> None:
    keras.utils.set_random_seed(0)
    problem = problem_of(name)
    layer = pipeline(name, problem)
    assert layer is not None
    x = np.asarray(problem.train.x[:32])
    batches = [np.asarray(layer(x, training=True)) for _ in range(4)]
    for changed in batches:
        assert changed.shape == x.shape
        assert changed.dtype == x.dtype
        assert np.isfinite(changed.astype("float64")).all()
    assert any(not np.array_equal(changed, x) for changed in batches)
    np.testing.assert_allclose(np.asarray(layer(x, training=False)), x, rtol=1e-6 if x.dtype.kind == "f" else 0)


def test_noise_is_in_standard_deviations_of_each_feature() -> None:
    x = np.random.default_rng(0).normal([0.0, 500.0], [0.001, 100.0], (400, 2)).astype("float32")
    problem = load((x, x[:, 0] > 0), name="units")
    layer = pipeline("noise(scale=0.1)", problem)
    assert layer is not None
    seen = np.asarray(problem.train.x[:200])
    added = np.asarray(layer(seen, training=True)) - seen
    np.testing.assert_allclose(added.std(axis=0), 0.1 * seen.std(axis=0), rtol=0.3)


@pytest.mark.parametrize("name", [name for name in SINGLE if name not in WHOLE_BATCH])
def test_examples_of_a_batch_are_changed_each_in_its_own_way(name: str) -> None:
    keras.utils.set_random_seed(0)
    problem = problem_of(name)
    layer = pipeline(name, problem)
    assert layer is not None
    same = np.repeat(np.asarray(problem.train.x[:1]), 64, axis=0)
    changed = np.asarray(layer(same, training=True)).reshape(64, -1)
    assert len(np.unique(changed, axis=0)) > 1


@pytest.mark.parametrize("name", AUGMENTATIONS.of_stage("pictures"))
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (0.0, 16.0)])
def test_pictures_in_any_range_are_changed_alike(name: str, low: float, high: float) -> None:
    """What is done to levels of 0..255 is done, up to rounding, to the same picture in another range."""
    levels = problem_of("flip")
    stretch = (high - low) / 255
    x = np.asarray(levels.train.x).astype("float32")
    x[0, 0, 0], x[0, 0, 1] = 0.0, 255.0  # a range is known by its ends
    other = load((x * stretch + low, levels.train.y), name="other")
    plain = load((x, levels.train.y), name="plain")
    changed = []
    for problem in (plain, other):
        keras.utils.set_random_seed(0)
        layer = pipeline(name, problem)
        assert layer is not None
        pictures = x[:16] if problem is plain else x[:16] * stretch + low
        changed.append(np.asarray(layer(pictures, training=True)))
    # Levels that lie on the edge of a rounding or a threshold fall to one side or the other.
    assert np.mean(np.abs((changed[1] - low) / stretch - changed[0]) > 1.0) < 0.02


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_are_mixed_as_their_labels_are(name: str) -> None:
    problem = load(
        (np.repeat(np.uint8([0, 255]), 30)[:, None, None, None] * np.ones((1, 64, 64, 3), "uint8"), YES), name="y"
    )
    keras.utils.set_random_seed(0)
    layer = pipeline(name, problem)
    assert layer is not None
    x = np.repeat(np.uint8([0, 255]), 32)[:, None, None, None] * np.ones((1, 64, 64, 3), "uint8")
    y = np.repeat(np.float32([[0.0], [1.0]]), 32, axis=0)
    pictures, labels = map(np.asarray, layer([x, y], training=True))
    assert pictures.shape == x.shape
    assert pictures.dtype == "uint8"
    # White is 1 and black is 0, so that the mean level is the share of the label.
    np.testing.assert_allclose(pictures.mean(axis=(1, 2, 3)) / 255, labels[:, 0], atol=0.05)  # whole pixels are pasted
    assert ((labels > 0.01) & (labels < 0.99)).any()
    for before, after in zip((x, y), layer([x, y], training=False), strict=True):
        np.testing.assert_array_equal(np.asarray(after), before)


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
    pictures, grey, vectors = problem_of("flip").signature, stripes().signature, blobs().signature
    assert not unfit("shift(factor=0.1)|flip()", pictures)
    assert unfit("shift(factor=0.1)|noise()", pictures)
    assert not unfit("noise()", vectors)
    assert unfit("flip()", vectors)
    assert unfit("mixup()", vectors)
    assert not unfit("colour()|mixup()", pictures)
    assert unfit("colour()", grey)
    assert unfit("cutmix()", replace(pictures, task="regression"))


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
    # The part ends where the picture ends, to a tenth of a pixel: pixels are as wide as one, their centres at halves.
    middle, high = crops[:, 20].mean(axis=1)[:, 0] * 39, np.diff(crops[:, 19:21].mean(axis=2)[..., 0])[:, 0] * 39
    top = (middle - 20 * high - (high - 1) / 2) / 40
    assert top.min() > -0.0025
    assert (top + high).max() < 1.0025
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


def test_aug_mix_draws_other_operations_for_every_batch_of_a_graph() -> None:
    keras.utils.set_random_seed(0)
    layer = AugMix(severity=1.0, chains=1)
    call = tf.function(lambda x: layer(x, training=True))
    # Geometry leaves an even grey as it is; posterizing, solarizing and equalizing do not.
    changed = [bool(np.abs(call(tf.fill((2, 8, 8, 3), 203.0)) - 203.0).max() > 0.5) for _ in range(30)]
    assert 3 < sum(changed) < 27


def test_a_severity_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="severity"):
        AugMix(severity=0.0)


def test_a_grid_hides_the_squares_of_its_cells() -> None:
    keras.utils.set_random_seed(0)
    pictures = np.random.default_rng(0).uniform(0, 255, (400, 32, 48, 1)).astype("float32")
    changed = np.asarray(GridMask(ratio=0.6, cells=(2.0, 4.0))(pictures, training=True))
    hidden = (changed != pictures)[..., 0]
    assert 0.3 < hidden.mean() < 0.42  # 0.36 of the area, whole pixels
    # A hidden row is hidden wherever a hidden column crosses it.
    np.testing.assert_array_equal(hidden, hidden.any(axis=2)[:, :, None] & hidden.any(axis=1)[:, None, :])
    means = np.broadcast_to(pictures.mean(axis=(1, 2, 3))[:, None, None], hidden.shape)
    np.testing.assert_allclose(changed[..., 0][hidden], means[hidden], rtol=1e-4)
    # Between 2 and 4 cells begin along 32 pixels, one more may be cut.
    begins = (np.diff(hidden.any(axis=2).astype(int), axis=1) == 1).sum(axis=1)
    assert begins.min() >= 1
    assert begins.max() <= 5
    assert len(np.unique(begins)) > 2
    assert len(np.unique(hidden.any(axis=2), axis=0)) > 100  # everywhere


def test_another_domain_has_another_light_and_the_same_shapes() -> None:
    keras.utils.set_random_seed(0)
    picture = np.full((300, 24, 24, 3), 100.0, "float32")
    picture[:, 6:18, 6:18] = 160.0
    changed = np.asarray(RandomizedDomain(strength=0.5)(picture, training=True))
    inner, outer = changed[:, 8:16, 8:16].mean(axis=(1, 2)), changed[:, :4].mean(axis=(1, 2))
    for figures in (
        changed.mean(axis=(1, 2, 3)),
        inner - outer,
        inner[:, 0] - inner[:, 1],
        changed.std(axis=(1, 2, 3)),
    ):
        assert np.std(figures) > 5.0
    assert np.mean(inner.mean(axis=1) > outer.mean(axis=1)) > 0.95  # what it shows can still be told
    weak = np.asarray(RandomizedDomain(strength=0.1)(picture, training=True))
    assert np.abs(weak - picture).mean() < np.abs(changed - picture).mean() / 3
    assert 0 <= changed.min() <= changed.max() <= 255


@pytest.mark.parametrize("wrong", [{"ratio": 0.0}, {"ratio": 1.0}, {"cells": (0.5, 2.0)}, {"cells": (3.0, 2.0)}])
def test_a_grid_of_nothing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="ratio"):
        GridMask(**wrong)


@pytest.mark.parametrize("strength", [0.0, 1.1])
def test_a_domain_of_no_strength_is_refused(strength: float) -> None:
    with pytest.raises(ValueError, match="strength"):
        RandomizedDomain(strength)


def test_rand_augment_leaves_a_picture_what_it_is() -> None:
    """None of its changes takes away more than its strength says: Keras's own would keep one bit of each level."""
    import keras

    x = np.tile(np.linspace(20, 170, 32, dtype="float32")[None, :, None, None], (8, 1, 32, 3))
    layer = AUGMENTATIONS.get("rand_augment")(0.3)
    for name in ("random_posterization", "solarization", "random_rotation", "random_translation"):
        change = getattr(layer, name)
        keras.utils.set_random_seed(0)
        changed = np.asarray(change(x, training=True))
        if name in ("random_posterization", "solarization"):
            assert np.abs(changed - x).max() <= 2.0, name
        else:  # the middle stays near where it was, and goes both ways
            moved = changed[:, 16, 16, 0] - x[:, 16, 16, 0]
            assert np.abs(moved).max() < 0.2 * 150, name
