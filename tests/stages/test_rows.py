"""Moves of the recipe's parts 3, 4 and 6, each on data made so that it truly helps, and on data made so that it hurts.

The climb itself decides. Most of those of pictures, and those of more data, simulated examples, smaller inputs and
models, and signals have files of their own beside this one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_recipe.core.config import Config
from keras_recipe.core.journal import select
from keras_recipe.core.records import Decision
from keras_recipe.data import load
from keras_recipe.models.heads import head, inputs
from keras_recipe.problem import Problem
from keras_recipe.recipe import Recipe
from keras_recipe.stages.squeeze import best_trial, ensemble, trials_of

HERE = __name__
LINEAR = Config("linear()", "adam(learning_rate=0.02)", batch_size=20, epochs=12)
MLP = Config("mlp(depth=1, width=32)", "adam(learning_rate=0.02)", batch_size=20, epochs=12)
CNN = Config("small_cnn(width=8)", "adam(learning_rate=0.01)", batch_size=16, epochs=32)
SIDE = 8
GREY = 127.0

Data = tuple[np.ndarray, np.ndarray]
"""Inputs and labels."""

Setting = Callable[[], tuple[Problem, Config]]
"""Data, and the config that a move starts from."""

Accepted, Refused = Callable[..., Config], Callable[..., None]
"""What proves it, see conftest.py beside this file."""


@dataclass(frozen=True)
class Row:
    """A move, with data on which it helps and data on which it hurts."""

    move: str
    helps: Setting
    hurts: Setting
    stage: str = "regularize"


def problem(train: Data, validation: Data, metric: str | None = None) -> Problem:
    """Data whose training and validation split may differ on purpose; nobody reads the test split here."""
    return load(train, validation=validation, test=validation, metric=metric, name="row")


def pictures(n: int, seed: int, noise: float = 10.0) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Grey noise (n, 8, 8, 1), classes 0 and 1 in turn, and what draws the rest."""
    rng = np.random.default_rng(seed)
    return rng.normal(GREY, noise, (n, SIDE, SIDE, 1)), np.arange(n) % 2, rng


def levels(x: np.ndarray) -> np.ndarray:
    """As pixels are stored."""
    return x.round().clip(0, 255).astype("uint8")


