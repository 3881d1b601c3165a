"""Which way of splitting a pool gets: given, stratified, by groups or by time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipe.core.errors import RecipeError, nearest
from keras_recipe.data import split
from keras_recipe.data.labels import Labels
from keras_recipe.data.parts import Part

if TYPE_CHECKING:
    import pandas as pd

Key = str | Sequence[Any] | np.ndarray | None
"""A column, or one value a row."""


@dataclass(frozen=True, eq=False)
class Keys:
    """Groups or times of the rows of a pool, and the columns that they came from."""

    groups: np.ndarray | None = None
    time: np.ndarray | None = None
    columns: tuple[str, ...] = ()


def keys_of(pool: Part, groups: Key, time: Key) -> Keys:
    """Look up the columns. Raises RecipeError if one does not exist, has gaps, or has another length."""
    if groups is not None and time is not None:
        raise RecipeError("groups or a time, not both", f"groups={_short(groups)}, time={_short(time)}", "give one")
    columns = tuple(k for k in (groups, time) if isinstance(k, str))
    return Keys(
        None if groups is None else _values(pool, groups, "groups"),
        None if time is None else _times(_values(pool, time, "time")),
        columns,
    )


def assign(
    y: np.ndarray, labels: Labels, keys: Keys, shares: dict[str, float], seed: int, *, tolerant: bool = False
) -> tuple[dict[str, np.ndarray], str]:
    """Rows of each part that is drawn from the pool, and how that was done, in words.

    Where `tolerant`, classes with too few examples to be split are left in the training part.

    Raises RecipeError.
    """
    if keys.time is not None:
        return split.by_time(keys.time, shares), "time, earliest first"
    if not shares:
        return {"train": np.random.default_rng(seed).permutation(len(y))}, "given"
    how = "" if len(shares) == 2 else f" ({'validation' if 'test' in shares else 'test'} given)"
    classes = None if labels.task == "regression" else y
    if keys.groups is not None:
        return split.by_groups(keys.groups, classes, shares, seed), f"groups, seed {seed}{how}"
    if classes is None:
        return split.shuffled(len(y), shares, seed), f"random, seed {seed}{how}"
    few = too_few(y, labels, shares)[y] if tolerant else np.zeros(len(y), bool)
    rows = np.arange(len(y)) if few.all() else np.flatnonzero(~few)
    parts = {part: rows[drawn] for part, drawn in split.stratified(y[rows], labels.classes, shares, seed).items()}
    parts["train"] = np.concatenate([parts["train"], np.setdiff1d(np.arange(len(y)), rows)])
    return parts, f"stratified, seed {seed}{how}"


def too_few(y: np.ndarray, labels: Labels, shares: dict[str, float]) -> np.ndarray:
    """Whether each class has too few examples for one in each part, (classes,) of bool."""
    return np.bincount(y, minlength=len(labels.classes)) < 1 + len(shares)


def _values(pool: Part, key: Key, what: str) -> np.ndarray:
    frame: Any = pool.x
    if isinstance(key, str):
        known = list(getattr(frame, "columns", []))
        if key not in known:
            do = nearest(key, known) if known else "only tables have columns: in Python, give one value a row"
            raise RecipeError(f"a column of the table for {what}", repr(key), do)
        return _filled(frame[key], f"column {key!r}, which gives the {what}")
    import pandas as pd

    values = np.asarray(key)
    if values.shape != (len(pool),):
        raise RecipeError(
            f"{len(pool)} {what}, one for each row", f"an array of shape {values.shape}", "give one a row"
        )
    return _filled(pd.Series(values), f"the {what}")


def _filled(column: pd.Series[Any], where: str) -> np.ndarray:
    empty = np.flatnonzero((column.isna() | (column == "")).to_numpy())
    if len(empty):
        raise RecipeError(
            f"a value in each row of {where}",
            f"{len(empty)} empty cells (rows {', '.join(map(str, empty[:10]))}, counted from 0)",
            "fill them, or take these rows out",
        )
    return column.to_numpy()


def _times(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind in "iufM":
        return values
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # dates in no standard format are read one by one: slow, not wrong
            return pd.to_datetime(values, utc=True).tz_localize(None).to_numpy()
    except ValueError as error:
        raise RecipeError("times that are numbers or dates", str(error), "write dates as 2024-01-31") from error


def _short(key: Key) -> str:
    return repr(key) if isinstance(key, str) else "an array"
