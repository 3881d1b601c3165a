from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_recipe.core.errors import RecipeError
from keras_recipe.data import load

X = np.random.default_rng(0).integers(0, 256, (700, 6, 5, 3), dtype="uint8")
Y = np.arange(700) % 3


def dataset(x: Any = X, y: Any = Y) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((x, y))


@pytest.mark.parametrize("source", [dataset(), dataset().batch(32), dataset().batch(70, drop_remainder=True)])
def test_a_dataset_is_read_like_its_arrays(source: tf.data.Dataset) -> None:
    expected, problem = load((X, Y)), load(source)
    assert problem.fingerprint == expected.fingerprint
    np.testing.assert_array_equal(problem.train.x[:], expected.train.x[:])


def test_vectors_and_one_hot_labels_are_recognised_batched_or_not() -> None:
    vectors, labels = X[:, :, 0, 0].astype("float32"), np.eye(3, dtype="float32")[Y]
    for source in (dataset(vectors, labels), dataset(vectors, labels).batch(64)):
        assert load(source).fingerprint == load((vectors, Y)).fingerprint


def test_what_exceeds_memory_is_mapped_from_a_file(tmp_path: Path) -> None:
    expected, problem = load((X, Y)), load(dataset().batch(64), memory=20_000, cache=tmp_path)
    assert expected.train.in_memory
    assert not problem.train.in_memory
    assert problem.fingerprint == expected.fingerprint
    rows = np.array([9, 3, 3, 100])
    np.testing.assert_array_equal(problem.train.x[rows], expected.train.x[rows])
    np.testing.assert_array_equal(np.load(tmp_path / "train.npy"), X)
    assert [p.name for p in tmp_path.iterdir()] == ["train.npy"]


def test_a_temporary_file_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    problem = load(dataset().batch(64), memory=20_000)
    assert list(tmp_path.iterdir()) == []
    assert problem.test.x[:].shape == (len(problem.test), 6, 5, 3)


def test_a_failing_dataset_leaves_no_trace(tmp_path: Path) -> None:
    def check(x: Any, y: Any) -> Any:
        with tf.control_dependencies([tf.debugging.assert_less(tf.reduce_max(y), tf.constant(699, y.dtype))]):
            return tf.identity(x), y

    source = dataset(X, np.arange(700)).batch(64).map(check)
    with pytest.raises(RecipeError, match="can be read"):
        load(source, memory=20_000, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_tuple_of_datasets_gives_the_parts() -> None:
    problem = load((dataset().batch(50), dataset(X[:60], Y[:60]), dataset(X[:30], Y[:30]).batch(8)))
    assert [len(s) for s in (problem.train, problem.validation, problem.test)] == [700, 60, 30]
    two = load((dataset().batch(50), dataset(X[:60], Y[:60])), test=0.1)
    assert [len(s) for s in (two.train, two.validation, two.test)] == [630, 60, 70]
    np.testing.assert_array_equal(two.validation.x[:], X[:60])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (dataset().repeat(), "endless"),
        (dataset().take(0), "empty dataset"),
        (tf.data.Dataset.from_tensor_slices(X), "pairs"),
        (tf.data.Dataset.from_tensor_slices(({"a": X}, Y)), "pairs"),
        (dataset().map(lambda x, y: (x[: 1 + y % 3], y)), "batched"),
        (dataset(np.full((700, 4), np.nan), Y), "NaN"),
    ],
)
def test_unsuitable_datasets_are_refused(source: tf.data.Dataset, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load(source)
