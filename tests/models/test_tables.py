"""Embeddings of numbers."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from keras_recipe.data import load
from keras_recipe.data.toys import blobs
from keras_recipe.models import create
from keras_recipe.models.tables import edges
from keras_recipe.problem import Problem


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Problem:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "steep": rng.lognormal(sigma=2.0, size=300),
            "few": rng.integers(0, 3, 300),
            "word": rng.choice(["a", "b"], 300),
            "gaps": np.where(rng.random(300) < 0.2, np.nan, rng.normal(size=300)),
            "target": rng.normal(size=300),
        }
    )
    path: Path = tmp_path_factory.mktemp("table") / "table.csv"
    frame.to_csv(path, index=False)
    return load(path)


def bins_of(model: keras.Model, x: np.ndarray) -> np.ndarray:
    before = model.get_layer("embeddings").input
    return np.asarray(keras.Model(model.inputs[0], before)(x))


def test_a_number_fills_its_bins_one_after_the_other(table: Problem) -> None:
    model = create("embedded_mlp(bins=8)", table)
    filled = bins_of(model, np.asarray(table.train.x))
    numbers = [c.name for c in table.signature.columns if c.vocabulary is None]
    assert filled.shape[1:] == (len(numbers), 8)
    steep = filled[:, numbers.index("steep")]
    # Quantiles: an eighth of the examples ends in each bin, however steep the distribution is.
    np.testing.assert_allclose(steep.mean(axis=0), (7.5 - np.arange(8)) / 8, atol=0.05)
    assert (np.diff(steep, axis=1) <= 1e-6).all()  # no bin before the one below it is full
    order = np.argsort(table.train.x[:, 0])
    assert (np.diff(steep.sum(axis=1)[order]) >= -1e-5).all()


def test_few_values_have_few_bins(table: Problem) -> None:
    filled = bins_of(create("embedded_mlp(bins=8)", table), np.asarray(table.train.x))
    numbers = [c.name for c in table.signature.columns if c.vocabulary is None]
    few = filled[:, numbers.index("few")]
    assert len(np.unique(few.round(3), axis=0)) == 3
    assert np.abs(few[:, 2:]).max() == 0.0


@pytest.mark.parametrize("bins", [1, 8, 64])
def test_a_value_that_most_examples_have_leaves_bins_for_the_others(bins: int) -> None:
    rng = np.random.default_rng(0)
    values = np.where(rng.random(4000) < 0.95, 0.0, rng.lognormal(sigma=2.0, size=4000))
    cut = edges(values, bins)
    assert (cut[0], cut[-1]) == (0.0, values.max())
    assert (np.diff(cut) > 0).all()
    assert bins / 2 < len(cut) - 1 <= bins
    assert len(np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)))) - 1 <= max(1, bins / 8)


def test_every_one_of_few_values_is_an_edge() -> None:
    values = np.repeat([3.0, -1.0, 7.0], [1, 97, 2])
    assert edges(values, 8).tolist() == [-1.0, 3.0, 7.0]
    assert edges(np.full(5, 2.0), 8).tolist() == [2.0, 3.0]


def test_a_rare_value_that_tells_the_class_is_learnt() -> None:
    rng = np.random.default_rng(0)
    gain = np.where(rng.random(6000) < 0.85, 0.0, rng.integers(1, 21, 6000))
    y = np.where(gain > 0, gain.astype(int) % 2, rng.random(6000) < 0.5)
    x = np.stack([gain, rng.normal(size=6000)], axis=1)
    problem = load((x.astype("float32"), y.astype("int32")), name="gains")
    keras.utils.set_random_seed(0)
    model = create("embedded_mlp(width=64)", problem)
    model.compile(keras.optimizers.Adam(0.003), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(problem.train.x, problem.train.y[:, None].astype("float32"), epochs=20, verbose=0)
    rare = np.asarray(problem.validation.x)[:, 0] > 0
    right = (model.predict(problem.validation.x, verbose=0)[:, 0] > 0) == problem.validation.y
    assert right[rare].mean() > 0.95


def test_words_and_marks_pass_as_they_are(table: Problem) -> None:
    model = create("embedded_mlp(bins=8, embedding=4)", table)
    columns = table.signature.columns
    numbers = sum(c.vocabulary is None for c in columns)
    first = next(layer for layer in model.layers if isinstance(layer, keras.layers.Dense) and layer.name != "logits")
    assert first.kernel.shape[0] == 4 * numbers + sum(c.width for c in columns) - numbers


def test_vectors_are_cut_as_the_model_sees_them() -> None:
    problem = blobs()
    filled = bins_of(create("embedded_mlp(bins=4)", problem), np.asarray(problem.train.x))
    np.testing.assert_allclose(filled.mean(axis=(0, 1)), (3.5 - np.arange(4)) / 4, atol=0.1)


def test_jumps_along_a_feature_are_learnt_sooner() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (600, 2)).astype("float32")
    y = (np.floor(2 * x[:, 0]) % 2).astype("int32")
    problem = load((x, y), name="comb")
    scores = []
    for spec in ("mlp(width=64)", "embedded_mlp(width=64)"):
        keras.utils.set_random_seed(0)
        model = create(spec, problem)
        model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
        model.fit(problem.train.x, problem.train.y[:, None].astype("float32"), epochs=30, verbose=0)
        outputs = model.predict(problem.validation.x, verbose=0)[:, 0]
        scores.append(np.mean((outputs > 0) == problem.validation.y))
    assert scores[1] > 0.85 > 0.7 > scores[0]
