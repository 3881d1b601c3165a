"""More data, given beside the data: its examples join the training part, and no other part changes."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, overload

import numpy as np

from keras_recipe.core.errors import RecipeError
from keras_recipe.core.records import Finding
from keras_recipe.data.assign import Keys
from keras_recipe.data.labels import Labels
from keras_recipe.data.parts import NAMES, Joined, Part, Reading, Source, chunks, take_part, without
from keras_recipe.data.pictures import listed
from keras_recipe.data.sources import add_part, check_alike
from keras_recipe.problem import Rows, Split

if TYPE_CHECKING:
    import pandas as pd

ADDED = "added"
"""What messages call these examples, and what row numbers among them begin with ("added 2:" for a second source)."""


@dataclass(frozen=True, eq=False)
class JoinedIds(Sequence[str]):
    """Ids of two sources, written only when looked at."""

    first: Sequence[str]
    second: Sequence[str]

    def __len__(self) -> int:
        return len(self.first) + len(self.second)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        return self.first[index] if index < len(self.first) else self.second[index - len(self.first)]


def read_more(
    source: Any,
    read: Source,
    reading: Reading,
    labels: Labels,
    parts: dict[str, Part],
    earlier: Sequence[Part],
    keys: Keys,
    *,
    keyed: bool,
) -> tuple[Part, list[Finding]]:
    """The examples of another source that may be trained on, with encoded labels, and what was left out.

    Copies of examples that the data holds are left out, whatever their label: a model would be tested on what it was
    trained on, or see an example twice. Rows of a table are taken for copies unless the data itself holds these very
    values more than once, some of them in the training part: then rows are equal by chance, and training knows them.
    So are rows of a group that validation or test has, and rows later than the first one of these.

    Args:
        source: in any form that `load` takes, the same as that of the data.
        read: the data, and how it is read.
        reading: the same.
        labels: how labels are encoded.
        parts: train, validation and test, before inputs of tables are encoded.
        earlier: examples of other sources that have been added before.
        keys: groups or times of the pool.
        keyed: whether rows were assigned by groups or a time.

    Raises:
        RecipeError: another form, other columns, shapes or classes; nothing that is left.
    """
    grown = add_part(read, ADDED, source, dataclasses.replace(reading, drop=frozenset()))
    part = grown.parts[ADDED]
    _check_form(read, part)
    check_alike(grown)
    part = dataclasses.replace(part, y=labels.encode(part.y, ADDED))
    part = without(part, part.unread, ADDED)
    out = _copies(parts, earlier, part, list(keys.columns))
    told = [("copies of examples that the data holds", out)]
    if keyed:
        told.append(("rows of validation's or test's groups, or later than their first", _unfit(parts, part, keys)))
    rows = sorted({int(row) for _, found in told for row in found})
    if len(rows) == len(part):
        raise RecipeError(
            "more data with something new in it",
            f"{len(part):,} examples, all of them {' or '.join(what for what, found in told if len(found))}",
            "give examples that the data does not hold",
        )
    findings = [*grown.findings[len(read.findings) :], *(_left_out(what, part, found) for what, found in told)]
    part = take_part(part, np.setdiff1d(np.arange(len(part)), rows))
    name = f"{ADDED} {len(earlier) + 1}:" if earlier else ADDED
    named = [os.path.abspath(part.folder / i) if part.folder else f"{name} {i}" for i in part.ids]
    message = f"{len(part):,} examples of more data join the training part"
    findings.append(Finding("info", "more-data", message, evidence={"examples": len(part)}))
    return dataclasses.replace(part, ids=named), [f for f in findings if f is not None]


def content(part: Part, before: str) -> str:
    """Sixteen hexadecimal digits over the examples that are added, their labels, and what was added before them."""
    digest = hashlib.blake2b(f"{before}{part.content}".encode(), digest_size=8)
    for example in part.ids:
        digest.update(f"{os.path.basename(os.path.dirname(example))}/{os.path.basename(example)}\0".encode())
    digest.update(np.ascontiguousarray(part.y).tobytes())
    return digest.hexdigest()


def joined(train: Split, more: Split) -> Split:
    """The training split with these examples behind its own."""
    both = type(train.x) is np.ndarray and type(more.x) is np.ndarray
    raw: Any = None
    if train.raw is not None and more.raw is not None:
        import pandas as pd

        raw = pd.concat([train.raw, more.raw], ignore_index=True)
    return Split(
        np.concatenate([np.asarray(train.x), np.asarray(more.x)]) if both else Joined(train.x, more.x),
        np.concatenate([train.y, more.y]),
        JoinedIds(train.ids, more.ids),
        train.folder,
        raw,
    )


def _check_form(read: Source, part: Part) -> None:
    own = read.parts["train"]
    forms = [("a table" if hasattr(p.x, "columns") else "files" if p.folder else "arrays") for p in (own, part)]
    if forms[0] != forms[1]:
        raise RecipeError(f"more data in the form of {read.name}, {forms[0]}", forms[1], "convert it to that form")
    missing = [c for c in getattr(own.x, "columns", ()) if c not in part.x.columns]  # type: ignore[union-attr]
    if missing:
        raise RecipeError(
            f"the columns of {read.name}, {listed(list(own.x.columns), 30)}",  # type: ignore[union-attr]
            f"more data without {listed(missing)}",
            "add these columns, with the same names",
        )


def _copies(parts: dict[str, Part], earlier: Sequence[Part], part: Part, keys: list[str]) -> np.ndarray:
    """Rows of the part that are equal to examples of the data, or to those that were added earlier."""
    *held, own = _contents([*(parts[name] for name in NAMES), *earlier, part], keys)
    all_of, train = Counter(c for found in held for c in found), Counter(held[0])
    chance = hasattr(part.x, "columns")
    return np.array([i for i, c in enumerate(own) if all_of[c] and not (chance and all_of[c] > 1 and train[c])], int)


def _contents(parts: list[Part], keys: list[str]) -> list[list[Any]]:
    """What is equal for equal inputs, an entry an example, of each part."""
    if hasattr(parts[0].x, "columns"):
        import pandas as pd

        names = [c for c in cast("pd.DataFrame", parts[0].x).columns if c not in keys]
        frames = [cast("pd.DataFrame", p.x)[names] for p in parts]
        return [pd.util.hash_pandas_object(f, index=False).tolist() for f in frames]
    if all(p.folder for p in parts):
        return _of_files([[cast("Path", p.folder) / i for i in p.ids] for p in parts])
    return [
        [hashlib.blake2b(np.ascontiguousarray(row).data, digest_size=16).digest() for s in chunks(x) for row in x[s]]
        for x in (cast("Rows", p.x) for p in parts)
    ]


def _of_files(paths: list[list[Path]]) -> list[list[Any]]:
    """Digests of files; only those of a size that the added ones have too are read."""
    sizes = [[p.stat().st_size for p in part] for part in paths]
    some = set(sizes[-1]) & {size for part in sizes[:-1] for size in part}

    def digest(path: Path, size: int) -> Any:
        return hashlib.blake2b(path.read_bytes(), digest_size=16).digest() if size in some else path

    return [list(map(digest, part, of)) for part, of in zip(paths, sizes, strict=True)]


def _unfit(parts: dict[str, Part], part: Part, keys: Keys) -> np.ndarray:
    """Rows that the way in which the data was split keeps from being trained on."""
    if not keys.columns:
        raise RecipeError(
            "groups or a time that are a column, where more data is given",
            "one value a row of the data, which says nothing of the other rows",
            "name a column",
        )
    frames = {name: cast("pd.DataFrame", p.x) for name, p in parts.items()}
    name, more = keys.columns[0], cast("pd.DataFrame", part.x)[keys.columns[0]]
    held = np.concatenate([frames[n][name].to_numpy() for n in NAMES[1:]])
    if keys.groups is not None:
        return np.flatnonzero(more.isin(held).to_numpy())
    import pandas as pd

    if pd.api.types.is_numeric_dtype(more):
        return np.flatnonzero(~(more < held.min()).to_numpy())
    return np.flatnonzero(~(pd.to_datetime(more, utc=True) < pd.to_datetime(held, utc=True).min()).to_numpy())


def _left_out(what: str, part: Part, rows: np.ndarray) -> Finding | None:
    if not len(rows):
        return None
    names = [str(part.ids[int(r)]) for r in rows]
    message = f"left out of the more data, {what} ({len(names):,}): {listed(names)}"
    return Finding("warning", "more-data", message, evidence={"examples": names[:100]})
