"""The exported file says, for raw inputs, what the trained model says for encoded ones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_recipe import exported, models, objectives
from keras_recipe.core.errors import RecipeError
from keras_recipe.problem import Problem
from keras_recipe.recipe import Result

Finished = Callable[[str], tuple[Problem, Result]]


def said(model: keras.Model, problem: Problem, encoded: np.ndarray) -> np.ndarray:
    """What the inner model's outputs mean."""
    return objectives.predictions(problem, np.asarray(model(encoded, training=False)))


def exported_as(problem: Problem, path: Path, spec: str = "mlp(depth=1, width=8)") -> tuple[keras.Model, keras.Model]:
    """A model with random weights, and what is loaded from its file."""
    model = models.create(spec, problem)
    exported.export([model], problem, path / "model.keras")
    return model, exported.load(path / "model.keras")[0]


def test_words_unseen_and_numbers_missing_are_encoded_as_in_training(table: Problem, tmp_path: Path) -> None:
    problem = table
    inner, model = exported_as(problem, tmp_path)
    names = [c.name for c in problem.signature.columns]
    age, income = (problem.signature.columns[names.index(n)] for n in ("age", "income"))
    words = problem.signature.columns[names.index("city")].vocabulary
    assert words is not None
    raw = {
        "age": np.array([[30.0], [np.nan], [44.0], [61.0]], "float32"),
        "city": np.array([["Rome"], ["Oslo"], ["Atlantis"], [""]]),
        "income": np.array([[30_000.0], [29_000.0], [np.nan], [31_500.0]], "float32"),
    }
    encoded = np.zeros((4, problem.signature.shape[0]), "float32")
    start = 0
    for column in problem.signature.columns:
        values = raw[column.name][:, 0]
        if column.vocabulary is not None:
            for row, word in enumerate(values):
                known = column.vocabulary.index(word) if word in column.vocabulary else len(column.vocabulary)
                encoded[row, start + known] = 1
        else:
            encoded[:, start] = np.nan_to_num((values - column.mean) / column.scale, nan=0.0)
            if column.missing:
                encoded[:, start + 1] = np.isnan(values)
        start += column.width
    assert age.missing
    assert not income.missing
    assert np.allclose(exported.predict(model, raw), said(inner, problem, encoded), atol=1e-5)


@pytest.mark.parametrize("size", [(8, 8), (16, 16), (20, 10)])
def test_pictures_of_any_size_are_resized(size: tuple[int, int], stripes: Problem, tmp_path: Path) -> None:
    inner, model = exported_as(stripes, tmp_path, "small_cnn(width=4)")
    raw = np.random.default_rng(0).integers(0, 256, (5, *size, 1)).astype("uint8")
    resized = raw
    if size != (8, 8):
        resize = keras.layers.Resizing(8, 8, antialias=True)
        resized = np.round(np.asarray(resize(raw.astype("float32")))).astype("uint8")
    assert np.allclose(exported.predict(model, raw), said(inner, stripes, resized), atol=1e-5)


def test_a_binary_model_gives_both_probabilities(binary: Problem, tmp_path: Path) -> None:
    inner, model = exported_as(binary, tmp_path)
    predicted = exported.predict(model, binary.validation.x[:10])
    assert predicted.shape == (10, 2)
    assert np.allclose(predicted.sum(axis=1), 1)
    assert np.allclose(predicted, said(inner, binary, binary.validation.x[:10]), atol=1e-5)
    assert binary.signature.classes == ("bad", "good")


def test_a_regression_answers_in_the_users_unit(line: Problem, tmp_path: Path) -> None:
    inner, model = exported_as(line, tmp_path)
    x = line.validation.x[:20]
    mean, deviation = line.target_moments()
    assert mean[0] == pytest.approx(10, abs=1)
    assert np.allclose(exported.predict(model, x), np.asarray(inner(x)) * deviation + mean, atol=1e-4)


@pytest.mark.parametrize("name", ["stripes", "blobs", "line", "table", "binary"])
def test_the_signature_comes_back_as_it_was(name: str, finished: Finished) -> None:
    problem, result = finished(name)
    assert exported.load(result.model_path)[1] == problem.signature


@pytest.mark.parametrize("name", ["stripes", "table"])
def test_plain_keras_opens_the_file_in_safe_mode_without_this_package(
    name: str, finished: Finished, tmp_path: Path
) -> None:
    problem, result = finished(name)
    script = """
import sys
import warnings
warnings.filterwarnings("error", category=UserWarning)
import keras
model = keras.models.load_model(sys.argv[1], safe_mode=True)
assert not any(name.startswith("keras_recipe") for name in sys.modules)
print([list(i.shape) for i in model.inputs], list(model.output_shape))
"""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", script, str(result.model_path.resolve())],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert str(len(problem.signature.classes)) in done.stdout.rpartition("[")[2]


def test_verify_tells_a_file_that_predicts_otherwise(blobs: Problem, tmp_path: Path) -> None:
    inner, _ = exported_as(blobs, tmp_path)
    expected = said(inner, blobs, np.asarray(blobs.validation.x))
    expected[0, 0] += 0.25
    assert exported.verify(tmp_path / "model.keras", blobs, expected) == pytest.approx(0.25, abs=1e-4)


def test_a_file_of_another_origin_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="finish first"):
        exported.load(tmp_path / "model.keras")
    (tmp_path / "model.keras").write_bytes(b"no zip")
    with pytest.raises(RecipeError, match="`train` has written"):
        exported.load(tmp_path / "model.keras")
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(tmp_path / "foreign.keras")
    with pytest.raises(RecipeError, match="finished run"):
        exported.load(tmp_path / "foreign.keras")


def test_an_export_that_fails_leaves_the_old_file(
    blobs: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = exported_as(blobs, tmp_path)
    content = (tmp_path / "model.keras").read_bytes()
    monkeypatch.setattr(exported.json, "dumps", lambda value: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        exported.export([model], blobs, tmp_path / "model.keras")
    assert [p.name for p in tmp_path.iterdir()] == ["model.keras"]
    assert (tmp_path / "model.keras").read_bytes() == content
