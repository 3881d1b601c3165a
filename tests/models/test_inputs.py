"""Smaller inputs are layers of the model, and the network behind them is built for what it sees."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_recipe import exported
from keras_recipe.core.errors import RecipeError
from keras_recipe.data import load
from keras_recipe.data.toys import blobs, stripes
from keras_recipe.models import MODELS, create
from keras_recipe.models.cost import Cost, cost
from keras_recipe.problem import Problem

TAKING_SIZES = [n for n in MODELS if {"size", "grey"} <= {*MODELS.arguments(n)}]
TAKING_SOME = [n for n in MODELS if "without" in MODELS.arguments(n)]


@pytest.fixture(scope="module")
def colour() -> Problem:
    """Pictures of 16 x 24 pixels in colour."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (60, 16, 24, 3), "uint8")
    return load((x, np.arange(60) % 3), name="colour")


def seen(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """What the network sees of these examples."""
    return np.asarray(keras.Model(model.inputs[0], model.get_layer("normalize").output)(x))


def test_builders_know_how_to_make_their_inputs_smaller() -> None:
    assert {"linear", "mlp", "small_cnn", "resnet"} <= {*TAKING_SIZES}
    assert {"linear", "mlp", "embedded_mlp"} <= {*TAKING_SOME}


@pytest.mark.parametrize("name", TAKING_SIZES)
def test_a_smaller_picture_in_grey_is_what_the_network_is_built_for(name: str, colour: Problem) -> None:
    small, own = create(f"{name}(grey=True, size=8)", colour), create(name, colour)
    assert small.input_shape == own.input_shape == (None, 16, 24, 3)
    shown = seen(small, np.asarray(colour.train.x))
    assert shown.shape[1:] == (8, 12, 1)
    assert abs(shown.mean()) < 0.05
    assert shown.std() == pytest.approx(1, abs=0.05)
    assert cost(small).inputs == 8 * 12
    assert cost(small).multiply_adds < cost(own).multiply_adds / 3


def test_a_smaller_pixel_is_the_mean_of_what_it_covers(colour: Problem) -> None:
    wave = np.tile([0, 255], (16, 12))[None, ..., None].repeat(3, -1).astype("uint8")  # stripes of one pixel
    assert np.ptp(seen(create("linear(size=8)", colour), wave)[:, :, 2:-2]) < 0.2  # are gone, and make no others


def test_grey_is_luminance(colour: Problem) -> None:
    x = np.zeros((3, 16, 24, 3), "uint8")
    x[[0, 1, 2], ..., [0, 1, 2]] = 255
    red, green, blue = seen(create("linear(grey=True)", colour), x).mean(axis=(1, 2, 3))
    assert green > red > blue
    assert (green - red) / (red - blue) == pytest.approx((0.587 - 0.299) / (0.299 - 0.114), rel=0.01)


def test_grey_pictures_stay_as_they_are() -> None:
    assert cost(create("linear(grey=True)", stripes())) == cost(create("linear()", stripes()))


@pytest.mark.parametrize("name", TAKING_SOME)
def test_what_is_left_out_changes_nothing(name: str) -> None:
    problem = blobs()
    model = create(f"{name}(without=('1', '3'))", problem)
    x = np.asarray(problem.train.x[:5])
    other = x.copy()
    other[:, [1, 3]] += 7.0
    np.testing.assert_array_equal(model(x), model(other))
    other[:, 0] += 7.0
    assert np.abs(np.asarray(model(x)) - np.asarray(model(other))).max() > 0
    assert cost(model).weights < cost(create(name, problem)).weights


@pytest.mark.parametrize("name", TAKING_SOME)
def test_a_column_goes_with_all_of_its_words(name: str, table: Problem) -> None:
    columns = {c.name: c.width for c in table.signature.columns}
    assert {n: len(p) for n, p in table.signature.features.items()} == columns
    model = create(f"{name}(without=('city',))", table)
    x = np.asarray(table.train.x[:5])
    other = x.copy()
    other[:, list(table.signature.features["city"])] = 0.5
    np.testing.assert_array_equal(model(x), model(other))
    kept = x.copy()
    kept[:, list(table.signature.features["age"])] += 1.0
    assert np.abs(np.asarray(model(x)) - np.asarray(model(kept))).max() > 0


def test_the_exported_model_takes_what_it_took_before(table: Problem, colour: Problem, tmp_path: Path) -> None:
    for problem, spec in (
        (table, "embedded_mlp(without=('city',))"),
        (colour, "small_cnn(grey=True, size=12, width=4)"),
    ):
        model = create(spec, problem)
        path = exported.export([model], problem, tmp_path / f"{problem.name}.keras")
        loaded, signature = exported.load(path)
        assert signature == problem.signature
        x = np.asarray(problem.validation.x[:8])
        raw = exported.raw_inputs(x, problem.signature)
        direct = exported.deployable([model], problem)
        np.testing.assert_allclose(exported.predict(loaded, raw), exported.predict(direct, raw), atol=1e-5)


@pytest.mark.parametrize(
    ("spec", "kind", "said"),
    [
        ("linear(without=('age',))", "blobs", "'age'"),
        ("linear(without=('0', '1', '2', '3'))", "blobs", "at least one feature"),
        ("linear(size=8)", "blobs", "size for pictures only"),
        ("linear(grey=True)", "blobs", "grey for pictures only"),
        ("linear(without=('0',))", "stripes", "without for tables and vectors only"),
        ("linear(size=3)", "stripes", "4 to 8 pixels"),
        ("linear(size=9)", "stripes", "4 to 8 pixels"),
    ],
)
def test_an_input_that_cannot_be_made_smaller_so_is_refused(spec: str, kind: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        create(spec, {"blobs": blobs, "stripes": stripes}[kind]())


@pytest.mark.parametrize("name", [n for n in MODELS if "depthwise" in MODELS.arguments(n)])
def test_depthwise_convolutions_have_a_fraction_of_the_weights(name: str) -> None:
    problem = stripes(size=16)
    full, apart = cost(create(f"{name}(width=32)", problem)), cost(create(f"{name}(depthwise=True, width=32)", problem))
    assert apart.weights < full.weights / 4
    assert apart.multiply_adds < full.multiply_adds / 3


def test_pooling_saves_what_flatten_and_dense_cost() -> None:
    problem = stripes(size=28)
    pooled, flat = (cost(create(f"small_cnn(pooling={p})", problem)) for p in (True, False))
    assert flat.weights > 4 * pooled.weights


def test_the_cost_of_a_model_is_what_one_counts_by_hand() -> None:
    assert cost(create("mlp(depth=1, width=10)", blobs())) == Cost(4, 4 * 10 + 10 + 10 * 3 + 3, 4 * 10 + 10 * 3)
    first, second, head = 8 * 8 * 9 * 1 * 4, 4 * 4 * 9 * 4 * 8, 8 * 3  # pooling between them
    assert cost(create("small_cnn(width=4)", stripes())).multiply_adds == first + second + head


def test_less_is_told_only_where_nothing_is_more() -> None:
    own = Cost(100, 1000, 5000)
    assert Cost(50, 1000, 2500).less(own) == "50 % fewer inputs, 50 % fewer multiply-adds"
    assert own.less(own) == ""
    assert Cost(50, 1001, 2500).less(own) == ""


def test_a_config_without_the_new_arguments_is_the_model_that_it_was() -> None:
    model = create("small_cnn(width=4)", stripes())
    layers = [type(layer).__name__ for layer in model.layers]
    assert layers[:3] == ["InputLayer", "Normalization", "Conv2D"]
