from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_recipe.core.errors import RecipeError
from keras_recipe.data import load

Y = np.arange(60) % 3


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype="uint8")


@pytest.mark.parametrize(
    ("x", "kind", "shape", "dtype"),
    [
        (pixels(60, 8, 9), "image", (8, 9, 1), "uint8"),
        (pixels(60, 8, 9, 3), "image", (8, 9, 3), "uint8"),
        (pixels(60, 8, 9, 1) / 255, "image", (8, 9, 1), "float32"),
        (pixels(60, 7), "vector", (7,), "float32"),
        (pixels(60, 7) / 3, "vector", (7,), "float32"),
    ],
)
def test_the_kind_follows_from_the_shape(x: np.ndarray, kind: str, shape: tuple[int, ...], dtype: str) -> None:
    problem = load((x, Y))
    assert (problem.signature.kind, problem.signature.shape, problem.signature.dtype) == (kind, shape, dtype)
    assert problem.train.x.dtype == dtype
    assert problem.train.in_memory


def test_rows_labels_and_ids_stay_together() -> None:
    x = np.arange(60, dtype="float32")[:, np.newaxis]
    problem = load((x, Y))
    for part in (problem.train, problem.validation, problem.test):
        rows = part.x[:][:, 0].astype(int)
        assert [part.ids[i] for i in range(len(part))] == [str(r) for r in rows]
        np.testing.assert_array_equal(part.y, Y[rows])


def test_an_npz_is_read_under_each_of_its_names(tmp_path: Path) -> None:
    x = pixels(60, 5)
    for names in ({"x": x, "y": Y}, {"X": x, "y": Y}, {"x_train": x, "y_train": Y}):
        np.savez(tmp_path / "data.npz", **names)
        assert len(load(tmp_path / "data.npz").train) == 42


def test_parts_of_an_npz_are_used_as_given(tmp_path: Path) -> None:
    x = pixels(60, 5)
    np.savez(tmp_path / "data.npz", x_train=x, y_train=Y, x_val=x[:9], y_val=Y[:9], x_test=x[:6], y_test=Y[:6])
    problem = load(str(tmp_path / "data.npz"))
    assert [len(s) for s in (problem.train, problem.validation, problem.test)] == [60, 9, 6]
    assert problem.split_by == "given"
    np.testing.assert_array_equal(problem.test.x[:], x[:6].astype("float32"))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ((pixels(60, 5), Y[:-1]), "60 inputs and 59 labels"),
        ((pixels(60, 5, 5, 4), Y), r"\(60, 5, 5, 4\)"),
        ((pixels(60), Y), r"\(60,\)"),
        ((np.array([["a"]] * 60), Y), "<U1"),
        ({"a": Y, "b": Y}, "a, b in the dict"),
        (({}, []), "dtype object"),
        (3, "int"),
        ("digit", "'digits', the nearest"),
        ("no/such/place", "'no/such/place'"),
    ],
)
def test_unsuitable_sources_are_refused(source: Any, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load(source)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_are_counted_and_located(value: float) -> None:
    x = np.zeros((60, 4), "float32")
    x[[7, 33], 2] = value
    with pytest.raises(RecipeError, match=r"2 rows of the train part \(7, 33\)"):
        load((x, Y))


def test_an_npz_with_objects_or_damage_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "objects.npz", x=np.array([{}, {}], dtype=object), y=np.arange(2))
    (tmp_path / "damaged.npz").write_bytes(b"PK\x03\x04 no archive")
    (tmp_path / "empty.npz").write_bytes(b"")
    for name in ("objects.npz", "damaged.npz", "empty.npz"):
        with pytest.raises(RecipeError, match=name):
            load(tmp_path / name)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.xlsx").write_bytes(b"")
    with pytest.raises(RecipeError, match=r"data\.xlsx"):
        load(tmp_path / "data.xlsx")


def write_idx(path: Path, array: np.ndarray) -> None:
    path.write_bytes(gzip.compress(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()))


def idx_folder(folder: Path) -> Path:
    for prefix, n in (("train", 60), ("t10k", 12)):
        write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", pixels(n, 6, 7))
        write_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", Y[:n].astype("uint8"))
    return folder


def test_idx_files_are_read_and_their_test_part_is_kept(tmp_path: Path) -> None:
    problem = load(idx_folder(tmp_path))
    assert [len(s) for s in (problem.train, problem.validation, problem.test)] == [51, 9, 12]
    np.testing.assert_array_equal(problem.test.x[:], pixels(12, 6, 7)[..., np.newaxis])
    np.testing.assert_array_equal(problem.test.y, Y[:12])


def test_a_damaged_idx_file_is_named(tmp_path: Path) -> None:
    path = idx_folder(tmp_path) / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(RecipeError, match="train-images"):
        load(tmp_path)


def test_a_failed_download_names_the_local_alternative(monkeypatch: pytest.MonkeyPatch) -> None:
    keras = pytest.importorskip("keras")

    def fail() -> None:
        raise Exception("URL fetch failure")  # what keras raises

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    with pytest.raises(RecipeError, match="local folder") as caught:
        load("mnist")
    assert "URL fetch failure" in str(caught.value)
