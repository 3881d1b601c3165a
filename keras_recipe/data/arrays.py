"""Arrays: in Python, or in an .npz file."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from keras_recipe.core.errors import RecipeError
from keras_recipe.data.labels import clean_labels, filled_labels, missing_labels
from keras_recipe.data.parts import NAMES, Part, Source, chunks, content_digest, row_numbers
from keras_recipe.problem import Kind, Rows

FORMS = {
    "train": (("x_train", "y_train"), ("X_train", "y_train"), ("train_x", "train_y"), ("x", "y"), ("X", "y")),
    "validation": (("x_val", "y_val"), ("x_validation", "y_validation"), ("X_val", "y_val"), ("val_x", "val_y")),
    "test": (("x_test", "y_test"), ("X_test", "y_test"), ("test_x", "test_y")),
}
"""Names under which each part is looked for in an .npz or a dict, the first pair found being taken."""


def read_npz(path: Path, *, tolerant: bool = False) -> Source:
    """Arrays of an .npz. Raises RecipeError where it cannot be read, or does not hold x and y."""
    return read_dict(open_npz(path), path.stem, str(path), tolerant=tolerant)


def open_npz(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an .npz by name; nothing in it is executed. Raises RecipeError."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        why = "" if "pickle" in str(error) else f" ({error})"  # nobody should be told to allow that
        raise RecipeError(
            "an .npz of plain numeric or string arrays",
            f"{path}, which cannot be read as one{why}",
            "write it with numpy.savez(path, x=..., y=...), without arrays of dtype object",
        ) from error


def read_dict(arrays: dict[str, Any], name: str, where: str, *, tolerant: bool = False) -> Source:
    """Parts of a mapping of names to arrays. Raises RecipeError without x and y (or x_train and y_train)."""
    parts, kinds = {}, []
    for part in NAMES:
        pair = next(((x, y) for x, y in FORMS[part] if x in arrays and y in arrays), None)
        if pair is not None:
            kind, parts[part] = part_of_arrays(arrays[pair[0]], arrays[pair[1]], part, tolerant=tolerant)
            kinds.append(kind)
    if "train" not in parts:
        raise RecipeError(
            "arrays named x and y, or x_train and y_train (then also x_val, y_val, x_test, y_test)",
            f"{', '.join(sorted(arrays)) or 'no arrays'} in {where}",
            "rename the arrays",
        )
    return Source(name, kinds[0], parts)


def part_of_arrays(x: Any, y: Any, part: str, *, tolerant: bool = False) -> tuple[Kind, Part]:
    """Check inputs and labels of one part and bring them to the types of a problem.

    Raises:
        RecipeError: lengths that differ, a shape that is not taken, values that are not numbers; NaN or infinite ones
            unless `tolerant`.
    """
    kind, inputs = inputs_of(x, part, tolerant=tolerant)
    unread = missing_labels(np.asarray(y)) if tolerant else np.empty(0, int)
    labels = clean_labels(filled_labels(np.asarray(y), unread), f"the {part} part")
    if len(inputs) != len(labels):
        raise RecipeError(
            "as many labels as inputs",
            f"{len(inputs)} inputs and {len(labels)} labels in the {part} part",
            "give x and y of the same length",
        )
    if not len(labels):
        raise RecipeError("examples", f"an empty {part} part", "give at least one example")
    digest = content_digest(inputs)
    return kind, Part(inputs, labels, row_numbers(len(labels)), digest, unread=tuple(unread.tolist()))


def inputs_of(x: Any, part: str, *, tolerant: bool = False) -> tuple[Kind, Rows]:
    """Inputs as uint8 pictures (n, h, w, 1 or 3), float32 pictures, or float32 vectors (n, features).

    All values are finite, unless `tolerant`.

    Raises RecipeError for anything else.
    """
    array = x if isinstance(x, np.ndarray) else np.asarray(x)
    if array.dtype.kind not in "biuf":
        raise RecipeError(
            "inputs that are numbers",
            f"an array of dtype {array.dtype} in the {part} part",
            "encode text as numbers, or give a .csv",
        )
    if array.ndim == 3:
        array = array[..., np.newaxis]
    pictures = array.ndim == 4 and array.shape[3] in (1, 3)
    if not (pictures or array.ndim == 2) or 0 in array.shape[1:]:
        raise RecipeError(
            "inputs of shape (n, features), (n, height, width) or (n, height, width, 1 or 3)",
            f"{np.shape(x)} in the {part} part",
            "reshape the inputs",
        )
    if not tolerant:
        check_finite(array, part)
    if not (pictures and array.dtype == np.uint8) and array.dtype != np.float32:
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which is told
            array = array.astype("float32")
        if not tolerant:
            check_finite(array, part)
    return ("image" if pictures else "vector"), array


def check_finite(x: Rows, part: str) -> None:
    """Raise RecipeError if a value is NaN or infinite."""
    if x.dtype.kind != "f":
        return
    bad = np.concatenate(
        [~np.isfinite(x[s]).reshape(len(x[s]), -1).all(axis=1) for s in chunks(x)] or [np.zeros(0, bool)]
    )
    rows = np.flatnonzero(bad)
    if len(rows):
        more = ", ..." if len(rows) > 10 else ""
        raise RecipeError(
            "finite inputs",
            f"NaN or infinite values in {len(rows)} rows of the {part} part ({', '.join(map(str, rows[:10]))}{more})",
            "correct these rows, or take them out",
        )
