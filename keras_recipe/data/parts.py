"""What a source gives before anything is split or encoded: parts, their rows, and how they are to be read."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from keras_recipe.core.errors import RecipeError
from keras_recipe.core.records import Finding
from keras_recipe.problem import Kind, Rows

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("train", "validation", "test")
"""Parts of a problem, in the order in which they are drawn."""

CHUNK = 1 << 24
"""Bytes looked at in one go when a whole array is scanned: 16 MB keeps a memory map out of memory."""


@dataclass(frozen=True)
class Reading:
    """How a source is to be read; see `keras_recipe.data.load` for the meaning of each.

    Attributes:
        like: (height, width, channels) that pictures must get, or None where the source decides.
        numbers, words: columns of a table that must be read as numbers, and as words.
        memory: bytes that decoded inputs may take before they are streamed.
        cache: folder for spooled data; None for a temporary file.
        tolerant: whether what cannot be trained on (undecodable files, text among numbers, NaN) is to be told of and
            not refused. Files are then not decoded.
        drop: ids of the source's own rows that are to be left out: files that cannot be read.
    """

    target: str | None = None
    image_size: tuple[int, int] | None = None
    like: tuple[int, ...] | None = None
    numbers: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    skip_corrupt: bool = False
    memory: int = 1 << 30
    cache: Path | None = None
    tolerant: bool = False
    drop: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Part:
    """Examples as a source gives them.

    Attributes:
        x: inputs, (examples, *shape), or the raw frame of a table.
        y: labels as given: numbers or strings, (examples,) or (examples, targets).
        ids: path or row number of each example.
        content: digest of the inputs.
        folder: what the ids are relative to, where they are paths.
        unread: rows without an input (files that cannot be decoded, or that the user has dropped), ascending. They are
            left out after the split, so that every other example is where it would be with them.
    """

    x: Rows | pd.DataFrame
    y: np.ndarray
    ids: Sequence[str]
    content: str
    folder: Path | None = None
    unread: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True, eq=False)
class Source:
    """Everything read from one place: the parts it has ("train", and "validation" or "test" if it names them)."""

    name: str
    kind: Kind
    parts: dict[str, Part]
    target: str = ""
    findings: tuple[Finding, ...] = field(default=())


@dataclass(frozen=True, eq=False)
class RowNumbers(Sequence[str]):
    """Row numbers as ids, written only when looked at: a million rows cost eight megabytes, not a hundred."""

    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice | np.ndarray) -> RowNumbers: ...
    def __getitem__(self, index: Any) -> str | RowNumbers:
        if isinstance(index, int | np.integer):
            return str(self.rows[index])
        return RowNumbers(self.rows[index])


@dataclass(frozen=True, eq=False)
class Selection:
    """Some rows of other rows (a memory map, files), fetched when asked for."""

    base: Rows
    rows: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows selected, *shape of one example)."""
        return (len(self.rows), *self.base.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.base.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: Any) -> np.ndarray:
        return np.asarray(self.base[self.rows[rows]])

    def select(self, rows: np.ndarray) -> Selection:
        """Some of these rows."""
        return Selection(self.base, self.rows[rows])


def row_numbers(n: int) -> RowNumbers:
    """Ids "0" to str(n - 1)."""
    return RowNumbers(np.arange(n))


def take_rows(x: Rows, rows: np.ndarray) -> Rows:
    """These rows: a copy of a plain array, a view of anything that streams."""
    if type(x) is np.ndarray:
        return x[rows]
    select = getattr(x, "select", None)
    return Selection(x, rows) if select is None else select(rows)


def take_ids(ids: Sequence[str], rows: np.ndarray) -> Sequence[str]:
    """Ids of these rows."""
    return ids[rows] if isinstance(ids, RowNumbers) else [ids[i] for i in rows]


def take_part(part: Part, rows: np.ndarray) -> Part:
    """These rows of a part."""
    x: Any = part.x
    taken = x.iloc[rows] if hasattr(x, "iloc") else take_rows(x, rows)
    unread = np.flatnonzero(np.isin(rows, part.unread)).tolist()
    return dataclasses.replace(part, x=taken, y=part.y[rows], ids=take_ids(part.ids, rows), unread=tuple(unread))


def without(part: Part, rows: Sequence[int], name: str) -> Part:
    """The part called `name` without these rows. Raises RecipeError where nothing would be left."""
    if not len(rows):
        return part
    kept = np.setdiff1d(np.arange(len(part)), rows)
    if not len(kept):
        raise RecipeError(
            f"something left of the {name} part",
            f"{len(part)} of {len(part)} examples left out",
            "keep some of them, or give it a larger share",
        )
    return take_part(part, kept)


@dataclass(frozen=True, eq=False)
class Joined:
    """Rows of two sources, one behind the other, fetched when asked for."""

    first: Rows
    second: Rows

    @property
    def shape(self) -> tuple[int, ...]:
        """(examples of both, *shape of one example)."""
        return (len(self), *self.first.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.first.dtype

    def __len__(self) -> int:
        return len(self.first) + len(self.second)

    def __getitem__(self, rows: Any) -> np.ndarray:
        wanted = np.arange(len(self))[rows]
        later = wanted >= len(self.first)
        if not later.any():
            return np.asarray(self.first[wanted])
        if later.all():
            return np.asarray(self.second[wanted - len(self.first)])
        found = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        found[~later] = self.first[wanted[~later]]
        found[later] = self.second[wanted[later] - len(self.first)]
        return found


def chunks(x: Rows) -> list[slice]:
    """Slices that cover all rows, each of about `CHUNK` bytes and at least one row."""
    row = max(1, int(np.prod(x.shape[1:], dtype=np.int64)) * x.dtype.itemsize)
    step = max(1, CHUNK // row)
    return [slice(start, start + step) for start in range(0, len(x), step)]


def content_digest(x: Rows) -> str:
    """Digest of shape, type and every value."""
    digest = hashlib.blake2b(f"{tuple(x.shape)}{x.dtype}".encode(), digest_size=16)
    for rows in chunks(x):
        digest.update(np.ascontiguousarray(x[rows]).data)
    return digest.hexdigest()


def default_memory() -> int:
    """A quarter of the memory of this machine, or of the container this process runs in, in bytes.

    Installed memory and not the free part of it: a rerun must find the same answer whatever else is running.
    """
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else ""
    return min(pages * size, int(text) if text.isdigit() else pages * size) // 4