def mirrored(n: int, seed: int, both: bool) -> Data:
    """A bright spot above or below, by class, and a fainter one anywhere on the other side; or mirrored."""
    x, y, rng = pictures(n, seed)
    for row, other in enumerate(rng.integers(0, 2, n)):
        x[row, 1 + 4 * y[row] : 3 + 4 * y[row], 1:3] += 80
        x[row, 1 + 4 * other : 3 + 4 * other, 5:7] += 40
    if both:
        x[: n // 2] = x[: n // 2, :, ::-1]
    return levels(x), y


def one_orientation() -> tuple[Problem, Config]:
    """What tells the class is on the left in all training pictures, and on either side in validation."""
    return problem(mirrored(200, 0, both=False), mirrored(300, 1, both=True)), LINEAR


def direction() -> tuple[Problem, Config]:
    """Spots on the left or on the right, which is the class."""

    def drawn(n: int, seed: int) -> Data:
        x, y, _ = pictures(n, seed)
        x[y == 0, 3:5, 1:3] += 80
        x[y == 1, 3:5, 5:7] += 80
        return levels(x), y

    return problem(drawn(200, 0), drawn(300, 1)), LINEAR


def bars(n: int, seed: int, reach: int) -> Data:
    """A standing or a lying bar, up to so many pixels from the middle."""
    x, y, rng = pictures(n, seed)
    for row, (down, right) in enumerate(rng.integers(-reach, reach + 1, (n, 2))):
        if y[row]:
            x[row, 2 + down : 6 + down, 3 + right : 5 + right] += 90
        else:
            x[row, 3 + down : 5 + down, 2 + right : 6 + right] += 90
    return levels(x), y


def in_the_middle() -> tuple[Problem, Config]:
    """Bars that are in the middle of all training pictures, and elsewhere in validation."""
    return problem(bars(200, 0, 0), bars(300, 1, 2)), MLP


def position() -> tuple[Problem, Config]:
    """The class is in which of two neighbouring columns a line stands."""

    def drawn(n: int, seed: int) -> Data:
        rng = np.random.default_rng(seed)
        x, y = rng.normal(GREY, 10, (n, 12, 12, 1)), np.arange(n) % 2
        x[np.arange(n), :, 5 + y] += 90
        return levels(x), y

    return problem(drawn(200, 0), drawn(300, 1)), LINEAR


def clues(n: int, seed: int, *, hidden: bool) -> Data:
    """One pixel tells the class at once; so do two patches, which are alike or not. The pixel may be hidden."""
    x, y, rng = pictures(n, seed)
    first = rng.choice([-25, 25], n)
    second = np.where(y == 0, first, -first)
    x[:, 0:3, 5:8, 0] += first[:, None, None]
    x[:, 5:8, 5:8, 0] += second[:, None, None]
    if not hidden:
        x[:, 4, 2, 0] += np.where(y == 0, -100, 100)
    return levels(x), y


def an_easy_clue() -> tuple[Problem, Config]:
    """What tells the class most easily in training is hidden in validation."""
    config = Config("mlp(depth=1, width=32)", "sgd(learning_rate=0.3)", batch_size=20, epochs=16)
    return problem(clues(400, 0, hidden=False), clues(300, 1, hidden=True)), config


def one_patch() -> tuple[Problem, Config]:
    """The target is the level of one patch of 3x3."""

    def drawn(n: int, seed: int) -> Data:
        x, _, rng = pictures(n, seed)
        y = rng.uniform(-60, 60, n)
        x[:, 2:5, 2:5, 0] += y[:, None, None]
        return levels(x), y

    return problem(drawn(300, 0), drawn(200, 1)), LINEAR.replace(epochs=20)


def lights(n: int, seed: int, light: Callable[[np.ndarray, np.random.Generator], np.ndarray]) -> Data:
    """The upper or the lower half is brighter, in some light."""
    x, y, rng = pictures(n, seed)
    x[y == 0, :4] += 20
    x[y == 1, 4:] += 20
    x += light(y, rng)[:, None, None, None]
    return levels(x), y


def one_light_a_class() -> tuple[Problem, Config]:
    """Each class of the training pictures was taken in a light of its own."""
    train = lights(300, 0, lambda y, rng: np.where(y == 0, -30, 30))
    validation = lights(300, 1, lambda y, rng: rng.uniform(-60, 60, len(y)))
    return problem(train, validation), LINEAR.replace(epochs=6)


def brightness() -> tuple[Problem, Config]:
    """The class is one of four levels of brightness."""

    def drawn(n: int, seed: int) -> Data:
        x, _, _ = pictures(n, seed)
        y = np.arange(n) % 4
        return levels(x + (12 * y)[:, None, None, None]), y

    return problem(drawn(300, 0), drawn(300, 1)), LINEAR


def vectors(n: int, seed: int, features: int = 20, wrong: float = 0.0) -> Data:
    """The class is the sign of the first feature; some labels are wrong."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features)).astype("float32")
    y = (x[:, 0] > 0).astype("int32")
    return x, np.where(rng.random(n) < wrong, 1 - y, y)


def wrong_labels() -> tuple[Problem, Config]:
    """A fifth of few labels is wrong, and a wide net learns them by heart: sure of itself, it errs."""
    data = vectors(100, 0, wrong=0.2), vectors(400, 1, wrong=0.2)
    return problem(*data, "log_loss"), MLP.with_args("optimizer", learning_rate=0.04).replace(epochs=16)


def clean_labels() -> tuple[Problem, Config]:
    """All labels are right, and may be learnt with certainty."""

    def drawn(n: int, seed: int) -> Data:
        x, y = vectors(n, seed, 4)
        clear = np.abs(x[:, 0]) > 0.5
        return x[clear], y[clear]

    return problem(drawn(200, 0), drawn(300, 1), "log_loss"), MLP


def wrong_pictures(n: int, seed: int) -> Data:
    """A faint difference between the halves of pictures; a fifth of the labels is wrong."""
    x, y, rng = pictures(n, seed)
    x[y == 0, :4] += 10
    x[y == 1, 4:] += 10
    return levels(x), np.where(rng.random(n) < 0.2, 1 - y, y)


def learnt_by_heart() -> tuple[Problem, Config]:
    """Few pictures, some with wrong labels."""
    config = LINEAR.with_args("optimizer", learning_rate=0.03).replace(epochs=24)
    return problem(wrong_pictures(80, 0), wrong_pictures(300, 1), "log_loss"), config


def in_between() -> tuple[Problem, Config]:
    """Dark and bright pictures against grey ones, which is what a dark and a bright one make together."""

    def drawn(n: int, seed: int) -> Data:
        x, y, rng = pictures(n, seed)
        x[y == 1] += (60 * rng.choice([-1, 1], (y == 1).sum()))[:, None, None, None]
        return levels(x), y

    return problem(drawn(200, 0), drawn(300, 1), "log_loss"), MLP


def alike() -> tuple[Problem, Config]:
    """Two patches are alike or not, which no linear model can tell."""
    return problem(clues(200, 0, hidden=True), clues(300, 1, hidden=True)), LINEAR


def alike_and_learnt() -> tuple[Problem, Config]:
    """The same with a model that can tell."""
    return problem(clues(300, 0, hidden=True), clues(300, 1, hidden=True)), MLP


def frozen(problem: Problem, useful: bool = True) -> Any:
    """A head on fixed features: how far the patches differ, or the mean of the picture."""
    import keras

    tensor, x = inputs(problem)
    if useful:
        patches = [keras.ops.mean(x[:, a : a + 3, 5:8], axis=(1, 2)) for a in (0, 5)]
        x = keras.ops.abs(patches[0] - patches[1])
    else:
        x = keras.ops.mean(x, axis=(1, 2))
    return keras.Model(tensor, head(problem, x))


def linear_targets(n: int, seed: int, features: int, noise: float) -> Data:
    """The target is the sum of the features, with noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features)).astype("float32")
    return x, x.sum(axis=1) + noise * rng.normal(size=n)


