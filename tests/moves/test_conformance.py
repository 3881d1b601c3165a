"""Every registered move goes through the same tests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import keras
import numpy as np
import pytest

from keras_recipe import moves
from keras_recipe.compiled import build
from keras_recipe.core.config import Config, difference
from keras_recipe.core.records import Trial
from keras_recipe.core.spec import Spec
from keras_recipe.data import load
from keras_recipe.data.augmentations import pipeline
from keras_recipe.data.toys import blobs, stripes
from keras_recipe.importance import Importance
from keras_recipe.models import weights
from keras_recipe.moves import MOVES, candidates, proposals
from keras_recipe.problem import Problem

WEIGHTS = "mobilenet_v1_0.25_224_notop.weights.h5"
BACKBONE = "backbone(alpha=0.25, name='applications:MobileNet'{})"
STARTS = (
    ("image", Config("small_cnn(width=8)", batch_size=32, epochs=12)),
    ("image", Config("resnet(depth=8, width=8)", augmentation="flip()", patience=3)),
    ("image", Config(BACKBONE.format(""))),
    ("image", Config(BACKBONE.format(", train='last'"))),
    ("photo", Config("small_cnn(width=8)")),
    ("photo", Config("small_cnn(pooling=False, width=8)")),
    ("squares", Config("small_cnn(width=8)")),
    ("vector", Config("mlp(depth=1, width=8)", "adam(weight_decay=0.01)", batch_size=8)),
    ("grown", Config("mlp(depth=1, width=8)")),
)


def squares() -> Problem:
    """A bright square on a dark ground, on the left or on the right: objects that can be cut out."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    x = rng.integers(0, 30, (120, 16, 16, 1))
    x[y == 0, 5:10, 3:8] += 180
    x[y == 1, 5:10, 8:13] += 180
    return load((x.astype("uint8"), y), name="squares")


def generator(problem: Problem, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Training examples once more."""
    rows = np.random.default_rng(seed).integers(len(problem.train), size=count)
    return np.asarray(problem.train.x[rows]), problem.train.y[rows]


def photos() -> Problem:
    """Pictures in colour that are large enough for photos."""
    grey = stripes(size=64)
    return load((np.repeat(grey.train.x, 3, axis=-1), grey.train.y), name="photos")


def halves(problem: Problem) -> tuple[Importance, ...]:
    """Every other feature is of use."""
    names = list(problem.signature.features)
    return tuple(Importance(n, 1.0, 0.5, 1.5) for n in names[::2]) + tuple(
        Importance(n, 0.0, -0.5, 0.5) for n in names[1::2]
    )


def grown() -> Problem:
    """Points to which more were added."""
    first, second = blobs(), blobs(seed=1)
    return load((first.train.x, first.train.y), more=(second.train.x, second.train.y), name="grown")


def trial(stopped: str = "epochs") -> Trial:
    """What a move may know of the incumbent."""
    return Trial("", "", {}, "", 0, 0.9, 0.3, 0.9, 0.3, {}, 12, 12, 100, stopped, 100, 1.0, 0.1)


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
        problem = {"image": stripes, "photo": photos, "squares": squares, "vector": blobs, "grown": grown}[kind]()
        for candidate in candidates(name, start, trial(), problem, partial(halves, problem), f"{__name__}:generator()"):
            assert len(difference(start, candidate)) <= moves.leaves_of(name)
            build(problem, candidate)
            proposed += 1
    assert proposed


@pytest.mark.parametrize("name", MOVES)
def test_a_move_has_a_place_and_says_what_it_does(name: str) -> None:
    assert name in [*MOVES.of_stage("regularize"), *MOVES.of_stage("squeeze")]
    assert MOVES.describe(name).endswith(".")
    assert bool(MOVES.option(name, "expect")) != bool(MOVES.option(name, "keeps")), "it brings something, or saves it"
    assert 0 <= MOVES.option(name, "expect") < 1


def test_the_recipe_goes_from_augmentation_to_the_larger_model() -> None:
    order = MOVES.of_stage("regularize")
    assert order.index("unfreeze_all") < order.index("shift_picture") < order.index("rand_augment")
    assert order.index("cut_out") < order.index("grid_mask") < order.index("rand_augment")
    assert order.index("aug_mix") < order.index("randomize_domain") < order.index("simulated_examples")
    assert order.index("simulated_examples") < order.index("mix_up") < order.index("cut_mix")
    assert order.index("cut_mix") < order.index("pasted_objects") < order.index("gan_samples")
    assert order.index("rand_augment") < order.index("mix_up") < order.index("pretrained_backbone")
    assert order[-1] == "larger_model"
    assert order.index("pretrained_backbone") < order.index("smaller_pictures") < order.index("drop_features")
    assert order.index("drop_features") < order.index("pool_instead_of_flatten") < order.index("narrower")
    assert order.index("narrower") < order.index("smaller_batch") < order.index("dropout")
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


def test_a_larger_model_is_also_tried_stopped_early() -> None:
    start = Config("mlp(width=8)", epochs=60)
    assert [dict(difference(start, c)) for c in candidates("larger_model", start, trial(), blobs())] == [
        {"model.width": (8, 16)},
        {"model.width": (8, 16), "patience": (None, 10)},
    ]
    assert len(candidates("larger_model", start.replace(patience=5), trial(), blobs())) == 1  # both are stopped


def test_what_stops_by_itself_is_not_left_training() -> None:
    start = Config("mlp()", patience=3)
    found, why = proposals("leave_it_training", start, trial("patience"), blobs())
    assert not found
    assert "after 12 of 30 epochs" in why
    for config, ended in ((start, "epochs"), (start.replace(schedule="cosine"), "patience")):
        assert len(candidates("leave_it_training", config, trial(ended), blobs())) == 2


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


def test_a_move_may_say_why_it_proposes_nothing() -> None:
    def why(name: str, problem: Problem) -> str:
        found, reason = proposals(name, STARTS[0][1], None, problem)  # type: ignore[arg-type]
        assert found == []
        return reason

    assert "--synthetic" in why("simulated_examples", blobs())
    assert "64 x 64" in why("gan_samples", photos())
    assert "vector" in why("gan_samples", blobs())
    assert "stand" in why("pasted_objects", stripes())


def test_simulated_examples_come_at_three_shares() -> None:
    found = candidates("simulated_examples", STARTS[-1][1], None, blobs(), generator="m:f(size=3)")  # type: ignore[arg-type]
    assert [c.synthetic for c in found] == [f"m:f(share={share}, size=3)" for share in (0.1, 0.25, 0.5)]


def test_an_augmentation_that_is_there_is_made_stronger_and_never_put_there_twice() -> None:
    config = Config("small_cnn(width=8)", augmentation="flip()|shift(factor=0.1)")
    found, why = proposals("flip_picture", config, trial(), squares())
    assert not found
    assert "already" in why
    (stronger,) = candidates("shift_picture", config, trial(), squares())
    assert stronger.augmentation == "flip()|shift(factor=0.2)"
