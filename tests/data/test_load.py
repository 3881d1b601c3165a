from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_recipe.core.errors import RecipeError
from keras_recipe.data import load, toys

PROJECT = Path(__file__).resolve().parents[2]
X = np.random.default_rng(0).normal(size=(90, 4)).astype("float32")
Y = np.arange(90) % 3


def heavy_modules(code: str) -> list[str]:
    """Names of the heavy modules that are imported after this code has run in a new process."""
    script = (
        f"import sys; from keras_recipe import data; {code}; print(*({{'tensorflow', 'keras'}} & {{*sys.modules}}))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=PROJECT)
    return run.stdout.split()


def test_importing_the_package_imports_neither_tensorflow_nor_keras() -> None:
    assert heavy_modules("data.load") == []


def test_arrays_and_tables_are_loaded_without_tensorflow(table: Callable[..., Path]) -> None:
    path = table("a,y\n" + "\n".join(f"{i},{i % 2}" for i in range(30)))
    assert heavy_modules(f"data.load({str(path)!r}); data.load('digits')") == []


def test_digits_are_pictures_in_their_raw_range() -> None:
    problem = load("digits")
    assert problem.signature.shape == (8, 8, 1)
    assert problem.signature.classes == tuple("0123456789")
    assert (problem.signature.kind, problem.signature.dtype) == ("image", "float32")
    assert problem.train.x[:].max() == 16
    assert [len(s) for s in (problem.train, problem.validation, problem.test)] == [1257, 270, 270]


def test_metric_loss_and_task_can_be_chosen() -> None:
    problem = load((X, Y), metric="log_loss", human_score=0.1, name="mine")
    assert (problem.objective.metric, problem.objective.higher_is_better) == ("log_loss", False)
    assert (problem.name, problem.human_score) == ("mine", 0.1)
    assert load((X, Y), task="regression", loss="huber").loss == "huber"
    with pytest.raises(RecipeError, match="'accuracy', the nearest"):
        load((X, Y), metric="acuracy")


def test_given_test_data_is_the_test_split_in_its_order() -> None:
    problem = load((X, Y), test=(X[:10] + 1, Y[:10]))
    np.testing.assert_array_equal(problem.test.x[:], X[:10] + 1)
    assert len(problem.train) + len(problem.validation) == 90
    assert "test given" in problem.split_by


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ((X[:9, :3], Y[:9]), r"\(3,\) and float32 in the test part"),
        ((np.zeros((9, 4, 4), "uint8"), Y[:9]), "in the test part"),
        ((X[:9], Y[:9] + 1), "'3' in the test part"),
        ((np.zeros((9, 4, 4, 1), "uint8"), Y[:9]), r"\(4, 4, 1\) and uint8 in the test part"),
        ((X[:9], Y[:8]), "9 inputs and 8 labels"),
        (1.5, "test share"),
        (None, "NoneType"),
    ],
)
def test_given_parts_that_do_not_fit_are_refused(test: Any, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load((X, Y), test=test)


def test_groups_stay_together() -> None:
    groups = np.arange(90) // 6
    problem = load((X, Y), groups=groups, seed=3)
    members = [{groups[int(i)] for i in s.ids} for s in (problem.train, problem.validation, problem.test)]
    assert sum(map(len, members)) == 15
    assert problem.split_by == "groups, seed 3"


def test_time_trains_on_the_earliest_rows() -> None:
    time = np.random.default_rng(1).permutation(90)
    problem = load((X, Y), time=time)
    parts = [time[[int(i) for i in s.ids]] for s in (problem.train, problem.validation, problem.test)]
    assert parts[0].max() < parts[1].min() <= parts[1].max() < parts[2].min()


def test_a_class_that_time_leaves_out_of_training_is_reported() -> None:
    late = np.where(np.arange(90) < 80, Y % 2, 2)
    problem = load((X, late), time=np.arange(90))
    assert [f.evidence["classes"] for f in problem.findings if f.cause == "classes"] == [["2"]]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"groups": np.arange(5)}, "90 groups"),
        ({"time": [1.0, float("nan")] * 45}, "45 empty"),
        ({"time": "when"}, "'when'"),
        ({"time": ["yesterday"] * 90}, "dates"),
        ({"groups": np.arange(90), "time": np.arange(90)}, "not both"),
    ],
)
def test_unsuitable_groups_and_times_are_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load((X, Y), **keys)


