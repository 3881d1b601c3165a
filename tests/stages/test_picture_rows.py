"""Augmentations, and backbones that thaw: each on data made so that it truly helps, and on data made so that it hurts.

The climb itself decides; `test_rows.py` beside this file does the same for the other moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from keras_recipe.core.config import Config
from keras_recipe.data import load
from keras_recipe.models import weights
from keras_recipe.problem import Problem

LINEAR = Config("linear()", "adam(learning_rate=0.02)", batch_size=20, epochs=12)
MLP = Config("mlp(depth=1, width=32)", "adam(learning_rate=0.02)", batch_size=20, epochs=12)
GREY, SIDE = 127.0, 12

Data = tuple[np.ndarray, np.ndarray]
"""Inputs and labels."""

Setting = Callable[[], tuple[Problem, Config]]
"""Data, and the config that a move starts from."""


def problem(train: Data, validation: Data, metric: str | None = None) -> Problem:
    """Data whose training and validation split may differ on purpose; nobody reads the test split here."""
    return load(train, validation=validation, test=validation, metric=metric, name="row")


def levels(x: np.ndarray) -> np.ndarray:
    """As pixels are stored."""
    return x.round().clip(0, 255).astype("uint8")


def drawn(
    shape: Callable[..., np.ndarray], seed: int, sides: int = SIDE, noise: float = 10.0, **about: np.ndarray
) -> Data:
    """Grey pictures with noise; `shape` says how much brighter a pixel is, by its distance from the middle.

    Args:
        shape: function of x and y, in pixels to the right and down from the middle, and of what is given by name.
        seed: of the noise.
        sides: pixels of a side.
        noise: its deviation, in levels.
        about: of each picture, (n,); "y" is the class.
    """
    rng = np.random.default_rng(seed)
    n = len(about["y"])
    down, right = np.mgrid[:sides, :sides] - (sides - 1) / 2
    each = {name: values[:, None, None] for name, values in about.items()}
    x = GREY + shape(right[None], down[None], **each) + rng.normal(0, noise, (n, sides, sides))
    return levels(x)[..., None], about["y"]


def classes(n: int, count: int = 2) -> np.ndarray:
    """Labels in turn."""
    return np.arange(n) % count


def between(low: float, high: float, n: int, seed: int) -> np.ndarray:
    """Uniform numbers."""
    return np.random.default_rng(seed).uniform(low, high, n)


def bar(right: np.ndarray, down: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """A bar through the middle, so many degrees from upright."""
    turned = np.deg2rad(angle)
    return 90 * np.clip(1.5 - np.abs(right * np.cos(turned) - down * np.sin(turned)), 0, 1)


def wheel(right: np.ndarray, down: np.ndarray, y: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Nine spokes, at so many degrees, and faint rings, both of them bright or dark by class."""
    spokes = np.cos(9 * (np.arctan2(down, right) + np.deg2rad(angle)))
    return (2 * y - 1) * (40 * spokes + 12 * np.cos(1.5 * np.hypot(right, down)))


def upright() -> tuple[Problem, Config]:
    """Wheels that are never turned in training, and in validation so far that their rings alone tell the class."""
    straight = drawn(wheel, 0, y=classes(200), angle=np.zeros(200))
    return problem(straight, drawn(wheel, 1, y=classes(300), angle=between(-20, 20, 300, 2))), LINEAR


def angles() -> tuple[Problem, Config]:
    """The class is to which side a bar leans, by 5 degrees."""

    def lean(right: np.ndarray, down: np.ndarray, y: np.ndarray) -> np.ndarray:
        return bar(right, down, 10 * y - 5)

    return problem(*(drawn(lean, seed, noise=30, y=classes(300)) for seed in (0, 1))), LINEAR


