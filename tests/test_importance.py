"""Permutation importance of features, on predictors that are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from keras_recipe.data import load
from keras_recipe.importance import Importance, Predict, importances, table
from keras_recipe.problem import Problem


@pytest.fixture(scope="module")
def line() -> Problem:
    """y = 3 a + b, and a third feature that says nothing."""
    x = np.random.default_rng(0).normal(size=(2000, 3)).astype("float32")
    return load((x, 3 * x[:, 0] + x[:, 1]), validation=0.5, name="line")


def models(*seeds: int) -> list[Predict]:
    """Models that know the line, each with a little error of its own in the third feature."""

    def model(seed: int) -> Predict:
        slip = np.random.default_rng(seed).normal(scale=0.02)
        return lambda x: (3 * x[:, :1] + x[:, 1:2] + slip * x[:, 2:]).astype("float64") + 0.5

    return [model(seed) for seed in seeds]


def test_what_is_lost_is_what_the_feature_explained(line: Problem) -> None:
    found = {i.feature: i for i in importances(line, models(0, 1, 2), ("0", "1", "2"), seed=0)}
    assert list(found) == ["0", "1", "2"]
    assert [i.above_noise for i in found.values()] == [True, True, False]
    # Shuffling c x adds 2 c^2 to a mean squared error of 0.25; an RMSE is carried over by its slope half way.
    for name, weight in (("0", 3), ("1", 1)):
        half_way = np.sqrt(0.25 + weight**2)
        assert found[name].gain == pytest.approx(2 * weight**2 * 0.5 / half_way, rel=0.15)
        assert found[name].low < found[name].gain < found[name].high


def test_the_same_seed_finds_the_same(line: Problem) -> None:
    first = importances(line, models(0, 1), ("0", "1", "2"), seed=3)
    assert first == importances(line, models(0, 1), ("0", "1", "2"), seed=3)
    assert first != importances(line, models(0, 1), ("0", "1", "2"), seed=4)


def test_noise_is_seldom_taken_for_a_feature(line: Problem) -> None:
    taken = [importances(line, models(s, s + 1, s + 2), ("2",), seed=s)[0].above_noise for s in range(0, 120, 3)]
    assert np.mean(taken) <= 0.1


def test_a_column_is_shuffled_as_a_whole(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"word": rng.choice(["a", "b", "c"], 300), "number": rng.normal(size=300)})
    frame["target"] = np.where(frame["word"] == "a", 1.0, 0.0)
    frame.to_csv(tmp_path / "t.csv", index=False)
    problem = load(tmp_path / "t.csv", target="target")
    places = problem.signature.features
    seen = []

    def model(x: np.ndarray) -> np.ndarray:
        seen.append(x[:, list(places["word"])].sum(axis=1))
        first = x[:, [places["word"][0]]].astype("float64")
        return first if problem.signature.task == "regression" else np.concatenate([1 - first, first], axis=1)

    found = importances(problem, [model, model], ("word", "number"), seed=0)
    assert found[0].feature == "word"
    assert found[0].gain > 0.3
    assert found[1].gain == 0.0
    assert all((s == 1).all() for s in seen)  # every example has one word still


def test_the_table_says_what_is_noise() -> None:
    rows = table((Importance("a", 0.1, 0.05, 0.15), Importance("b", -0.01, -0.03, 0.01))).rows
    assert [r[-1] for r in rows] == ["used", "noise"]
