from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from keras_recipe.core.errors import RecipeError
from keras_recipe.data.labels import class_names, clean_labels, learn_labels


@pytest.mark.parametrize(
    ("y", "kind", "task"),
    [
        ([0, 1, 0, 1], "vector", "binary"),
        ([True, False], "vector", "binary"),
        (["a", "b", "c"], "vector", "multiclass"),
        ([1.0, 2.0, 3.0], "vector", "multiclass"),
        ([0.5, 1.0], "vector", "regression"),
        (list(range(21)), "vector", "regression"),
        (list(range(20)), "vector", "multiclass"),
        (list(range(100)), "image", "multiclass"),
        ([[1.0, 2.0], [3.0, 4.0]], "vector", "regression"),
        ([[1, 0], [0, 1]], "vector", "binary"),
        ([[3], [4]], "vector", "binary"),
    ],
)
def test_the_task_is_inferred_from_the_labels(y: list[Any], kind: Any, task: str) -> None:
    assert learn_labels(clean_labels(np.array(y), "the train part"), kind).task == task


def test_the_task_can_be_overridden() -> None:
    y = np.array([0, 1, 0, 1])
    assert learn_labels(y, "vector", "multiclass").task == "multiclass"
    assert learn_labels(y, "vector", "regression").targets == 1
    assert len(learn_labels(np.arange(30), "vector", "multiclass").classes) == 30


def test_classes_are_sorted_whole_numbers_by_size() -> None:
    assert class_names([10, 9, 1]) == ("1", "9", "10")
    assert class_names(["10", "9", "-1"]) == ("-1", "9", "10")
    assert class_names(["b", "a", "10"]) == ("10", "a", "b")
    assert class_names([2.0, 1.5]) == ("1.5", "2")


def test_labels_become_class_indices() -> None:
    labels = learn_labels(np.array(["b", "a", "c"]), "vector")
    encoded = labels.encode(np.array(["c", "a", " b "]))
    assert encoded.tolist() == [2, 0, 1]
    assert encoded.dtype == np.int32


def test_numbers_and_their_texts_are_the_same_class() -> None:
    labels = learn_labels(np.array([0, 1, 2]), "vector")
    assert labels.encode(np.array([2.0, 0.0])).tolist() == [2, 0]
    assert labels.encode(np.array(["2", "0"])).tolist() == [2, 0]


def test_targets_become_a_float32_matrix() -> None:
    y = np.array([0.5, 1.5])
    encoded = learn_labels(y, "vector").encode(y)
    assert encoded.shape == (2, 1)
    assert encoded.dtype == np.float32


def test_labels_outside_the_classes_are_listed_with_the_nearest_ones() -> None:
    labels = learn_labels(np.array(["cat", "dog"]), "image")
    with pytest.raises(RecipeError, match="'cats', 'doge' in the test part") as caught:
        labels.encode(np.array(["cats", "dog", "doge"]), "test")
    assert "'cats' to 'cat'" in str(caught.value)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array([1.0, np.nan, np.inf]), r"2 NaN or infinite in the train part \(row '1', '2'"),
        (np.array(["a", None, float("nan"), ""], dtype=object), "3 missing in the train part .row '1', '2', '3'"),
        (np.zeros((2, 2, 2)), "shape"),
        (np.array(["a", ""]), "1 missing"),
    ],
)
def test_missing_and_misshapen_labels_are_refused(y: np.ndarray, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        clean_labels(y, "the train part")


def test_object_labels_become_plain_ones() -> None:
    assert clean_labels(np.array([1, 2.5], dtype=object), "the train part").dtype == np.float64
    assert clean_labels(np.array([b"a", b"b"], dtype=object), "the train part").tolist() == ["a", "b"]
    assert clean_labels(np.array([b"a", b"b"]), "the train part").tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("y", "task", "message"),
    [
        ([1, 1], None, "one class only: '1'"),
        ([1, 2, 3], "binary", "two classes for a binary task"),
        ([1, 2], "multi", "use 'multiclass', the nearest"),
        ([[1.0, 2.0], [2.0, 3.0]], "multiclass", "one class label an example"),
    ],
)
def test_impossible_tasks_are_refused(y: list[Any], task: str | None, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        learn_labels(np.array(y), "vector", task)


def test_text_as_a_regression_target_is_refused() -> None:
    labels = learn_labels(np.array(["1", "x"]), "table", "regression")
    with pytest.raises(RecipeError, match="'x'"):
        labels.encode(np.array(["1", "x"]))