def too_few_steps() -> tuple[Problem, Config]:
    """A rate and a length that have not come half of the way."""
    config = Config("linear()", "adam(learning_rate=0.003)", batch_size=32, epochs=8)
    return problem(linear_targets(300, 0, 10, 0.1), linear_targets(200, 1, 10, 0.1)), config


def noise_floor() -> tuple[Problem, Config]:
    """Stochastic gradient descent so fast that it walks around its goal: as far as batches are small."""
    config = Config("linear()", "sgd(learning_rate=0.15)", batch_size=16, epochs=15)
    return problem(linear_targets(320, 0, 40, 5.0), linear_targets(300, 1, 40, 0.0)), config


def many_idle_features() -> tuple[Problem, Config]:
    """As many features as examples, of which one counts: a linear model that is sure of itself errs."""
    data = vectors(60, 0, 60, wrong=0.1), vectors(300, 1, 60, wrong=0.1)
    return problem(*data, "log_loss"), LINEAR.with_args("optimizer", learning_rate=0.05).replace(epochs=24)


def exact() -> tuple[Problem, Config]:
    """Targets without noise, which a linear model hits."""
    return problem(linear_targets(300, 0, 5, 0.0), linear_targets(200, 1, 5, 0.0)), LINEAR.replace(epochs=20)


def overfits() -> tuple[Problem, Config]:
    """Few targets, mostly noise, that a wide net learns by heart."""
    config = MLP.with_args("optimizer", learning_rate=0.03).replace(epochs=24)
    return problem(linear_targets(60, 0, 10, 6.0), linear_targets(300, 1, 10, 6.0)), config


def misled_at_first() -> tuple[Problem, Config]:
    """What is learnt fast does not hold in validation; what does, the small difference of two features, comes late."""

    def drawn(n: int, seed: int, sign: int) -> Data:
        easy, common, slow = np.random.default_rng(seed).normal(size=(3, n))
        x = np.stack([easy, common + 0.15 * slow, common - 0.15 * slow], axis=1).astype("float32")
        return x, 1.7 * slow + sign * easy

    config = Config("linear()", "sgd(learning_rate=0.06)", batch_size=20, epochs=42)
    return problem(drawn(100, 0, 1), drawn(300, 1, -1)), config


def amounts() -> Problem:
    """The sum of the amounts of six features, for each of which it takes two units."""

    def drawn(n: int, seed: int) -> Data:
        x = np.random.default_rng(seed).normal(size=(n, 6)).astype("float32")
        return x, np.abs(x).sum(axis=1)

    return problem(drawn(300, 0), drawn(300, 1))


def too_narrow() -> tuple[Problem, Config]:
    """A net of four units, where twelve are needed."""
    return amounts(), Config("mlp(depth=1, width=4)", "adam(learning_rate=0.03)", batch_size=20, epochs=20)


def no_wider_than_needed() -> tuple[Problem, Config]:
    """A net of twelve units, where twelve are needed and nothing is noise."""
    return amounts(), Config("mlp(depth=1, width=12)", "adam(learning_rate=0.03)", batch_size=20, epochs=20)


def few_and_noisy() -> tuple[Problem, Config]:
    """Few labels, a fifth of them wrong, which more units learn by heart all the sooner."""
    data = vectors(60, 0, wrong=0.3), vectors(400, 1, wrong=0.3)
    config = Config("mlp(depth=1, width=16)", "adam(learning_rate=0.02)", batch_size=20, epochs=10)
    return problem(*data, "log_loss"), config


