"""Labels: which task they state, what the classes are called, and their numbers."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from keras_recipe.core.errors import RecipeError, nearest
from keras_recipe.problem import TASKS, Kind, Task

MANY = 20
"""More distinct whole numbers than this, outside pictures, are taken for a quantity and not for classes."""


@dataclass(frozen=True)
class Labels:
    """How raw labels become the `y` of a problem.

    Attributes:
        task: multiclass, binary or regression.
        classes: names, sorted, whole numbers by size; empty for regression.
        targets: numbers per example, for regression; 0 otherwise.
    """

    task: Task
    classes: tuple[str, ...] = ()
    targets: int = 0

    def encode(self, y: np.ndarray, part: str = "train") -> np.ndarray:
        """Raw labels -> int32 class indices (examples,), or float32 (examples, targets).

        Raises RecipeError for a label outside the classes, for text or another number of targets in regression.
        """
        if self.task == "regression":
            return self._numbers(y, part)
        values, inverse = np.unique(_flat(y), return_inverse=True)
        names = [_name(v) for v in values]
        index = {name: i for i, name in enumerate(self.classes)}
        strange = sorted(set(names) - set(index))
        if strange:
            raise self._outside(strange, part)
        return np.array([index[n] for n in names], "int32")[inverse.reshape(-1)]

    def _numbers(self, y: np.ndarray, part: str) -> np.ndarray:
        try:
            numbers = np.asarray(y, "float64").astype("float32").reshape(len(y), -1)
        except ValueError as error:
            raise RecipeError(
                "numbers as targets of a regression",
                f"text in the {part} part ({error})",
                "correct the target, or give the task as multiclass",
            ) from error
        if numbers.shape[1] != self.targets:
            raise RecipeError(
                f"{self.targets} targets an example, as in the training part",
                f"{numbers.shape[1]} in the {part} part",
                "give all parts the same targets",
            )
        return numbers

    def _outside(self, strange: list[str], part: str) -> RecipeError:
        close = [(s, difflib.get_close_matches(s, self.classes, n=1)) for s in strange[:10]]
        alike = ", ".join(f"{s!r} to {c[0]!r}" for s, c in close if c)
        return RecipeError(
            f"labels among the {len(self.classes)} classes of the training part: {_listed(self.classes)}",
            f"{_listed(strange)} in the {part} part",
            f"rename them in the {part} part ({alike})"
            if alike
            else f"leave them out of the {part} part, or add examples of them to the training part",
        )


def learn_labels(y: np.ndarray, kind: Kind, task: str | None = None) -> Labels:
    """Infer the task from the raw labels of the training part, or take the one that the user names.

    Numbers with a fraction, several numbers an example, and (but for pictures) more than 20 distinct whole numbers
    are regression; two classes are binary; everything else is multiclass.

    Raises:
        RecipeError: unknown task, one class only, more or fewer than two classes for a binary task.
    """
    if task is not None and task not in TASKS:
        raise RecipeError(f"a task, one of {', '.join(TASKS)}", repr(task), nearest(task, TASKS))
    y = _from_one_hot(y)
    if task == "regression" or (task is None and _is_quantity(y, kind)):
        return Labels("regression", targets=int(np.prod(y.shape[1:])))
    classes = class_names(np.unique(_flat(y)))
    if len(classes) < 2:
        raise RecipeError(
            "at least two classes", f"one class only: {_listed(classes)}", "add examples of a second class"
        )
    if task == "binary" and len(classes) != 2:
        raise RecipeError(
            "two classes for a binary task", f"{len(classes)}: {_listed(classes)}", "give the task as multiclass"
        )
    return Labels("multiclass" if task == "multiclass" or len(classes) > 2 else "binary", classes)


def class_names(values: Iterable[object]) -> tuple[str, ...]:
    """Names of these values, without repetition, sorted; where all are whole numbers, by size."""
    names = {_name(v) for v in values}
    whole = all(n.lstrip("-").isdecimal() for n in names)
    return tuple(sorted(names, key=int) if whole else sorted(names))


def clean_labels(y: np.ndarray, place: str) -> np.ndarray:
    """Labels as plain numbers, booleans or strings, one-hot rows as class numbers.

    Raises RecipeError, which names the place ("the test part", a file), where labels are missing, NaN or infinite, or
    have an unsuitable shape.
    """
    y = np.asarray(y)
    if y.ndim not in (1, 2) or (y.ndim == 2 and y.shape[1] == 0):
        raise RecipeError(
            "labels of shape (examples,) or (examples, targets)", f"{y.shape}", "give one label, or one row, an example"
        )
    if y.dtype.kind in "OSU":
        y = _objects(y, place)
    if y.dtype.kind == "f":
        _refuse(_missing(y), "finite labels", "NaN or infinite", place)
    return _from_one_hot(y)


def missing_labels(y: np.ndarray) -> np.ndarray:
    """Rows without a label: empty, NaN or infinite."""
    bad = _missing(y)
    return np.flatnonzero(bad.any(axis=tuple(range(1, bad.ndim))))


def _missing(y: np.ndarray) -> np.ndarray:
    """Which labels are none, of the shape of y."""
    import pandas as pd

    if y.dtype.kind in "OSU":
        return np.asarray(pd.isna(y) | (y == "") | (y == b""))
    return ~np.isfinite(y) if y.dtype.kind == "f" else np.zeros(y.shape, bool)


def filled_labels(y: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Labels in which these rows have that of the first row which has one: they are read, and left out later."""
    y = np.array(y)
    if len(rows) < len(y):
        y[rows] = y[np.setdiff1d(np.arange(len(y)), rows)[0]]
    return y


def _objects(y: np.ndarray, place: str) -> np.ndarray:
    import pandas as pd

    _refuse(_missing(y), "a label for each example", "missing", place)
    kind = pd.api.types.infer_dtype(y.reshape(-1), skipna=False)
    if kind in ("integer", "floating", "mixed-integer-float", "decimal"):
        return y.astype("float64")
    return np.char.decode(y.astype("S"), "utf-8") if kind == "bytes" else y.astype(str)


def _refuse(bad: np.ndarray, expected: str, what: str, place: str) -> None:
    rows = np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1))
    if len(rows):
        raise RecipeError(
            expected,
            f"{len(rows)} {what} in {place} (row {_listed([str(r) for r in rows])}, counted from 0)",
            "correct these labels, or take these examples out",
        )


def _from_one_hot(y: np.ndarray) -> np.ndarray:
    if y.ndim == 2 and y.shape[1] > 1 and y.dtype.kind in "biuf":
        one_hot = bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())
        return y.argmax(axis=1) if one_hot else y
    return y.reshape(-1) if y.ndim == 2 and y.shape[1] == 1 else y


def _is_quantity(y: np.ndarray, kind: Kind) -> bool:
    if y.dtype.kind not in "iuf":
        return False
    if y.ndim == 2 or (y.dtype.kind == "f" and bool((y != np.round(y)).any())):
        return True
    return kind != "image" and len(np.unique(y)) > MANY


def _flat(y: np.ndarray) -> np.ndarray:
    if y.ndim == 1:
        return y
    raise RecipeError(
        "one class label an example",
        f"{y.shape[1]} values an example",
        "give class numbers, one-hot rows, or the task as regression",
    )


def _name(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | float | np.number):
        number = float(value)
        return str(int(value)) if number.is_integer() else repr(number)
    return str(value).strip()


def _listed(names: Iterable[str], most: int = 10) -> str:
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more
