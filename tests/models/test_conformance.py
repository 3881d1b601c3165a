"""Every registered model goes through the same tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_recipe import compiled, objectives
from keras_recipe.core.errors import RecipeError
from keras_recipe.data.toys import blobs, line, stripes
from keras_recipe.models import MODELS, create
from keras_recipe.models.heads import head, inputs
from keras_recipe.problem import Problem

SMALL = {
    "backbone": "backbone(alpha=0.25, name='applications:MobileNet', weights='random')",
    "resnet": "resnet(width=4)",
    "small_cnn": "small_cnn(width=4)",
}


def problems(name: str) -> list[Problem]:
    pictures = [stripes(size=size) for size in (8, 11)]
    features = [blobs(), blobs(classes=2), line()]
    if name in MODELS.of_stage("features"):
        return features
    return pictures if name in MODELS.of_stage("pictures") else [*pictures, *features]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_builds_learns_and_comes_back_from_its_file(name: str, tmp_path: Path) -> None:
    for problem in problems(name):
        model = create(SMALL.get(name, name), problem)
        model.compile(compiled.optimizer("adam(learning_rate=0.001)"), compiled.loss(problem))
        x, y = np.asarray(problem.train.x[:64]), objectives.targets(problem, problem.train.y[:64])
        before = model.evaluate(x, y, verbose=0)
        model.fit(x, y, epochs=8, batch_size=16, verbose=0)
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
        np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5, atol=1e-5)
        steps = [model.train_on_batch(x, y) for _ in range(30)]
        assert min(map(float, steps)) < before


@pytest.mark.parametrize("name", MODELS)
def test_a_model_starts_at_the_label_frequencies(name: str) -> None:
    problem = problems(name)[0]
    rare = np.flatnonzero(problem.train.y == 0)[5:]
    kept = np.setdiff1d(np.arange(len(problem.train)), rare)
    train = replace(problem.train, x=problem.train.x[kept], y=problem.train.y[kept], ids=kept.astype(str).tolist())
    model = create(SMALL.get(name, name), replace(problem, train=train))
    frequencies = replace(problem, train=train).label_frequencies()
    np.testing.assert_allclose(keras.ops.softmax(model.get_layer("logits").bias), frequencies, rtol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_every_argument_has_a_default_and_a_model_says_what_it_is(name: str) -> None:
    assert MODELS.describe(name).endswith(".")
    assert all(value is not None for value in MODELS.arguments(name).values())


@pytest.mark.parametrize("name", [n for n in MODELS if "dropout" in MODELS.arguments(n)])
def test_dropout_drops_while_training_only(name: str) -> None:
    problem = problems(name)[0]
    spec = SMALL.get(name, name)
    model = create(f"{spec.removesuffix(')') + ', ' if '(' in spec else spec + '('}dropout=0.5)", problem)
    assert any(isinstance(layer, keras.layers.Dropout) and layer.rate == 0.5 for layer in model.layers)


@pytest.mark.parametrize("name", [n for n in MODELS if "spatial_dropout" in MODELS.arguments(n)])
def test_whole_channels_are_dropped_while_training_only(name: str) -> None:
    problem = stripes(size=16)
    model = create(f"{name}(width=8, spatial_dropout=0.5)", problem)
    dropping = [layer for layer in model.layers if isinstance(layer, keras.layers.SpatialDropout2D)]
    assert len(dropping) >= 2
    inner = keras.Model(model.inputs[0], dropping[0].output)
    x = np.asarray(problem.train.x[:64])
    dead = [np.mean(np.abs(np.asarray(inner(x, training=t))).max(axis=(1, 2)) == 0.0) for t in (True, False)]
    assert dead[0] - dead[1] > 0.3


def test_pictures_are_normalized_by_the_model_itself() -> None:
    problem = stripes()
    model = create("linear()", problem)
    normalized = keras.Model(model.inputs[0], model.get_layer("normalize").output)(np.asarray(problem.train.x))
    assert abs(float(np.mean(normalized))) < 0.01
    assert float(np.std(normalized)) == pytest.approx(1, abs=0.02)


def test_photos_are_made_smaller_first() -> None:
    problem = stripes(n=30, size=64)
    for name in ("small_cnn(width=4)", "resnet(width=4)"):
        first = next(layer for layer in create(name, problem).layers if isinstance(layer, keras.layers.Conv2D))
        assert first.strides == (2, 2)


def test_a_users_builder_is_found_by_its_name_and_by_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_models.py").write_text(
        "import keras\nfrom keras_recipe.models.heads import head, inputs\n"
        "def tower(problem, width=4):\n"
        "    tensor, x = inputs(problem)\n"
        "    x = keras.layers.Dense(width)(keras.layers.Flatten()(x))\n"
        "    return keras.Model(tensor, head(problem, x))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert create("my_models:tower(width=6)", blobs()).layers[-2].units == 6
    with pytest.raises(RecipeError, match="'width'"):
        create("my_models:tower(widht=6)", blobs())


def test_a_model_that_does_not_fit_the_problem_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(problem: Problem) -> keras.Model:
        """Two units for three classes."""
        tensor, x = inputs(problem)
        return keras.Model(tensor, keras.layers.Dense(2)(x))

    monkeypatch.setitem(MODELS._functions, "wrong", wrong)
    with pytest.raises(RecipeError, match=r"\(None, 3\)[\s\S]*\(None, 2\)"):
        create("wrong()", blobs())


def test_an_unknown_model_suggests_the_nearest() -> None:
    with pytest.raises(RecipeError, match="'resnet', the nearest"):
        create("resent(depth=8)", stripes())


def test_a_depth_that_no_resnet_has_is_refused() -> None:
    with pytest.raises(ValueError, match="6n \\+ 2"):
        create("resnet(depth=10)", stripes())


def test_regression_starts_at_the_mean() -> None:
    problem = line()
    tensor, x = inputs(problem)
    outputs = keras.Model(tensor, head(problem, x * 0.0))(np.asarray(problem.train.x[:4]))
    np.testing.assert_allclose(
        objectives.predictions(problem, np.asarray(outputs)), np.tile(problem.target_moments()[0], (4, 1)), rtol=1e-5
    )
