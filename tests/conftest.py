"""Shared fixtures: where the real data is, and a study on a toy problem."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Tests run side by side, a process a core: with several threads each they wait for one another.
for threads in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

if TYPE_CHECKING:
    from keras_recipe.problem import Problem
    from keras_recipe.recipe import Result
    from keras_recipe.study import Study
    from tests.views.browser import Browser

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def real() -> Callable[[str], Path]:
    """Path below the folder of real data; the test is skipped where it is missing."""

    def find(name: str) -> Path:
        root = Path(os.environ.get("KERAS_RECIPE_DATA", ROOT.parent / "shared" / "data"))
        if not (root / name).exists():
            pytest.skip(f"{root / name} is missing (set KERAS_RECIPE_DATA)")
        return root / name

    return find


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


@pytest.fixture(scope="session")
def binary() -> Problem:
    """Two clouds, their classes words."""
    import numpy as np

    from keras_recipe.data import load

    generator = np.random.default_rng(0)
    y = np.arange(120) % 2
    x = generator.normal(size=(120, 3)) + 2 * y[:, None]
    return load((x.astype("float32"), np.array(["bad", "good"])[y]), name="binary")


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Problem:
    """A .csv with words and missing cells."""
    import numpy as np

    from keras_recipe.data import load

    path = tmp_path_factory.mktemp("table") / "table.csv"
    generator = np.random.default_rng(0)
    with path.open("w") as file:
        file.write("age,city,income,class\n")
        for row in range(150):
            age, city = generator.uniform(20, 70), ["Rome", "Oslo", "Bern"][row % 3]
            label = "yes" if (age > 45) != (city == "Oslo") else "no"
            shown = "" if row % 10 == 0 else f"{age:.1f}"
            file.write(f"{shown},{'' if row % 13 == 0 else city},{generator.normal(30_000, 5_000):.0f},{label}\n")
    return load(path, target="class")


@pytest.fixture(scope="session")
def finished(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[Problem, Result]]:
    """A short finished run of a toy problem: stripes, blobs, binary, line or table. Each is run once."""
    from keras_recipe.recipe import Recipe

    directory = tmp_path_factory.mktemp("finished")
    known: dict[str, tuple[Problem, Result]] = {}

    def run(name: str) -> tuple[Problem, Result]:
        if name not in known:
            problem = request.getfixturevalue(name)
            model = "small_cnn(width=4)" if name == "stripes" else "mlp(depth=1, width=16)"
            known[name] = problem, Recipe(problem, directory / name, 300.0, model=model, moves=()).run()
        return known[name]

    return run


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium without a window; the test is skipped where none is installed."""
    from tests.views.browser import PROGRAM, Browser

    if PROGRAM is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    with Browser() as opened:
        yield opened
