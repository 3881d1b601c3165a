from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from keras_recipe.core.errors import RecipeError
from keras_recipe.data import load
from keras_recipe.problem import Problem

Real = Callable[[str], Path]


def sizes(problem: Problem) -> list[int]:
    return [len(s) for s in (problem.train, problem.validation, problem.test)]


def test_fashion_mnist_keeps_its_official_test_part(real: Real) -> None:
    problem = load(real("fashion_mnist"))
    assert sizes(problem) == [51_000, 9_000, 10_000]
    assert (problem.signature.shape, problem.signature.dtype) == ((28, 28, 1), "uint8")
    assert np.bincount(problem.test.y).tolist() == [1000] * 10
    assert np.bincount(problem.validation.y).tolist() == [900] * 10


def test_flowers_are_photos_of_five_classes(real: Real) -> None:
    problem = load(real("flowers"), image_size=32)
    assert problem.signature.classes == ("daisy", "dandelion", "roses", "sunflowers", "tulips")
    assert sum(sizes(problem)) == 3_670
    assert problem.train.x.shape[1:] == (32, 32, 3)
    assert [(f.severity, f.evidence["paths"]) for f in problem.findings] == [("info", ["LICENSE.txt"])]


def test_adult_has_no_header_and_missing_cells(real: Real) -> None:
    problem = load(real("tabular/adult-train.csv"), target="14")
    assert (problem.signature.task, problem.signature.classes) == ("binary", ("<=50K", ">50K"))
    assert sum(sizes(problem)) == 32_561
    assert [f.cause for f in problem.findings] == ["missing"]
    assert np.isfinite(problem.train.x[:]).all()


def test_the_dotted_labels_of_the_adult_test_file_are_listed(real: Real) -> None:
    with pytest.raises(RecipeError, match=r"'<=50K\.', '>50K\.' in the test part"):
        load(real("tabular/adult-train.csv"), target="14", test=real("tabular/adult-test.csv"))


def test_california_is_a_regression(real: Real) -> None:
    problem = load(real("tabular/california_housing.csv"), target="median_house_value")
    assert (problem.signature.task, problem.objective.metric, sum(sizes(problem))) == ("regression", "rmse", 20_640)
    assert [c.name for c in problem.signature.columns if c.missing] == ["total_bedrooms"]


def test_titanic_mixes_numbers_words_and_gaps(real: Real) -> None:
    problem = load(real("tabular/titanic.csv"), target="survived")
    assert (problem.signature.task, sum(sizes(problem))) == ("binary", 891)
    assert [c.name for c in problem.signature.columns if c.missing] == ["age"]
