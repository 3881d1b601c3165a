"""`inspect` alone: what it leaves, and whom it leaves alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from keras_recipe.core.errors import RecipeError
from keras_recipe.data import load
from keras_recipe.inspection import inspect
from keras_recipe.problem import Problem
from keras_recipe.recipe import Result

Finished = Callable[[str], tuple[Problem, Result]]


def test_a_look_does_not_cost_anybody_a_run(finished: Finished, tmp_path: Path) -> None:
    problem, result = finished("blobs")
    with pytest.raises(RecipeError, match="a run of `train`"):
        inspect(problem, result.directory)
    assert result.model_path.is_file()


@pytest.mark.parametrize("name", ["report.html", "artifacts", "tensorboard", "suspects.csv"])
def test_a_look_leaves_the_files_of_others_alone(blobs: Problem, tmp_path: Path, name: str) -> None:
    if "." in name:
        (tmp_path / name).write_text("mine")
    else:
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine").write_text("mine")
    with pytest.raises(RecipeError, match=name):
        inspect(blobs, tmp_path)
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 1


def test_a_look_at_other_data_is_not_overwritten(blobs: Problem, tmp_path: Path) -> None:
    inspect(blobs, tmp_path)
    with pytest.raises(RecipeError, match=f"a look at {blobs.name}"):
        inspect(dataclasses.replace(blobs, name="others"), tmp_path)


def test_decisions_go_where_the_look_goes(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    arrays = np.concatenate([generator.normal(size=(60, 3)), np.zeros((4, 3))]).astype("float32"), np.arange(64) % 2
    inspect(load(arrays), tmp_path / "first")
    path = tmp_path / "first" / "suspects.csv"
    path.write_text(path.read_text().replace("\n,", "\nkeep,", 1))
    inspect(load(arrays, edits=path), tmp_path / "second", edits=path)
    assert (tmp_path / "second" / "suspects.csv").read_text().count("keep,") == 1


def test_a_second_look_starts_over_and_keeps_the_decisions(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    x = np.concatenate([generator.normal(size=(60, 3)), np.zeros((4, 3))]).astype("float32")
    problem = load((x, np.arange(64) % 2))
    first = inspect(problem, tmp_path)
    path = tmp_path / "suspects.csv"
    path.write_text(path.read_text().replace("\n,", "\ndrop,", 1))
    assert [r.check for r in inspect(problem, tmp_path)] == [r.check for r in first]
    assert path.read_text().count("drop,") == 1
    edited = load((x, np.arange(64) % 2), edits=path)
    assert sum(map(len, (edited.train, edited.validation, edited.test))) == 63
