"""From anything that holds data to a Source: which reader reads it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from keras_recipe.core.errors import RecipeError
from keras_recipe.data.arrays import part_of_arrays, read_dict, read_npz
from keras_recipe.data.folder import read_folder
from keras_recipe.data.idx import idx_files, read_idx_folder
from keras_recipe.data.named import read_named
from keras_recipe.data.parts import Part, Reading, Source
from keras_recipe.data.stream import is_dataset, read_datasets
from keras_recipe.data.table import like, read_table


def read_source(source: Any, reading: Reading) -> Source:
    """Read a source of any of the forms that `keras_recipe.data.load` takes. Raises RecipeError."""
    if isinstance(source, str | Path):
        return _read_path(Path(source).expanduser(), str(source), reading)
    if isinstance(source, dict):
        return read_dict(source, "arrays", "the dict", tolerant=reading.tolerant)
    if is_dataset(source):
        return read_datasets((source,), reading)
    if isinstance(source, tuple | list) and 1 <= len(source) <= 3 and all(map(is_dataset, source)):
        return read_datasets(tuple(source), reading)
    if isinstance(source, tuple | list) and len(source) == 2:
        kind, part = part_of_arrays(source[0], source[1], "train", tolerant=reading.tolerant)
        return Source("arrays", kind, {"train": part})
    raise RecipeError(
        "a path, a name, (x, y), a dict of arrays, or tf.data.Datasets of (x, y)",
        type(source).__name__,
        "give the data in one of these forms",
    )


def add_part(read: Source, name: str, source: Any, reading: Reading) -> Source:
    """The source with one more part, read like its training part from a place of its own.

    Raises RecipeError where that place holds nothing that fits.
    """
    part = _one_part(read_source(source, _like(read, reading)), name)
    return dataclasses.replace(read, parts=read.parts | part.parts, findings=(*read.findings, *part.findings))


def check_alike(read: Source) -> None:
    """Raise RecipeError if the inputs of the parts differ in shape or type."""
    if read.kind == "table":
        return
    train = read.parts["train"].x
    for name, part in read.parts.items():
        if part.x.shape[1:] != train.shape[1:] or part.x.dtype != train.dtype:
            raise RecipeError(
                f"inputs of shape {tuple(train.shape[1:])} and type {train.dtype}, as in the training part",
                f"{tuple(part.x.shape[1:])} and {part.x.dtype} in the {name} part",
                "bring all parts to one shape and type",
            )


def _like(read: Source, reading: Reading) -> Reading:
    train: Any = read.parts["train"]
    if read.kind == "table":
        return like(reading, train.x, read.target, train.y)
    return dataclasses.replace(reading, like=tuple(train.x.shape[1:]) if read.kind == "image" else None)


def _one_part(read: Source, name: str) -> Source:
    """Of a source with parts of its own the one of this name, of any other all there is."""
    if name not in read.parts and len(read.parts) > 1:
        raise RecipeError(
            f"one part to be used for {name}",
            f"{', '.join(read.parts)} in {read.name}",
            f"add a {name} part, or give one folder",
        )
    chosen: Part = read.parts.get(name, read.parts["train"])
    return dataclasses.replace(read, parts={name: chosen})


def _read_path(path: Path, given: str, reading: Reading) -> Source:
    if path.is_dir():
        return read_idx_folder(path) if idx_files(path) else read_folder(path, reading)
    if not path.exists():
        return read_named(given)
    readers = {".npz": lambda: read_npz(path, tolerant=reading.tolerant), ".csv": lambda: read_table(path, reading)}
    if path.suffix.lower() not in readers:
        raise RecipeError(
            "a folder, an .npz or a .csv", f"{given}, a file of another kind", "convert the data to one of these"
        )
    return readers[path.suffix.lower()]()
