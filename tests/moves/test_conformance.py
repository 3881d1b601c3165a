"""Every registered move goes through the same tests."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import pytest

from keras_recipe import moves
from keras_recipe.compiled import build
from keras_recipe.core.config import Config, difference
from keras_recipe.core.spec import Spec
from keras_recipe.data import load
from keras_recipe.data.augmentations import pipeline
from keras_recipe.data.toys import blobs, stripes
from keras_recipe.models import weights
from keras_recipe.moves import MOVES, candidates
from keras_recipe.problem import Problem

WEIGHTS = "mobilenet_v1_0.25_224_notop.weights.h5"
BACKBONE = "backbone(alpha=0.25, name='applications:MobileNet'{})"
STARTS = (
    ("image", Config("small_cnn(width=8)", batch_size=32, epochs=12)),
    ("image", Config("resnet(depth=8, width=8)", augmentation="flip()", patience=3)),
    ("image", Config(BACKBONE.format(""))),
    ("image", Config(BACKBONE.format(", train='last'"))),
    ("photo", Config("small_cnn(width=8)")),
    ("vector", Config("mlp(depth=1, width=8)", "adam(weight_decay=0.01)", batch_size=8)),
    ("grown", Config("mlp(depth=1, width=8)")),
)


def photos() -> Problem:
    """Pictures in colour that are large enough for photos."""
    grey = stripes(size=64)
    return load((np.repeat(grey.train.x, 3, axis=-1), grey.train.y), name="photos")


def grown() -> Problem:
    """Points to which more were added."""
    first, second = blobs(), blobs(seed=1)
    return load((first.train.x, first.train.y), more=(second.train.x, second.train.y), name="grown")


@pytest.fixture(scope="module", autouse=True)
def weights_at_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder with the weights of one backbone."""
    folder = tmp_path_factory.mktemp("weights")
    build = keras.applications.MobileNet
    build(alpha=0.25, include_top=False, weights=None, input_shape=(64, 64, 3)).save_weights(folder / WEIGHTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(weights.VARIABLE, str(folder))
        yield


@pytest.mark.parametrize("name", MOVES)
def test_a_move_proposes_configs_that_are_one_leaf_away_and_can_be_built(name: str) -> None:
    proposed = 0
    for kind, start in STARTS:
        problem = {"image": stripes, "photo": photos, "vector": blobs, "grown": grown}[kind]()
        for candidate in candidates(name, start, None, problem):  # type: ignore[arg-type]
            assert len(difference(start, candidate)) == 1
            build(problem, candidate)
            proposed += 1
    assert proposed


@pytest.mark.parametrize("name", MOVES)
def test_a_move_has_a_place_and_says_what_it_does(name: str) -> None:
    assert name in [*MOVES.of_stage("regularize"), *MOVES.of_stage("squeeze")]
    assert MOVES.describe(name).endswith(".")


def test_the_recipe_goes_from_augmentation_to_the_larger_model() -> None:
    order = MOVES.of_stage("regularize")
    assert order.index("unfreeze_all") < order.index("shift_picture") < order.index("rand_augment")
    assert order.index("rand_augment") < order.index("mix_up") < order.index("pretrained_backbone")
    assert order[-1] == "larger_model"
    assert order.index("smaller_model") < order.index("smaller_batch") < order.index("dropout")
    assert order.index("dropout") < order.index("weight_decay") < order.index("early_stopping")


def test_a_move_that_changes_two_things_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(config: Config, trial: object):  # type: ignore[no-untyped-def]
        """Two at once."""
        yield config.replace(batch_size=1, epochs=99)

    monkeypatch.setitem(moves.MOVES._functions, "greedy", greedy)
    with pytest.raises(ValueError, match="one leaf"):
        candidates("greedy", STARTS[0][1], None, stripes())  # type: ignore[arg-type]


def test_an_argument_that_the_model_does_not_take_is_not_proposed() -> None:
    assert candidates("dropout", Config("linear()"), None, blobs()) == []  # type: ignore[arg-type]
    assert candidates("larger_model", Config("linear()"), None, blobs()) == []  # type: ignore[arg-type]


def test_pictures_are_not_turned_where_there_are_none() -> None:
    for name in ("crop_photo", "shift_picture", "flip_picture", "turn_picture", "zoom_picture", "change_contrast"):
        assert candidates(name, STARTS[-2][1], None, blobs()) == []  # type: ignore[arg-type]


def test_parts_are_shown_of_photos_only() -> None:
    assert candidates("crop_photo", STARTS[0][1], None, stripes(size=48)) == []  # type: ignore[arg-type]
    assert len(candidates("crop_photo", STARTS[0][1], None, stripes(size=49))) == 2  # type: ignore[arg-type]


def test_augmentations_of_accepted_moves_add_up() -> None:
    start = Config("small_cnn(width=8)", augmentation="shift(factor=0.1)")
    found = candidates("flip_picture", start, None, stripes())[0]  # type: ignore[arg-type]
    assert found.augmentation == "shift(factor=0.1)|flip()"
    assert pipeline(found.augmentation, stripes()) is not None
    assert Spec.parse(found.model) == Spec.parse(start.model)
