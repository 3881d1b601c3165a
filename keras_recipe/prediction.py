"""Predictions of an exported model for new data, as a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from keras_recipe import exported
from keras_recipe.core.whole import whole
from keras_recipe.data.new_inputs import read_inputs
from keras_recipe.directory import MODEL, unwritable
from keras_recipe.problem import Signature

_ROWS = 4096
"""Predictions that are in memory at a time."""


def predict_to_csv(directory: Path, inputs: Sequence[Path], out: Path) -> int:
    """Write one line an example: its path or row number, the prediction, the probability of each class.

    Returns:
        the number of examples.

    Raises:
        RecipeError: there is no model, the inputs are not what it takes, or `out` cannot be written.
    """
    model, signature = exported.load(directory / MODEL if directory.is_dir() else directory)
    new, ids = read_inputs(list(inputs), signature)
    try:
        with whole(out) as draft, draft.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(_header(signature, files=not ids or ids[0] != "0"))
            for part, names in _parts(new, ids):
                writer.writerows(_lines(signature, exported.predict(model, part), names))
    except OSError as error:
        raise unwritable(out, error) from error
    return len(ids)


def _header(signature: Signature, files: bool) -> list[str]:
    first = "path" if files and signature.kind == "image" else "row"
    predictions = ["prediction"]
    if signature.targets > 1:
        predictions = [f"prediction {i}" for i in range(signature.targets)]
    return [first, *predictions, *signature.classes]


def _lines(signature: Signature, predicted: np.ndarray, names: Sequence[str]) -> Iterator[list[str]]:
    for name, values in zip(names, predicted, strict=True):
        best = [signature.classes[int(values.argmax())]] if signature.classes else []
        yield [name, *best, *(f"{v:.6g}" for v in values)]


def _parts(new: exported.RawInputs, ids: Sequence[str]) -> Iterator[tuple[exported.RawInputs, Sequence[str]]]:
    for start in range(0, len(ids), _ROWS):
        rows = slice(start, start + _ROWS)
        yield {k: v[rows] for k, v in new.items()} if isinstance(new, dict) else new[rows], ids[rows]
