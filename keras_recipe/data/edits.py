"""The user's verdict on suspects.csv: labels to fix, examples to drop. The data itself is never changed."""

from __future__ import annotations

import csv
import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_recipe.core.cells import table_of, unguarded
from keras_recipe.core.errors import RecipeError, nearest
from keras_recipe.core.records import Finding, Table
from keras_recipe.data.labels import Labels
from keras_recipe.data.parts import Part, without

COLUMNS = ("action", "split", "example", "given", "likely")
"""Columns of suspects.csv that are read back; there are more, for the reader."""

ACTIONS = ("keep", "fix", "drop")
"""What the user may write; an empty cell keeps the example as it is."""

SHOWN = 50
"""Edits that the record tells one by one."""


@dataclass(frozen=True)
class Edit:
    """One line of an edited suspects.csv.

    Attributes:
        action: "fix" gives the example the label `likely`, "drop" leaves it out.
        split: the part it was in, which tells rows of a test file from those of the training file.
        example: its path or row number.
        given: its label when it was suspected; empty for a file that could not be read.
        likely: the label it gets, which the user may have changed.
        line: in the file, for messages.
    """

    action: str
    split: str
    example: str
    given: str
    likely: str
    line: int


def read_edits(path: Path) -> tuple[Edit, ...]:
    """The lines whose action is "fix" or "drop". Raises RecipeError for a file or a word that is not understood."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = table_of(file)
            names, lines = list(reader.fieldnames or ()), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = "which is not in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise RecipeError(
            "a suspects.csv that `inspect` has written",
            f"{path}, {why}",
            "edit what it writes, and save it as CSV UTF-8",
        ) from error
    missing = [c for c in COLUMNS if c not in names]
    if missing:
        raise RecipeError(
            f"a suspects.csv with the columns {', '.join(COLUMNS)}",
            f"{path} without {', '.join(missing)}",
            "keep the first line as `inspect` has written it",
        )
    edits: dict[tuple[str, str], Edit] = {}
    for edit in (_edit(line, number, path) for number, line in enumerate(lines, start=2)):
        known = edits.setdefault((edit.split, edit.example), edit)
        if dataclasses.replace(known, line=edit.line) != edit:
            raise RecipeError(
                "one decision for each example",
                f"two for {edit.example!r}, in lines {known.line} and {edit.line} of {path}",
                "take one of the lines out",
            )
    return tuple(e for e in edits.values() if e.action in ("fix", "drop"))


def apply(
    edits: Sequence[Edit], parts: dict[str, Part], given: frozenset[str], labels: Labels
) -> tuple[dict[str, Part], list[Finding]]:
    """The parts with these edits, and what was done.

    Args:
        edits: what `read_edits` returned.
        parts: train, validation and test with encoded labels.
        given: names of the parts that the source itself has; the others were drawn from its "train".
        labels: how labels are encoded.

    Raises:
        RecipeError: an example that is not there, that has another label than when it was suspected, a new label that
            is none of the classes, or a part of which nothing would be left.
    """
    if not edits:
        return parts, []
    places = _places(edits, parts, given)
    dropped: dict[str, list[int]] = {}
    y = {name: part.y.copy() for name, part in parts.items()}
    for edit in edits:
        if edit.action == "drop" and not edit.given:
            continue  # a file that cannot be decoded: it was not read
        name, row = _place(edit, places, given)
        _check_given(edit, labels, y[name][row])
        if edit.action == "drop":
            dropped.setdefault(name, []).append(row)
        else:
            y[name][row] = _encoded(edit, labels)
    changed = {name: _with_labels(part, y[name], dropped.get(name, []), name) for name, part in parts.items()}
    return changed, [_told(edits)]


def _edit(line: dict[str, str | None], number: int, path: Path) -> Edit:
    values = {c: unguarded((line[c] or "").strip()) for c in COLUMNS}
    action = values.pop("action").lower()
    if action not in (*ACTIONS, ""):
        raise RecipeError(
            f"an action, one of {', '.join(ACTIONS)}, or an empty cell",
            f"{action!r} in line {number} of {path}",
            nearest(action, ACTIONS),
        )
    return Edit(action, **values, line=number)


def _origin(split: str, given: frozenset[str]) -> str:
    return split if split in given else "train"


def _places(
    edits: Sequence[Edit], parts: dict[str, Part], given: frozenset[str]
) -> dict[tuple[str, str], tuple[str, int]]:
    """Where the examples are that the edits speak of: (part of the source, id) to (part, row)."""
    wanted = {e.example for e in edits}
    return {
        (_origin(name, given), example): (name, row)
        for name, part in parts.items()
        for row, example in enumerate(map(str, part.ids))
        if example in wanted
    }


def _place(edit: Edit, places: dict[tuple[str, str], tuple[str, int]], given: frozenset[str]) -> tuple[str, int]:
    place = places.get((_origin(edit.split, given), edit.example))
    if place is None:
        raise RecipeError(
            "suspects of this data",
            f"{edit.example!r} in line {edit.line}, which is not there",
            "take the line out, or run `inspect` again",
        )
    return place


def _check_given(edit: Edit, labels: Labels, now: np.ndarray) -> None:
    if labels.task == "regression":
        return  # targets were rounded for the reader
    name = labels.classes[int(now)]
    if name != edit.given:
        raise RecipeError(
            f"{edit.example!r} labelled {edit.given!r}, as when it was suspected",
            f"{name!r} in the data now, or two lines for it (line {edit.line})",
            "take the line out, or run `inspect` again",
        )


def _encoded(edit: Edit, labels: Labels) -> np.ndarray | float:
    if labels.task == "regression":
        try:
            return float(edit.likely)
        except ValueError as error:
            raise RecipeError("a number as the likely target", f"{edit.likely!r} in line {edit.line}", "") from error
    if edit.likely not in labels.classes:
        raise RecipeError(
            f"a likely label that is one of the {len(labels.classes)} classes",
            f"{edit.likely!r} in line {edit.line}",
            nearest(edit.likely, labels.classes),
        )
    return labels.classes.index(edit.likely)


def _with_labels(part: Part, y: np.ndarray, dropped: Sequence[int], name: str) -> Part:
    return without(dataclasses.replace(part, y=y), dropped, name)


def _told(edits: Sequence[Edit]) -> Finding:
    counts = Counter(e.action for e in edits)
    message = f"labels fixed: {counts['fix']}, examples dropped: {counts['drop']}, as the edited suspects say"
    rows = tuple((e.action, e.example, e.given, e.likely if e.action == "fix" else "") for e in edits[:SHOWN])
    table = Table(("action", "example", "given", "new label"), rows)
    return Finding("info", "edited", message, evidence=dict(counts), table=table)
