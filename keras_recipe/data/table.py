"""A .csv as a frame of numbers and words: delimiter, header, missing cells, and which columns are numbers."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import itertools
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipe.core.cells import DELIMITERS, is_number
from keras_recipe.core.errors import RecipeError, nearest
from keras_recipe.core.records import Finding
from keras_recipe.data.labels import clean_labels, filled_labels, missing_labels
from keras_recipe.data.parts import CHUNK, Part, Reading, Source, row_numbers

if TYPE_CHECKING:
    import pandas as pd

TARGETS = ("target", "label", "class", "y")
"""Names, in any case, by which a target column is found when the user names none."""

MISSING = ("?", "")
"""Cells that are missing in every column."""

NO_NUMBER = ("na", "n/a", "nan", "null", "none", "?", "")
"""Words, in any case, that are missing cells of a column of numbers (in a column of words they are words)."""

PROSE, TEXTS = 5, 1000
"""Words that half of the cells of a column of text have at least (names of people have four at most), and cells that
are looked at."""

DATES = 0.95
"""Share of the words of a column that must be dates."""

SOME_LINES = 100
"""Lines that show whether decimals are set off by a comma."""

MOSTLY = 0.9
"""Share of numbers among the non-empty cells from which a column is one of numbers, and the rest an error."""


def read_table(path: Path, reading: Reading) -> Source:
    """One part: the frame without its target, which becomes the labels.

    Raises:
        RecipeError: unreadable file, unknown target, missing labels; text among numbers, infinite numbers (findings
            where the reading is tolerant).
    """
    frame, findings = _read(path, reading)
    target = target_column(list(frame.columns), reading.target, str(path))
    given = frame[target].replace("", np.nan).to_numpy()
    unread = missing_labels(given) if reading.tolerant else np.empty(0, int)
    labels = clean_labels(filled_labels(given, unread), str(path))
    inputs, ids = frame.drop(columns=target), row_numbers(len(frame))
    part = Part(inputs, labels, ids, _file_digest(path), unread=tuple(unread.tolist()))
    return Source(path.stem, "table", {"train": part}, target, tuple(findings))


def read_frame(path: Path, reading: Reading) -> pd.DataFrame:
    """All columns of a .csv: float64 with NaN for missing, or str with "" for missing, without surrounding blanks.

    Where `reading.numbers` and `reading.words` name columns, these are read as such; of the others, a column is one of
    numbers if at least nine tenths of its non-empty cells are. Without a header, columns are called "0", "1", ...

    Raises:
        RecipeError: the file cannot be read or is empty; a column of numbers holds text or infinity.
    """
    return _read(path, dataclasses.replace(reading, tolerant=False))[0]


def _read(path: Path, reading: Reading) -> tuple[pd.DataFrame, list[Finding]]:
    """The frame, and, where the reading is tolerant, what was taken out of its columns of numbers."""
    frame = _parse(path, reading)
    if reading.target is not None:  # a misspelt name is told of before anything in the cells is
        target_column(list(frame.columns), reading.target, str(path))
    findings = _twice(path, frame)
    for name in list(frame.columns):
        column = frame[name]
        if name in reading.words or not (is_numbers(column) or name in reading.numbers or _mostly_numbers(column)):
            continue
        if reading.tolerant:
            frame[name], found = _cleaned(column, name)
            findings += found
        else:
            frame[name] = _finite(_numbers(column), name)
    return frame, findings


def _twice(path: Path, frame: pd.DataFrame) -> list[Finding]:
    """Columns that bear the name of another one, which pandas tells apart by a number."""
    first = [cell.strip() for cell in _first_line(path)[0]]
    twice = sorted({name for name in first if first.count(name) > 1 and {name, f"{name}.1"} <= {*frame.columns}})
    if not twice:
        return []
    message = f"columns of the same name: {', '.join(map(repr, twice))}; the second is called {twice[0] + '.1'!r}"
    return [Finding("warning", "columns", message, hint="give them different names", evidence={"columns": twice})]


def _cleaned(column: pd.Series[Any], name: str) -> tuple[pd.Series[Any], list[Finding]]:
    """Numbers with NaN for everything else, and errors that name what training would refuse."""
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    words = np.zeros(len(column), bool)
    if not is_numbers(column):
        words = (numbers.isna() & ~column.str.lower().isin(NO_NUMBER)).to_numpy()
    infinite = np.isinf(numbers.to_numpy())
    findings = []
    for cause, bad, expected, what in (
        ("mixed-types", words, "numbers only", "text among the numbers of column"),
        ("nan-data", infinite, "finite numbers", "infinite numbers in column"),
    ):
        rows = np.flatnonzero(bad)
        if len(rows):
            shown = ", ".join(f"{str(column.iloc[r])!r} in row {r}" for r in rows[:5])
            more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
            message = f"{what} {name!r}: {shown}{more} (counted from 0)"
            measured = f"{len(rows):,} of {len(column):,} cells"
            evidence = {"column": name, "rows": rows[:100].tolist()}
            do = "correct these cells, or empty them: training refuses them"
            findings.append(Finding("error", cause, message, expected, measured, do, evidence))
    return numbers.mask(infinite), findings


def like(reading: Reading, frame: pd.DataFrame, target: str, labels: np.ndarray) -> Reading:
    """How to read another file whose columns must mean the same as those of this frame."""
    numbers = [n for n in frame.columns if is_numbers(frame[n])]
    words = {*frame.columns} - {*numbers} | ({target} if labels.dtype.kind == "U" else set())
    return dataclasses.replace(reading, target=target, numbers=frozenset(numbers), words=frozenset(words))


def target_column(columns: list[str], target: str | None, where: str) -> str:
    """Name of the target column. Raises RecipeError for an unknown one, or none that goes without saying."""
    shown = ", ".join(columns[:30]) + (", ..." if len(columns) > 30 else "")
    if target is not None:
        if target not in columns:
            raise RecipeError(f"a target that is a column of {where} ({shown})", repr(target), nearest(target, columns))
        return target
    found = [c for c in columns if c.lower() in TARGETS]
    if len(found) != 1:
        raise RecipeError(
            f"exactly one column called {', '.join(TARGETS[:-1])} or {TARGETS[-1]}, or the name of the target",
            f"{where} with the columns {shown}",
            "name the target (--target COLUMN)",
        )
    return found[0]


def is_numbers(column: pd.Series[Any]) -> bool:
    """Whether this column of a frame was read as numbers."""
    return column.dtype.kind in "iuf"


def is_text(column: pd.Series[Any]) -> bool:
    """Whether this column of a frame holds prose: words in sentences, most of them distinct.

    Writing without blanks between words (Chinese, Japanese, Thai) is prose from ten characters on.
    """
    if is_numbers(column):
        return False
    filled = column[column != ""]
    some = filled.iloc[:: max(1, len(filled) // TEXTS)]
    if some.nunique() < max(2, len(some) / 2):
        return False
    words, characters = np.median([len(t.split()) for t in some]), some.str.len().median()
    return bool(words >= PROSE or (characters >= 2 * PROSE and np.mean([t.isascii() for t in some]) < 0.5))


def is_dates(column: pd.Series[Any]) -> bool:
    """Whether a column of words holds dates. Plain numbers may be anything."""
    import pandas as pd

    if is_numbers(column):
        return False
    filled = column[column != ""].head(1000)
    if len(filled) < 20 or not filled.str.contains(r"\d{4}|\d[-/.]\d", regex=True).mean() >= DATES:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # dates in no standard format are read one by one
        return bool(pd.to_datetime(filled, errors="coerce", utc=True).notna().mean() >= DATES)


def _parse(path: Path, reading: Reading) -> pd.DataFrame:
    import pandas as pd

    try:
        first, delimiter = _first_line(path)
        header = 0 if _is_header(first, reading.target) else None
        names = [str(i) if header is None else cell.strip() for i, cell in enumerate(first)]
        options: dict[str, Any] = {
            "sep": delimiter, "header": header, "skipinitialspace": True, "keep_default_na": False,
            "na_values": list(MISSING), "low_memory": False, "index_col": False,
            "decimal": "," if delimiter == ";" and _decimal_commas(path) else ".",
        }  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            known = [i for i, name in enumerate(names) if name in reading.words]
            frame = pd.read_csv(
                path, dtype=dict.fromkeys(known, str) if header is None else {first[i]: str for i in known}, **options
            )
            text = [i for i in range(frame.shape[1]) if not is_numbers(frame.iloc[:, i])]
            as_read = pd.read_csv(path, usecols=text, dtype=str, **options) if text else frame.iloc[:, :0]
    except (OSError, ValueError, pd.errors.ParserWarning, csv.Error) as error:  # pandas' parser errors are ValueErrors
        raise _unreadable(path, str(error)) from error
    if frame.empty:
        raise _unreadable(path, "it has no rows")
    columns = {str(n).strip(): frame.iloc[:, i] for i, n in enumerate(frame.columns)}
    columns |= {str(n).strip(): as_read[n].fillna("").str.strip() for n in as_read.columns}
    return pd.DataFrame(columns)


def _first_line(path: Path) -> tuple[list[str], str]:
    """Cells of the first line, and the delimiter: the commonest of those that spreadsheets write."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        line = next((line for line in file if line.strip()), "")
    delimiter = max(DELIMITERS, key=line.count)
    return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), []), delimiter


