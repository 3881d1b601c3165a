"""Columns of a table as a network takes them, learnt from the training part only (encoding: `problem.Column`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipe.core.errors import RecipeError
from keras_recipe.core.records import Finding
from keras_recipe.data.pictures import listed
from keras_recipe.data.table import is_dates, is_numbers, is_text
from keras_recipe.problem import Column

if TYPE_CHECKING:
    import pandas as pd

WORDS = 100
"""Words of a column that get an input of their own, the most frequent ones: rarer words of so rich a column occur too
seldom for a network to learn their weight."""

DISTINCT = 0.9
"""Share of distinct words among the filled cells from which a column names its rows instead of describing them."""


def learn_columns(train: pd.DataFrame, *, tolerant: bool = False) -> tuple[tuple[Column, ...], tuple[Finding, ...]]:
    """Columns with the statistics of these rows, and what is noteworthy about them.

    Columns of words that are nearly all distinct (names, keys, texts) are dropped, with a warning.

    Raises RecipeError where no column is left, unless `tolerant`.
    """
    names = [name for name in train.columns if not _names_rows(train[name])]
    dropped = [name for name in train.columns if name not in names]
    if not names and not tolerant:
        raise RecipeError(
            "at least one column of numbers or categories",
            f"none, for {listed(dropped)} hold text or name the rows",
            "add columns; `inspect` looks at text, no model takes it yet",
        )
    return tuple(_column(train[name]) for name in names), tuple(_findings(train, dropped))


def encode(columns: tuple[Column, ...], frame: pd.DataFrame) -> np.ndarray:
    """Raw rows -> float32 (rows, features), every feature finite. Raises RecipeError for a column that is missing."""
    check_columns(columns, list(frame.columns))
    encoded = np.zeros((len(frame), sum(c.width for c in columns)), "float32")
    start = 0
    for column in columns:
        block = encoded[:, start : start + column.width]
        if column.vocabulary is None:
            _encode_numbers(column, frame[column.name], block)
        else:
            block[np.arange(len(frame)), _codes(column.vocabulary, frame[column.name])] = 1
        start += column.width
    return encoded


def check_columns(columns: tuple[Column, ...], present: list[str]) -> None:
    """Raise RecipeError, naming it, if a column is not among those present."""
    missing = [c.name for c in columns if c.name not in present]
    if missing:
        raise RecipeError(
            f"the columns of the training part, {listed([c.name for c in columns], 30)}",
            f"a table without {listed(missing)}",
            "add these columns (a file without header must have all columns in their order)",
        )


def _encode_numbers(column: Column, values: pd.Series[Any], block: np.ndarray) -> None:
    # In float32 throughout, as the exported model does it: the encodings agree to the bit.
    numbers = values.to_numpy("float32")
    missing = np.isnan(numbers)
    block[:, 0] = np.where(missing, np.float32(0), (numbers - np.float32(column.mean)) / np.float32(column.scale))
    if column.missing:
        block[:, 1] = missing


def _codes(vocabulary: tuple[str, ...], words: pd.Series[Any]) -> np.ndarray:
    import pandas as pd

    codes = pd.Index(vocabulary).get_indexer(pd.Index(words))
    return np.where(codes < 0, len(vocabulary), codes)


def _column(values: pd.Series[Any]) -> Column:
    name = str(values.name)
    if not is_numbers(values):
        counts = values.value_counts()
        frequent = sorted(zip(-counts.to_numpy(), map(str, counts.index), strict=True))[:WORDS]
        return Column(name, vocabulary=tuple(sorted(word for _, word in frequent)))
    known = values.dropna().to_numpy("float64")
    if len(known) == 0 or known.min() == known.max():  # rounding may give equal numbers a deviation
        mean, scale = (known[0] if len(known) else 0.0), 1.0
    else:
        mean, scale = known.mean(), known.std()
    return Column(name, None, float(np.float32(mean)), float(np.float32(scale)), bool(len(known) < len(values)))


def _names_rows(values: pd.Series[Any]) -> bool:
    if is_numbers(values):
        return False
    filled = values[values != ""]
    return len(filled) >= 20 and filled.nunique() >= DISTINCT * len(filled)


def _counts_rows(values: pd.Series[Any]) -> bool:
    """Whether the column of numbers is a running number: all distinct whole numbers, without many gaps."""
    if not is_numbers(values) or len(values) < 20 or values.isna().any() or not values.is_unique:
        return False
    known = values.to_numpy()
    return bool((known == np.round(known)).all() and np.ptp(known) <= 2 * len(known))


def _findings(train: pd.DataFrame, dropped: list[str]) -> list[Finding]:
    findings = []
    texts = [name for name in dropped if is_text(train[name])]
    if texts:
        findings.append(_of_texts(texts, alone=len(dropped) == train.shape[1]))
    dates = [name for name in dropped if name not in texts and is_dates(train[name])]
    if dates:
        message = f"columns of dates, which no model takes: {listed(dates)}"
        findings.append(Finding("info", "dates", message, evidence={"columns": dates}))
    keys = [name for name in dropped if name not in texts + dates]
    if keys:
        message = f"columns whose words are nearly all distinct were dropped: {listed(keys)}"
        findings.append(_warning("id", message, keys))
    constant = [str(n) for n in train.columns if train[n].nunique(dropna=False) == 1]
    if constant:
        findings.append(_warning("constant", f"columns with one value only: {listed(constant)}", constant))
    running = [str(n) for n in train.columns if _counts_rows(train[n])]
    if running:
        message = f"columns that look like row numbers (they can leak the order of the file): {listed(running)}"
        findings.append(_warning("id", message, running))
    empty = {str(n): int((train[n].isna() | (train[n] == "")).sum()) for n in train.columns}
    empty = {n: count for n, count in empty.items() if count}
    if empty:
        counts = listed([f"{n} ({count})" for n, count in empty.items()])
        message = f"missing cells among the {len(train)} training rows: {counts}"
        findings.append(Finding("info", "missing", message, evidence={"missing": empty}))
    rich = [
        str(n) for n in train.columns if n not in dropped and not is_numbers(train[n]) and train[n].nunique() > WORDS
    ]
    if rich:
        message = (
            f"of these columns the {WORDS} most frequent words have an input each, all others share one: {listed(rich)}"
        )
        findings.append(Finding("info", "vocabulary", message, evidence={"columns": rich}))
    return findings


def _of_texts(texts: list[str], *, alone: bool) -> Finding:
    evidence = {"columns": texts}
    if not alone:
        message = f"columns of text are looked at, but no model takes them yet: {listed(texts)}"
        return Finding("warning", "text", message, evidence=evidence)
    message = f"nothing but text, which no model takes yet, training would refuse it: {listed(texts)}"
    return Finding("error", "text", message, hint="add columns of numbers or categories", evidence=evidence)


def _warning(cause: str, message: str, columns: list[str]) -> Finding:
    return Finding("warning", cause, message, hint="take these columns out of the table", evidence={"columns": columns})
