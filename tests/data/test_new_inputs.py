from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from keras_recipe.core.errors import RecipeError
from keras_recipe.data import load
from keras_recipe.data.columns import encode
from keras_recipe.data.new_inputs import read_inputs
from keras_recipe.problem import Signature

PICTURE = Signature("image", "binary", (20, 30, 3), "uint8", ("a", "b"))
VECTOR = Signature("vector", "binary", (4,), "float32", ("a", "b"))


def test_pictures_are_those_that_the_model_was_trained_on(photos: Callable[..., Path]) -> None:
    folder = photos({"a": 6, "b": 6}, size=(70, 50))
    problem = load(folder)
    x, ids = read_inputs(folder, problem.signature)
    assert not isinstance(x, dict)
    assert ids == [str(folder / c / f"{i:03}.png") for c in "ab" for i in range(6)]
    rows = [ids.index(str(folder / i)) for i in problem.train.ids]
    np.testing.assert_array_equal(x[np.array(rows)], problem.train.x[:])


def test_files_and_flat_folders_are_read_in_order(photos: Callable[..., Path]) -> None:
    folder = photos({"a": 3}) / "a"
    flat, ids = read_inputs(folder, PICTURE)
    assert flat.shape == (3, 20, 30, 3)  # type: ignore[union-attr]
    some, names = read_inputs([ids[2], Path(ids[0])], PICTURE)
    assert names == [ids[2], ids[0]]
    np.testing.assert_array_equal(some[:], flat[:][[2, 0]])  # type: ignore[index]
    one, names = read_inputs(ids[1], PICTURE)
    assert names == [ids[1]]
    np.testing.assert_array_equal(one[:], flat[:][[1]])  # type: ignore[index]


def test_arrays_are_brought_to_the_type_of_training(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (5, 20, 30, 3))
    np.savez(tmp_path / "pictures.npz", y=np.arange(5), x=x.astype("float64"))
    pictures, ids = read_inputs(tmp_path / "pictures.npz", PICTURE)
    assert pictures.dtype == np.uint8  # type: ignore[union-attr]
    np.testing.assert_array_equal(pictures[:], x)  # type: ignore[index]
    assert ids == ["0", "1", "2", "3", "4"]
    np.savez(tmp_path / "vectors.npz", np.ones((2, 4)))
    assert read_inputs(tmp_path / "vectors.npz", VECTOR)[0].dtype == np.float32  # type: ignore[union-attr]


def test_a_table_gives_raw_values_that_encode_as_in_training(tmp_path: Path) -> None:
    lines = [f"{'' if i == 4 else i},{('red', 'blue', '?')[i % 3]},{i % 2}" for i in range(30)]
    path = tmp_path / "table.csv"
    path.write_text("size,colour,y\n" + "\n".join(lines))
    problem = load(path)
    raw, ids = read_inputs(path, problem.signature)
    assert isinstance(raw, dict)
    assert list(raw) == ["size", "colour"]
    assert raw["size"].dtype == np.float32
    assert raw["size"].shape == raw["colour"].shape == (30, 1)
    assert np.isnan(raw["size"][4, 0])
    assert raw["colour"][:3, 0].tolist() == ["red", "blue", ""]
    assert raw["colour"].dtype.kind == "U"
    frame = pd.DataFrame({name: values[:, 0] for name, values in raw.items()})
    rows = [ids.index(i) for i in problem.train.ids]
    np.testing.assert_array_equal(encode(problem.signature.columns, frame)[rows], problem.train.x[:])


def test_the_target_column_and_the_order_of_columns_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("size,colour,y\n" + "\n".join(f"{i},{('1', 'x')[i % 2]},{i % 2}" for i in range(30)))
    signature = load(path).signature
    (tmp_path / "new.csv").write_text("other,colour,size\na,1,7\nb,1,8")
    raw, ids = read_inputs(tmp_path / "new.csv", signature)
    assert isinstance(raw, dict)
    assert (raw["size"].tolist(), raw["colour"].tolist(), ids) == ([[7.0], [8.0]], [["1"], ["1"]], ["0", "1"])


@pytest.mark.parametrize(
    ("text", "message"),
    [("size\n1", "without colour"), ("size,colour\nbig,red", "'size'.\nReceived 'big'")],
)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text("size,colour,y\n" + "\n".join(f"{i},{('red', 'blue')[i % 2]},{i % 2}" for i in range(30)))
    signature = load(path).signature
    path.write_text(text)
    with pytest.raises(RecipeError, match=message):
        read_inputs(path, signature)


def test_inputs_that_do_not_fit_are_refused(tmp_path: Path, photos: Callable[..., Path]) -> None:
    np.savez(tmp_path / "small.npz", x=np.zeros((2, 3)))
    np.savez(tmp_path / "half.npz", x=np.full((2, 20, 30, 3), 0.5))
    folder = photos({"a": 2})
    with pytest.raises(RecipeError, match=r"shape \(n, 4\)"):
        read_inputs(tmp_path / "small.npz", VECTOR)
    with pytest.raises(RecipeError, match=r"half\.npz"):
        read_inputs(tmp_path / "half.npz", PICTURE)
    with pytest.raises(RecipeError, match="float32 pictures"):
        read_inputs(folder, dataclasses.replace(PICTURE, dtype="float32"))
    with pytest.raises(RecipeError, match="does not exist"):
        read_inputs(tmp_path / "none.npz", VECTOR)
    with pytest.raises(RecipeError, match=r"\.npz for a model of kind vector"):
        read_inputs(folder, VECTOR)
    (folder / "a" / "000.png").write_text("no picture")
    with pytest.raises(RecipeError, match=r"1 undecodable: .*a/000\.png"):
        read_inputs(folder, PICTURE)