def stopped_before_it_is_too_sure() -> tuple[Problem, Config]:
    """The same, stopped early: one that is larger is too sure after its first epoch."""
    data, config = few_and_noisy()
    return data, config.with_args("optimizer", learning_rate=0.05).replace(patience=2)


def undertrained() -> tuple[Problem, Config]:
    """A model that would need twice the time."""
    return too_few_steps()


def overfits_slowly() -> tuple[Problem, Config]:
    """The longer, the surer, and the worse."""
    data, _ = many_idle_features()
    return data, LINEAR.with_args("optimizer", learning_rate=0.1).replace(batch_size=60, epochs=16)


def learnt_by_filters() -> tuple[Problem, Config]:
    """Few pictures, some with wrong labels, of which a ConvNet becomes all too sure."""
    return problem(wrong_pictures(48, 0), wrong_pictures(200, 1), "log_loss"), CNN


def learnt_with_certainty() -> tuple[Problem, Config]:
    """Standing and lying bars, all labels right: whoever is unsure of them pays for it."""
    config = CNN.with_args("optimizer", learning_rate=0.005).replace(epochs=6)
    return problem(bars(160, 0, 2), bars(200, 1, 2), "log_loss"), config


ROWS = (
    Row("shift_picture", in_the_middle, position),
    Row("flip_picture", one_orientation, direction),
    Row("cut_out", an_easy_clue, one_patch),
    Row("grid_mask", an_easy_clue, one_patch),
    Row("randomize_domain", one_light_a_class, brightness),
    Row("mix_up", learnt_by_heart, in_between),
    Row("smaller_batch", too_few_steps, noise_floor),
    Row("dropout", wrong_labels, no_wider_than_needed),
    Row("spatial_dropout", learnt_by_filters, learnt_with_certainty),
    Row("weight_decay", many_idle_features, exact),
    Row("label_smoothing", many_idle_features, clean_labels),
    Row("early_stopping", overfits, misled_at_first),
    Row("larger_model", too_narrow, stopped_before_it_is_too_sure),
    Row("cool_down", noise_floor, overfits_slowly, "squeeze"),
    Row("let_the_rate_fall", noise_floor, undertrained, "squeeze"),
    Row("leave_it_training", undertrained, overfits_slowly, "squeeze"),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.move)
def test_a_move_is_accepted_where_it_helps(row: Row, accepted: Accepted) -> None:
    accepted(row.move, row.helps, row.stage)


def test_a_larger_model_that_overfits_helps_where_it_is_stopped_early(accepted: Accepted) -> None:
    chosen = accepted("larger_model", few_and_noisy)
    assert (chosen.model, chosen.patience) == ("mlp(depth=1, width=32)", 2)


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.move)
def test_a_move_is_refused_where_it_hurts(row: Row, refused: Refused) -> None:
    refused(row.move, row.hurts, row.stage)


@pytest.mark.parametrize("useful", [True, False])
def test_a_pretrained_backbone_is_accepted_where_its_features_help(
    useful: bool, accepted: Accepted, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = f"{HERE}:frozen(useful={useful})"
    monkeypatch.setattr("keras_recipe.moves.pretraining.best_at_hand", lambda problem: found)
    row = Row("pretrained_backbone", alike, alike_and_learnt)
    if useful:
        assert accepted(row.move, row.helps).model == found
    else:
        refused(row.move, row.hurts)


def same(problem: Problem) -> Any:
    """A linear model that begins with the same weights, whatever the seed."""
    import keras

    tensor, x = inputs(problem)
    return keras.Model(tensor, keras.layers.Dense(1, kernel_initializer="zeros")(x))


@pytest.mark.parametrize(
    ("config", "helps"),
    [
        (Config("mlp(depth=2, width=32)", "adam(learning_rate=0.01)", batch_size=20, epochs=20), True),
        (Config(f"{HERE}:same()", "sgd(learning_rate=0.1)", batch_size=60, epochs=3), False),
    ],
    ids=["members that disagree", "members that are the same"],
)
def test_an_ensemble_is_accepted_where_its_members_disagree(config: Config, helps: bool, tmp_path: Path) -> None:
    data, _ = overfits()
    with Recipe(data, tmp_path, 900.0, workers=1).study() as study:
        trials = study.trials("squeeze", [(config, seed) for seed in study.seeds(3)])
        members = ensemble(study, config)
        decided = select(list(study.journal), Decision)[0]
        assert decided.accepted == helps
        if helps:
            assert decided.low > 0
            assert list(members[:3]) == trials
        else:
            assert decided.effect == pytest.approx(0, abs=1e-6)
            assert members == (best_trial(study, trials_of(study, config)),)
