"""Inside the trained model: filters against noise, dead and saturated units, and which layer it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from keras_recipe import compiled, objectives
from keras_recipe.checks import CHECKS
from keras_recipe.checks.inside import DEAD, FROM_NOISE, structure
from keras_recipe.compiled import build
from keras_recipe.core.config import Config
from keras_recipe.core.records import Finding
from keras_recipe.data import load
from keras_recipe.data.toys import blobs, line, stripes
from keras_recipe.job import Job
from keras_recipe.loop import Loop
from keras_recipe.models import create, heads
from keras_recipe.models.layers import outputs_of, placed
from keras_recipe.problem import Problem, Split

Made = Callable[[Problem], tuple[keras.Model, keras.Model | None]]


def look(
    check: str,
    problem: Problem,
    directory: Path,
    model: str | Made = "small_cnn(width=8)",
    epochs: int = 15,
    spoil: Callable[[keras.Model], None] = lambda model: None,
) -> list[Finding]:
    """Findings about a model that was trained, and then spoilt."""
    config = Config(model if isinstance(model, str) else "linear()", "adam(learning_rate=0.003)")
    loop = Loop(lambda: build(problem, config) if isinstance(model, str) else model(problem))

    def fresh(seed: int) -> Loop:
        loop.reset(seed)
        return loop

    def trained() -> Loop:
        fresh(0)
        targets = objectives.targets(problem, problem.train.y)
        for epoch in range(epochs):
            rows = np.random.default_rng(epoch).permutation(len(problem.train))[:64].reshape(-1, 16)
            loop.train(problem.train.x, targets, rows)
        spoil(loop.model)
        return loop

    return list(CHECKS.get(check)(Job(problem, directory, fresh, 16, 0, trained=trained)))


def alarms(findings: list[Finding]) -> set[str]:
    return {f.cause for f in findings if f.severity in ("warning", "error")}


def scrambled(problem: Problem) -> Problem:
    """The same pictures as if they had been reshaped wrongly: pixels that were neighbours are none."""
    height, width, channels = problem.signature.shape
    order = np.random.default_rng(0).permutation(height * width)

    def of(split: Split) -> Split:
        x = np.asarray(split.x[:])
        return replace(split, x=x.reshape(len(x), -1, channels)[:, order].reshape(x.shape))

    return replace(problem, train=of(problem.train), validation=of(problem.validation), test=of(problem.test))


def smooth(n: int = 160, size: int = 8) -> Problem:
    """Pictures of a light spot, on the left or on the right."""
    from keras_recipe.data import load

    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    rows, columns = np.mgrid[:size, :size]
    centre = np.where(y == 0, 2.0, 5.0)[:, None, None] + rng.normal(0, 0.5, (n, 1, 1))
    height = rng.uniform(1, 6, (n, 1, 1))
    spot = np.exp(-((columns - centre) ** 2 + (rows - height) ** 2) / 6)
    return load(((40 + 180 * spot + rng.normal(0, 8, spot.shape)).clip(0, 255).astype("uint8"), y), name="spots")


PERCEPTRON = "mlp(depth=1, width=32)"


@pytest.mark.parametrize("toy", [smooth, stripes])
def test_filters_of_a_perceptron_have_structure_and_are_shown(toy: Callable[[], Problem], tmp_path: Path) -> None:
    (finding,) = look("first_layer", toy(), tmp_path, PERCEPTRON)
    assert finding.severity == "ok"
    assert "32 filters of 8x8" in finding.message
    with Image.open(tmp_path / str(finding.artifact)) as picture:
        assert picture.size[0] > 8 * 96
        assert np.asarray(picture).std() > 10


@pytest.mark.parametrize("toy", [smooth, stripes])
def test_filters_of_pictures_that_were_reshaped_wrongly_look_like_noise(
    toy: Callable[[], Problem], tmp_path: Path
) -> None:
    (finding,) = look("first_layer", scrambled(toy()), tmp_path, PERCEPTRON)
    assert (finding.severity, finding.cause) == ("warning", "filters")
    assert "noise" in finding.message
    assert min(finding.evidence["p-value"], finding.evidence["p-value of the change"]) > FROM_NOISE


def test_small_filters_are_shown_without_a_judgement(tmp_path: Path) -> None:
    for problem in (smooth(), scrambled(smooth())):
        (finding,) = look("first_layer", problem, tmp_path)
        assert finding.severity in ("info", "ok")
        assert (tmp_path / str(finding.artifact)).is_file()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([(5, 5, 3), (8, 8, 1), (7, 9, 3)]))
def test_noise_is_no_structure_and_waves_are(seed: int, shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(16, *shape))
    own, _ = structure(noise, seed)
    assert own < 0.5
    rows = np.arange(shape[0])[:, None, None]
    waves = np.sin(2 * np.pi * rows / 4 + rng.uniform(0, 6, (16, 1, 1, 1))) + 0.5 * noise
    found, p = structure(waves, seed)
    assert found > own
    assert p == 0.01


def test_noise_is_called_structure_as_rarely_as_the_level_says() -> None:
    rng = np.random.default_rng(0)
    values = [structure(rng.normal(size=(8, 5, 5, 1)), seed)[1] for seed in range(200)]
    assert sum(p <= FROM_NOISE for p in values) <= 8  # 2 are to be expected
    assert 0.4 < float(np.mean(values)) < 0.6


def first_conv(model: keras.Model) -> keras.layers.Layer:
    return next(p.layer for p in placed(model) if isinstance(p.layer, keras.layers.Conv2D))


def test_dead_filters_are_told(tmp_path: Path) -> None:
    def most(model: keras.Model) -> None:
        kernel = first_conv(model).kernel
        kernel.assign(kernel.numpy() * np.array([1.0, 1, 1, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4]))

    def few(model: keras.Model) -> None:
        kernel = first_conv(model).kernel
        kernel.assign(kernel.numpy() * np.array([1e-4, 1, 1, 1, 1, 1, 1, 1]))

    found = look("first_layer", smooth(), tmp_path, spoil=most)
    assert alarms(found) == {"filters"}
    assert found[-1].message.startswith("62%")
    assert not alarms(look("first_layer", smooth(), tmp_path, spoil=few))


def test_a_first_layer_that_has_not_moved_is_told(tmp_path: Path) -> None:
    for problem, model in ((smooth(), "small_cnn(width=8)"), (blobs(), PERCEPTRON)):
        assert alarms(look("first_layer", problem, tmp_path, model, epochs=0)) == {"frozen"}
        assert not alarms(look("first_layer", problem, tmp_path, model))


def test_weights_of_a_table_are_shown_by_input_in_units_of_its_deviation(tmp_path: Path, table: Problem) -> None:
    for model in (PERCEPTRON, "embedded_mlp(width=16)"):
        (finding,) = look("first_layer", table, tmp_path, model)
        assert finding.severity == "info"
        assert finding.table is not None
        names = {str(row[0]) for row in finding.table.rows}
        assert names == ({"age", "city", "income"} if model == PERCEPTRON else {"age", "income"})
        assert all(isinstance(row[1], float) and row[1] > 0 for row in finding.table.rows)


def test_weights_have_the_names_of_the_inputs_that_are_left(tmp_path: Path, table: Problem) -> None:
    for builder in ("mlp(depth=1, width=32, without={})", "embedded_mlp(width=16, without={})"):
        for left_out in ("age", "income"):
            (finding,) = look("first_layer", table, tmp_path, builder.format(repr((left_out,))))
            assert finding.table is not None
            names = {str(row[0]) for row in finding.table.rows} - {"city"}  # embedded apart from numbers
            assert names == {"age", "income"} - {left_out}


@pytest.mark.parametrize("given", ["size=4", "grey=True"])
def test_filters_of_a_perceptron_that_sees_smaller_pictures_are_shown(given: str, tmp_path: Path) -> None:
    shown = smooth()
    coloured = load((np.repeat(np.asarray(shown.train.x[:]), 3, axis=-1), shown.train.y), name="coloured")
    (finding,) = look("first_layer", coloured, tmp_path, f"mlp(depth=1, width=32, {given})")
    assert f"filters of {'4x4' if given == 'size=4' else '8x8'}" in finding.message
    assert (tmp_path / str(finding.artifact)).is_file()


def test_an_input_whose_weights_were_taken_away_is_last(tmp_path: Path) -> None:
    def blind(model: keras.Model) -> None:
        kernel = next(p.layer.kernel for p in placed(model) if isinstance(p.layer, keras.layers.Dense))
        kernel.assign(kernel.numpy() * np.array([[1.0], [0.0], [1.0]]))

    (finding,) = look("first_layer", line(), tmp_path, PERCEPTRON, spoil=blind)
    assert finding.table is not None
    assert finding.table.rows[-1] == ("1", 0.0)
    assert finding.table.bars == finding.table.columns[1]


@pytest.mark.parametrize(
    ("toy", "model"),
    [(smooth, "small_cnn(width=8)"), (stripes, "resnet()"), (blobs, PERCEPTRON), (line, "embedded_mlp(width=16)")],
)
def test_activations_of_a_healthy_model_are_quiet(toy: Callable[[], Problem], model: str, tmp_path: Path) -> None:
    problem = toy()
    (finding,) = look("activations", problem, tmp_path, model)
    assert finding.severity == "ok"
    assert (finding.artifact is not None) == (problem.signature.kind == "image")
    assert finding.table is not None
    assert all(float(row[2] or 0) < DEAD for row in finding.table.rows)


def test_units_that_are_0_for_every_example_are_told(tmp_path: Path) -> None:
    def kill(model: keras.Model) -> None:
        bias = next(p.layer.bias for p in placed(model) if isinstance(p.layer, keras.layers.Dense))
        bias.assign(np.where(np.arange(32) < 20, -1e3, bias.numpy()))

    (finding,) = look("activations", blobs(), tmp_path, PERCEPTRON, spoil=kill)
    assert (finding.severity, finding.cause) == ("warning", "activations")
    assert finding.message.startswith("62%")


def test_dead_channels_of_a_convolution_are_told(tmp_path: Path) -> None:
    def kill(model: keras.Model) -> None:
        norm = next(p.layer for p in placed(model) if isinstance(p.layer, keras.layers.BatchNormalization))
        norm.beta.assign(np.full(8, -1e3))

    findings = look("activations", smooth(), tmp_path, spoil=kill)
    assert alarms(findings) == {"activations"}
    assert findings[0].message.startswith("100%")


def squashed(activation: str, scale: float) -> Made:
    """A perceptron of tanh or sigmoid, whose inputs are multiplied by a number."""

    def made(problem: Problem) -> tuple[keras.Model, None]:
        tensor, x = heads.inputs(problem)
        x = keras.layers.Rescaling(scale)(x)
        x = keras.layers.Dense(32, activation=activation, name="squashed")(x)
        model = keras.Model(tensor, heads.head(problem, x))
        model.compile("adam", compiled.loss(problem))
        return model, None

    return made


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_saturated_units_are_told(activation: str, tmp_path: Path) -> None:
    findings = look("activations", blobs(), tmp_path, squashed(activation, 100.0))
    assert alarms(findings) == {"activations"}
    assert "'squashed'" in next(f for f in findings if f.severity == "warning").message
    assert not alarms(look("activations", blobs(), tmp_path, squashed(activation, 0.5)))


def test_a_backbone_inside_is_looked_into_and_named(tmp_path: Path) -> None:
    frozen = "backbone(alpha=0.25, name='applications:MobileNet', size=64, weights='random', train='{}')"
    (finding,) = look("first_layer", smooth(), tmp_path, frozen.format("head"), epochs=2)
    assert finding.severity in ("ok", "info")
    assert "'backbone/" in finding.message
    assert "(frozen)" in finding.message
    for train in ("head", "all"):
        findings = look("activations", smooth(), tmp_path, frozen.format(train), epochs=2)
        assert findings[0].artifact is not None
        assert findings[0].table is not None
        assert any(str(row[0]).startswith("backbone/") for row in findings[0].table.rows)


def test_outputs_inside_a_nested_model_are_what_it_computes() -> None:
    inner_in = keras.Input((3,))
    inner = keras.Model(inner_in, keras.layers.Dense(4, name="deep")(inner_in), name="inner")
    start = keras.Input((3,))
    model = keras.Model(start, keras.layers.Dense(2)(inner(keras.layers.Rescaling(2.0)(start))))
    found = {p.name: p for p in placed(model)}
    x = np.random.default_rng(0).normal(size=(70, 3)).astype("float32")
    parts = [values[0] for values in outputs_of(model, [found["inner/deep"]])(x)]
    assert len(parts) == 3
    np.testing.assert_allclose(np.concatenate(parts), inner.predict(2 * x, verbose=0), rtol=1e-5, atol=1e-6)


def test_where_the_model_sees_its_class_is_bright(tmp_path: Path) -> None:
    from keras_recipe.checks.inside import _class_activation

    problem = smooth()
    model = create("small_cnn(width=8)", problem)
    maps = np.zeros((1, 2, 2, model.layers[-1].kernel.shape[0]), "float32")
    maps[0, 1, 0, 3] = 1.0
    kernel = np.zeros(model.layers[-1].kernel.shape, "float32")
    kernel[3] = 2.0
    model.layers[-1].kernel.assign(kernel)
    for chosen, sign in ((1, 1.0), (0, -1.0)):  # two classes have one output, which speaks for the second
        seen = _class_activation(placed(model), maps, np.array([chosen]))
        assert seen is not None
        assert seen[0].tolist() == [[0.0, 0.0], [2.0 * sign, 0.0]]


def test_without_a_trained_model_there_is_nothing_to_see(tmp_path: Path) -> None:
    loop = Loop(lambda: build(blobs(), Config("linear()")))
    job = Job(blobs(), tmp_path, lambda seed: loop, 16, 0)
    for check in ("first_layer", "activations"):
        assert list(CHECKS.get(check)(job)) == []


def test_a_model_that_is_no_graph_of_layers_is_left_in_peace(tmp_path: Path) -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(3)

        def call(self, x):  # type: ignore[no-untyped-def]
            return self.dense(x)

    model = Own()
    model(np.zeros((1, 4), "float32"))
    assert len(model.trainable_variables) == 2
    assert placed(model) == []
