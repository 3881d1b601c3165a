"""New raw inputs for an exported model: read by its signature alone, the training data being elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_recipe.core.errors import RecipeError
from keras_recipe.data.arrays import inputs_of, open_npz
from keras_recipe.data.columns import check_columns
from keras_recipe.data.folder import walk
from keras_recipe.data.idx import read_idx
from keras_recipe.data.parts import Reading, row_numbers
from keras_recipe.data.pictures import ImageFiles, corrupt, is_picture, undecodable
from keras_recipe.data.table import is_numbers, read_frame
from keras_recipe.problem import Rows, Signature

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

Inputs = Rows | dict[str, np.ndarray]


def read_inputs(source: str | Path | Sequence[str | Path], signature: Signature) -> tuple[Inputs, list[str]]:
    """Raw inputs as the exported model takes them, and what a person calls each of them.

    Args:
        source: for pictures a folder (read with its sub-folders), a file, a list of files, an .npz or an idx file;
            for vectors an .npz or a .csv of numbers; for tables a .csv. An .npz gives its array x, or else its first.
        signature: what the model was trained on.

    Returns:
        Inputs and ids. Pictures are Rows (n, height, width, channels) of the signature's type, vectors float32
        (n, features), tables a dict of column name to raw values (n, 1): float32 with NaN for missing numbers, str
        with "" for missing words. Ids are paths, or row numbers from "0".

    Raises:
        RecipeError: nothing there, undecodable pictures, another shape or type, a column that is missing.
    """
    paths = [Path(p).expanduser() for p in ([source] if isinstance(source, str | Path) else source)]
    gone = [p for p in paths if not p.exists()]
    if gone or not paths:
        received = f"{gone[0]}, which does not exist" if gone else "an empty list"
        raise RecipeError("existing files, or a folder", received, "check the path")
    if signature.kind == "table":
        return _table(_single(paths, {".csv"}, signature), signature)
    suffix = paths[0].suffix.lower()
    if signature.kind == "image" and len(paths) == 1 and "-ubyte" in paths[0].name:
        return _array(read_idx(paths[0]), signature, str(paths[0]))
    if signature.kind == "image" and (len(paths) > 1 or suffix != ".npz"):
        return _pictures(paths, signature)
    if suffix == ".csv":
        return _array(_matrix(paths[0]), signature, str(paths[0]))
    path = _single(paths, {".npz"}, signature)
    arrays = open_npz(path)
    if not arrays:
        raise RecipeError(
            "an .npz with an array x", f"{path}, which is empty", "write it with numpy.savez(path, x=...)"
        )
    return _array(arrays.get("x", next(iter(arrays.values()))), signature, str(path))


def _single(paths: list[Path], suffixes: set[str], signature: Signature) -> Path:
    if len(paths) == 1 and paths[0].suffix.lower() in suffixes and paths[0].is_file():
        return paths[0]
    raise RecipeError(
        f"one {' or '.join(sorted(suffixes))} for a model of kind {signature.kind}",
        ", ".join(map(str, paths[:10])),
        "give the inputs in that form",
    )


def _pictures(paths: list[Path], signature: Signature) -> tuple[Rows, list[str]]:
    if signature.dtype != "uint8":
        raise RecipeError(
            f"an .npz of {signature.dtype} pictures, as the model was trained on",
            f"{paths[0]}, picture files, whose values lie in 0..255",
            "write the pictures to an .npz in the range of the training data",
        )
    files = [p for path in paths for p in ([f for f in walk(path) if is_picture(f)] if path.is_dir() else [path])]
    if not files:
        raise RecipeError("pictures", f"{paths[0]}, which holds none", "check the path")
    height, width, channels = signature.shape
    rows = ImageFiles.of([str(p) for p in files], (height, width, channels))
    bad = undecodable(rows)
    if len(bad):
        raise corrupt([str(files[i]) for i in bad], "restore these files, or leave them out")
    return rows, [str(p) for p in files]


def _array(array: np.ndarray, signature: Signature, where: str) -> tuple[Rows, list[str]]:
    kind, x = inputs_of(array, where)
    if kind != signature.kind or tuple(x.shape[1:]) != tuple(signature.shape):
        raise RecipeError(
            f"inputs of shape (n, {', '.join(map(str, signature.shape))})",
            f"{array.shape} in {where}",
            "give inputs of the shape that the model was trained on",
        )
    return _typed(np.asarray(x), signature, where), list(row_numbers(len(x)))


def _typed(x: np.ndarray, signature: Signature, where: str) -> np.ndarray:
    if signature.dtype == "uint8" and x.dtype != np.uint8:
        whole = x.astype("uint8") if bool(((x >= 0) & (x <= 255)).all()) else None
        if whole is None or bool((whole != x).any()):
            raise RecipeError(
                "uint8 pictures, whole numbers 0..255",
                f"{x.dtype} values from {x.min()} to {x.max()} in {where}",
                "give the pictures in the range of the training data",
            )
        return whole
    return x.astype(signature.dtype, copy=False)


def _matrix(path: Path) -> np.ndarray:
    frame = read_frame(path, Reading())
    words = [n for n in frame.columns if not is_numbers(frame[n])]
    if words:
        raise RecipeError("a .csv of numbers only", f"text in column {words[0]!r} of {path}", "take that column out")
    return frame.to_numpy("float32")


def _table(path: Path, signature: Signature) -> tuple[dict[str, np.ndarray], list[str]]:
    numbers = frozenset(c.name for c in signature.columns if c.vocabulary is None)
    words = frozenset(c.name for c in signature.columns if c.vocabulary is not None)
    frame = read_frame(path, Reading(numbers=numbers, words=words))
    check_columns(signature.columns, list(frame.columns))
    return raw_columns(frame, signature), list(row_numbers(len(frame)))


def raw_columns(frame: pd.DataFrame, signature: Signature) -> dict[str, np.ndarray]:
    """Input columns of a frame, each (rows, 1): float32 numbers with NaN, or str words with "" for missing."""
    columns = {}
    for column in signature.columns:
        values = frame[column.name].to_numpy("float32" if column.vocabulary is None else None)
        columns[column.name] = (values if column.vocabulary is None else values.astype(str))[:, np.newaxis]
    return columns