def _decimal_commas(path: Path) -> bool:
    """Whether numbers are written with a decimal comma, as spreadsheets of many languages do."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        start = "".join(itertools.islice(file, SOME_LINES))
    return len(re.findall(r"\d,\d", start)) > len(re.findall(r"\d\.\d", start))


def _is_header(cells: list[str], target: str | None) -> bool:
    """Whether the first line names the columns: it holds no number (but years may be names), or the target's name."""
    names = {cell.strip() for cell in cells}
    if target is not None and not target.isdecimal() and target in names:
        return True
    return any(name.lower() in TARGETS for name in names) or not any(map(_is_number, cells))


def _is_number(cell: str) -> bool:
    return is_number(cell) and cell.strip().lower() not in NO_NUMBER


def _unreadable(path: Path, why: str) -> RecipeError:
    do = "save it as CSV UTF-8" if "codec" in why else "correct the file"
    why = " ".join(why.split()).rstrip(".")
    return RecipeError("a table in UTF-8 with one line a row and as many cells in each", f"{path}: {why}", do)


def _mostly_numbers(words: pd.Series[Any]) -> bool:
    import pandas as pd

    filled = words[~words.str.lower().isin(NO_NUMBER)]
    return len(filled) == 0 or bool(pd.to_numeric(filled, errors="coerce").notna().mean() >= MOSTLY)


def _numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    if is_numbers(column):
        return column.astype("float64")
    numbers = pd.to_numeric(column, errors="coerce")
    bad = np.flatnonzero((numbers.isna() & ~column.str.lower().isin(NO_NUMBER)).to_numpy())
    if len(bad):
        raise RecipeError(
            f"numbers in column {column.name!r}",
            f"{column.iloc[bad[0]]!r} in row {bad[0]} (counted from 0), and text in {len(bad)} rows in all",
            "correct these cells, or empty them",
        )
    return numbers.astype("float64")


def _finite(column: pd.Series[Any], name: str) -> pd.Series[Any]:
    bad = np.flatnonzero(np.isinf(column.to_numpy()))
    if len(bad):
        raise RecipeError(
            f"finite numbers in column {name!r}",
            f"infinity in {len(bad)} rows ({', '.join(map(str, bad[:10]))}, counted from 0)",
            "correct these cells, or empty them",
        )
    return column


def _file_digest(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()