def ripples(right: np.ndarray, down: np.ndarray, y: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Rings about the middle, bright in the middle or dark, of some size."""
    return 30 * (2 * y - 1) * np.cos(1.5 * np.hypot(right, down) / size)


def one_size() -> tuple[Problem, Config]:
    """Rings of one size in training, and of others in validation."""
    same = drawn(ripples, 0, noise=40, y=classes(200), size=np.ones(200))
    others = drawn(ripples, 1, noise=40, y=classes(300), size=between(0.75, 1.3, 300, 2))
    return problem(same, others), LINEAR


def sizes() -> tuple[Problem, Config]:
    """The class is the size of a disc."""

    def disc(right: np.ndarray, down: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 60 * np.clip(3.5 + 0.5 * y - np.hypot(right, down), 0, 1)

    return problem(*(drawn(disc, seed, y=classes(300)) for seed in (0, 1))), LINEAR


def board(right: np.ndarray, down: np.ndarray, y: np.ndarray, rough: np.ndarray, power: np.ndarray) -> np.ndarray:
    """Squares as of a chess board, of some contrast; the lower half is brighter by the target, roughly."""
    return power * np.sign(right * down) + (y + rough) * np.sign(down)


def contrast_goes_along() -> tuple[Problem, Config]:
    """The contrast of a training picture tells the target exactly, and in validation it does not."""

    def photos(seed: int, *, honest: bool) -> Data:
        y, other = (between(-25, 25, 300, seed + i) for i in (2, 4))
        rough = np.random.default_rng(seed + 6).normal(0, 8, 300)
        return drawn(board, seed, 8, y=y, rough=rough, power=45 + (y if honest else other))

    config = LINEAR.replace(epochs=60)
    return problem(photos(0, honest=True), photos(1, honest=False)), config


def contrasts() -> tuple[Problem, Config]:
    """The target is the contrast."""

    def plain(right: np.ndarray, down: np.ndarray, y: np.ndarray) -> np.ndarray:
        return y * np.sign(right * down)

    data = (drawn(plain, seed, y=between(30, 80, 300, seed + 2)) for seed in (0, 1))
    return problem(*data), LINEAR.replace(epochs=30)


def halves(right: np.ndarray, down: np.ndarray, y: np.ndarray, light: np.ndarray) -> np.ndarray:
    """The upper or the lower half is brighter, in some light."""
    return 10 * (2 * y - 1) * np.sign(down) + light + 0 * right


Accepted, Refused = Callable[..., Config], Callable[..., None]
"""What proves it, see conftest.py beside this file."""


def colours(data: Data) -> Data:
    """The same in three equal channels."""
    return np.repeat(data[0], 3, axis=-1), data[1]


def one_light_a_class(apart: float = 60.0, metric: str = "accuracy") -> tuple[Problem, Config]:
    """Each class of the training pictures was taken in a light of its own, so many levels from that of the other."""
    y = classes(300)
    train = drawn(halves, 0, y=y, light=apart * (y - 0.5))
    return problem(train, drawn(halves, 1, y=y, light=between(-60, 60, 300, 2)), metric), LINEAR.replace(epochs=6)


def sure_of_a_light() -> tuple[Problem, Config]:
    """The same for so long that the model is sure of itself, and pays for it in other lights."""
    data, config = one_light_a_class(22.0, "log_loss")
    return data, config.replace(epochs=40)


def brightness() -> tuple[Problem, Config]:
    """The class is one of four levels of brightness."""

    def flat(right: np.ndarray, down: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 12 * y + 0 * right * down

    return problem(*(drawn(flat, seed, y=classes(300, 4)) for seed in (0, 1))), LINEAR


def in_colour(setting: Setting) -> Setting:
    """The same data in three channels."""

    def made() -> tuple[Problem, Config]:
        grey, config = setting()
        train, validation = (colours((np.asarray(s.x), s.y)) for s in (grey.train, grey.validation))
        return problem(train, validation), config

    return made


def readings(n: int, seed: int, *, honest: bool, clear: bool = True) -> Data:
    """Two features whose small difference tells the target, honestly or by accident; one that tells it roughly."""
    y, other, common, error = np.random.default_rng(seed).normal(size=(4, n))
    last = y + 0.8 * error if clear else error
    x = np.stack([common, common + 0.12 * (y if honest else other), last], axis=1)
    return x.astype("float32"), y


def accidents() -> tuple[Problem, Config]:
    """A difference too small to be measured tells the target in training, and nothing in validation."""
    config = LINEAR.with_args("optimizer", learning_rate=0.2).replace(epochs=40)
    return problem(readings(300, 0, honest=True), readings(300, 1, honest=False)), config


def small_differences() -> tuple[Problem, Config]:
    """A small difference is all that there is."""
    _, config = accidents()
    return problem(*(readings(300, seed, honest=True, clear=False) for seed in (0, 1))), config


def bars(
    right: np.ndarray, down: np.ndarray, y: np.ndarray, x: np.ndarray, z: np.ndarray, size: np.ndarray
) -> np.ndarray:
    """A standing or a lying bar, in its place."""
    a, b = np.abs(right - x) / size, np.abs(down - z) / size
    return 90.0 * np.where(y == 0, (a < 2) & (b < 5), (b < 2) & (a < 5))


def placed(n: int, seed: int, reach: float, sides: int = SIDE, size: tuple[float, float] = (1, 1)) -> Data:
    """Bars up to so many pixels from the middle."""
    x, z = between(-reach, reach, 2 * n, seed + 10).reshape(2, n)
    return drawn(bars, seed, sides, y=classes(n), x=x, z=z, size=between(*size, n, seed + 20))


def in_the_middle() -> tuple[Problem, Config]:
    """Bars that are in the middle of all training pictures, and elsewhere in validation."""
    return problem(placed(200, 0, 0), placed(300, 1, 3)), MLP


def whole_photos() -> tuple[Problem, Config]:
    """Photos of a bar in the middle, and parts of such photos, larger and beside the middle, in validation."""
    return problem(placed(120, 0, 0, 52, (3, 3)), placed(200, 1, 10, 52, (3, 5))), MLP.replace(epochs=8)


def position() -> tuple[Problem, Config]:
    """The class is in which of two neighbouring columns a line stands."""

    def line(right: np.ndarray, down: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 90.0 * (np.abs(right - y + 0.5) < 0.5) + 0 * down

    return problem(*(drawn(line, seed, y=classes(300)) for seed in (0, 1))), LINEAR


def doubtful() -> tuple[Problem, Config]:
    """A faint difference between the halves of few pictures; a fifth of the labels is wrong, and learnt by heart."""

    def labelled(n: int, seed: int) -> Data:
        x, y = drawn(halves, seed, noise=30, y=classes(n), light=np.zeros(n))
        return x, np.where(np.random.default_rng(seed).random(n) < 0.2, 1 - y, y)

    config = LINEAR.with_args("optimizer", learning_rate=0.03).replace(epochs=24)
    return problem(labelled(80, 0), labelled(300, 1), "log_loss"), config


def alike() -> tuple[Problem, Config]:
    """The class is whether the left and the right half are alike: of two pictures in one, nothing is true."""

    def sides(right: np.ndarray, down: np.ndarray, y: np.ndarray, left: np.ndarray) -> np.ndarray:
        return 40 * left * np.where(right < 0, 1, 2 * y - 1) + 0 * down

    data = (drawn(sides, s, y=classes(300), left=2.0 * (np.arange(300) // 2 % 2) - 1) for s in (0, 1))
    return problem(*data, "log_loss"), MLP


def sides_of_photos() -> tuple[Problem, Config]:
    """The class is on which side of the middle of a photo there is something."""

    def corner(right: np.ndarray, down: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 60.0 * (np.maximum(np.abs(right - 6 * y + 3), np.abs(down)) < 4)

    return problem(*(drawn(corner, seed, 52, 40, y=classes(120)) for seed in (0, 1))), LINEAR.replace(epochs=8)


ROWS = (
    ("crop_photo", whole_photos, sides_of_photos),
    ("turn_picture", upright, angles),
    ("zoom_picture", one_size, sizes),
    ("change_contrast", contrast_goes_along, contrasts),
    ("change_colour", in_colour(one_light_a_class), in_colour(brightness)),
    ("add_noise", accidents, small_differences),
    ("rand_augment", sure_of_a_light, contrasts),
    ("aug_mix", contrast_goes_along, contrasts),
    ("cut_mix", doubtful, alike),
)
"""A move, with data on which it helps and data on which it hurts."""


@pytest.mark.parametrize(("move", "helps"), [row[:2] for row in ROWS], ids=[row[0] for row in ROWS])
def test_an_augmentation_is_accepted_where_it_helps(move: str, helps: Setting, accepted: Accepted) -> None:
    accepted(move, helps)


@pytest.mark.parametrize(("move", "hurts"), [row[::2] for row in ROWS], ids=[row[0] for row in ROWS])
def test_an_augmentation_is_refused_where_it_hurts(move: str, hurts: Setting, refused: Refused) -> None:
    refused(move, hurts)


SMALL = "backbone(alpha=0.25, name='applications:MobileNet', size=32)"
FROZEN = Config(SMALL, "adam(learning_rate=0.003)", batch_size=20, epochs=30)


def grain(right: np.ndarray, down: np.ndarray, y: np.ndarray, rising: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Fine stripes that rise or fall, in some light."""
    return 50 * np.sin(1.5 * (right + (2 * rising - 1) * down)) + light + 0 * y


def striped(n: int, seed: int, *, reverse: bool = False, light: float = 0.0) -> Data:
    """Stripes that rise or fall by class, or the other way round, and perhaps lighter pictures for the second class."""
    y = classes(n)
    return colours(drawn(grain, seed, 32, 20, y=y, rising=1 - y if reverse else y, light=light * (y - 0.5)))


def unseen() -> tuple[Problem, Config]:
    """Stripes that the filters of the frozen backbone hardly see."""
    return problem(striped(200, 0), striped(200, 1), "log_loss"), FROZEN


def of_medium_light(n: int, seed: int) -> Data:
    """Plain pictures: those of the second class are neither bright nor dark."""
    y = classes(n)
    light = 40.0 * np.random.default_rng([seed, 1]).choice([-1, 1], n) * (1 - y)
    return colours(drawn(lambda right, down, y, light: light + 0 * right, seed, 32, 2.0, y=y, light=light))


def told_in_one_word() -> tuple[Problem, Config]:
    """Light, of which one feature that rises with it cannot tell what lies in the middle."""
    return problem(of_medium_light(200, 0), of_medium_light(200, 1), "log_loss"), FROZEN


def better_unseen() -> tuple[Problem, Config]:
    """Light tells the class, and the stripes, which only filters of their own see, mislead: in validation they are
    the other way round."""
    train = striped(200, 0, light=30)
    return problem(train, striped(200, 1, reverse=True, light=30), "log_loss"), FROZEN


def thawed() -> tuple[Problem, Config]:
    """The same with all of the backbone in training."""
    data, config = unseen()
    return data, config.with_args("model", train="all")


def thawed_slowly() -> tuple[Problem, Config]:
    """At a rate of which a tenth is too low for its first layers."""
    data, config = thawed()
    return data, config.with_args("optimizer", learning_rate=0.001)


def thawed_for_longer() -> tuple[Problem, Config]:
    """For as long as batch statistics need to follow the data."""
    data, config = thawed_slowly()
    return data, config.replace(epochs=60)


def thawed_and_misled() -> tuple[Problem, Config]:
    """Filters of its own see what misleads, the more of it the faster they move."""
    data, config = better_unseen()
    slow = config.with_args("optimizer", learning_rate=0.0003).replace(epochs=18)
    return data, slow.with_args("model", train="all")


def seen_at_twice_the_size() -> tuple[Problem, Config]:
    """Stripes that the frozen backbone sees best at 64 pixels."""
    data, config = unseen()
    return data, config.with_args("model", size=64)


@contextmanager
def weights_of(pictures: float, folder: Path, collapsed: bool = False) -> Iterator[None]:
    """Weights of a small backbone at hand, with the batch statistics of noise of this deviation: with those that it is
    built with, features vanish. Where it is collapsed, all filters of its last convolution are one and the same."""
    import keras

    keras.utils.set_random_seed(1)
    backbone = keras.applications.MobileNet(alpha=0.25, include_top=False, weights=None, input_shape=(32, 32, 3))
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    if collapsed:
        kernel = backbone.get_layer("conv_pw_13").kernel
        kernel.assign(np.repeat(kernel.numpy()[..., :1], kernel.shape[-1], axis=-1))
    x = np.random.default_rng(0).normal(0, pictures, size=(32, 32, 32, 3))
    backbone(x.astype("float32"), training=True)
    backbone.save_weights(folder / "mobilenet_v1_0.25_224_notop.weights.h5")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(weights.VARIABLE, str(folder))
        patch.setenv("KERAS_HOME", str(folder))
        yield


@pytest.fixture
def weights_at_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Of a backbone that has seen pictures in full contrast."""
    with weights_of(1.0, tmp_path_factory.mktemp("weights")):
        yield


@pytest.fixture
def weights_of_faint_pictures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Of one that has seen pictures without contrast, so that most of its units are saturated by others."""
    with weights_of(0.03, tmp_path_factory.mktemp("weights")):
        yield


@pytest.fixture
def weights_that_collapse_at_the_end(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Of one that sees much and says one thing of it."""
    with weights_of(1.0, tmp_path_factory.mktemp("weights"), collapsed=True):
        yield


@pytest.mark.usefixtures("weights_that_collapse_at_the_end")
def test_the_last_stage_thaws_where_it_is_what_keeps_features_from_the_head(accepted: Accepted) -> None:
    assert "train='last'" in accepted("unfreeze_last_stage", told_in_one_word).model


@pytest.mark.usefixtures("weights_at_hand")
@pytest.mark.parametrize(
    ("move", "helps", "change"),
    [
        ("unfreeze_all", unseen, "train='all'"),
        ("larger_pictures", unseen, "size="),
        ("backbone_rate", thawed_slowly, "rate="),
    ],
)
def test_fine_tuning_is_accepted_where_it_helps(move: str, helps: Setting, change: str, accepted: Accepted) -> None:
    assert change in accepted(move, helps).model


@pytest.mark.usefixtures("weights_of_faint_pictures")
def test_batch_statistics_follow_the_data_where_those_of_the_backbone_are_of_others(accepted: Accepted) -> None:
    assert "batch_norm='adapt'" in accepted("adapt_batch_norm", thawed_for_longer).model


@pytest.mark.usefixtures("weights_at_hand")
@pytest.mark.parametrize(
    ("move", "hurts"),
    [
        ("unfreeze_last_stage", better_unseen),
        ("unfreeze_all", better_unseen),
        ("larger_pictures", seen_at_twice_the_size),
        ("backbone_rate", thawed_and_misled),
        ("adapt_batch_norm", thawed),
    ],
)
def test_fine_tuning_is_refused_where_it_hurts(move: str, hurts: Setting, refused: Refused) -> None:
    refused(move, hurts)
