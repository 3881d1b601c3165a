"""Shared fixtures: where the real data is, and a study on a toy problem."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

if TYPE_CHECKING:
    from keras_recipe.problem import Problem
    from keras_recipe.study import Study

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def stripes() -> Problem:
    """Small pictures of three kinds of stripes."""
    from keras_recipe.data.toys import stripes

    return stripes()


@pytest.fixture(scope="session")
def blobs() -> Problem:
    """Three clouds of points."""
    from keras_recipe.data.toys import blobs

    return blobs()


@pytest.fixture(scope="session")
def line() -> Problem:
    """A regression."""
    from keras_recipe.data.toys import line

    return line()


@pytest.fixture
def study(blobs: Problem, tmp_path: Path) -> Iterator[Study]:
    """A study of the points, with an empty journal."""
    from keras_recipe.recipe import Recipe

    with Recipe(blobs, tmp_path).study() as opened:
        yield opened