def test_the_fingerprint_is_that_of_the_content() -> None:
    base = load((X, Y)).fingerprint
    other = X.copy()
    other[4, 2] += 1e-3
    assert load((X.copy(), Y.copy())).fingerprint == base
    changed = [
        load((other, Y)),
        load((X, Y[::-1])),
        load((X, Y), seed=1),
        load((X, Y), test=0.2),
        load((X, Y), metric="log_loss"),
        load((X, Y), task="regression"),
        load((X, Y), test=(X[:9], Y[:9])),
    ]
    assert len({base, *(p.fingerprint for p in changed)}) == len(changed) + 1


def test_the_fingerprint_covers_every_target() -> None:
    y = X[:, 0].copy()
    before = load((X, y)).fingerprint
    y[7] += 1e-3
    assert load((X, y)).fingerprint != before


def test_pictures_in_another_range_are_no_test_part() -> None:
    pictures = np.zeros((90, 4, 4), "uint8")
    with pytest.raises(RecipeError, match="float32 in the test part"):
        load((pictures, Y), test=(pictures[:9] / 255, Y[:9]))


def test_whole_numbers_taken_for_a_quantity_are_reported() -> None:
    problem = load((X, np.arange(90)))
    assert problem.signature.task == "regression"
    assert [f.severity for f in problem.findings if f.cause == "task"] == ["info"]
    assert load((X, np.arange(90)), task="regression").findings == ()


def test_toys_are_learnable_problems_of_each_kind() -> None:
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    blobs, stripes, line = toys.blobs(), toys.stripes(), toys.line()
    assert [p.signature.kind for p in (blobs, stripes, line)] == ["vector", "image", "vector"]
    assert LogisticRegression().fit(blobs.train.x[:], blobs.train.y).score(blobs.test.x[:], blobs.test.y) > 0.9
    flat = [s.x[:].reshape(len(s), -1) for s in (stripes.train, stripes.test)]
    assert KNeighborsClassifier(1).fit(flat[0], stripes.train.y).score(flat[1], stripes.test.y) > 0.8
    assert LinearRegression().fit(line.train.x[:], line.train.y).score(line.test.x[:], line.test.y) > 0.99
    assert toys.blobs(seed=1).fingerprint != blobs.fingerprint


def test_what_has_no_label_is_left_out_and_told_where_one_only_looks(tmp_path: Path) -> None:
    rows = [f"{i},{'ab'[i % 2] if i not in (3, 8) else ''}" for i in range(40)]
    (tmp_path / "rows.csv").write_text("\n".join(["x,y", *rows]))
    problem = load(tmp_path / "rows.csv", tolerant=True)
    ids = {str(i) for part in (problem.train, problem.validation, problem.test) for i in part.ids}
    assert ids == {str(i) for i in range(40)} - {"3", "8"}
    assert [f.evidence["examples"] for f in problem.findings if f.severity == "error"] == [["3", "8"]]
    with pytest.raises(RecipeError, match="2 missing"):
        load(tmp_path / "rows.csv")
    y = np.where(np.arange(40) < 2, np.nan, np.arange(40) % 2)
    arrays = load((np.zeros((40, 3)), y), tolerant=True)
    assert sum(len(part) for part in (arrays.train, arrays.validation, arrays.test)) == 38


def test_a_class_too_small_to_be_split_is_told_where_one_only_looks() -> None:
    x, y = np.random.default_rng(0).normal(size=(42, 3)), np.array([0] * 20 + [1] * 20 + [2] * 2)
    problem = load((x, y), tolerant=True)
    assert np.bincount(problem.train.y, minlength=3)[2] == 2
    assert "2 (2)" in next(f for f in problem.findings if f.severity == "error").message
    with pytest.raises(RecipeError, match="at least 3 examples of each class"):
        load((x, y))
