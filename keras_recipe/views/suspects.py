"""suspects.csv: every example that a check would have a person look at, one line each, for the person to decide about.

What the user has written into it is the user's: a new version of the file takes it over.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from keras_recipe.core import journal
from keras_recipe.core.cells import guarded, table_of, unguarded
from keras_recipe.core.records import SUSPECTS, CheckRun, Record, Suspect
from keras_recipe.core.whole import whole

COLUMNS = ("action", "split", "example", "given", "likely", "confidence", "reason")
"""`action` is for the user: fix (the label becomes `likely`, which may be edited), drop, or keep (as when empty)."""

Lines = dict[tuple[str, str], dict[str, str]]
"""Split and example to a line of the file."""


def write_suspects(directory: Path) -> Path | None:
    """Write the suspects of a run directory's journal, and return the path; None where there are none.

    Raises RecipeError where there is no journal, OSError where the directory is not writable.
    """
    path = directory / SUSPECTS
    decided = {place: line for place, line in _read(path).items() if line["action"]}
    lines = _lines(suspects_of(journal.read(directory))) | decided
    if not lines:
        path.unlink(missing_ok=True)
        return None
    with whole(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({name: guarded(cell) for name, cell in line.items()} for line in lines.values())
    return path


def suspects_of(records: Iterable[Record]) -> list[Suspect]:
    """All suspects of all checks, in their order."""
    return [s for r in records if isinstance(r, CheckRun) for f in r.findings for s in f.suspects]


def _lines(suspects: list[Suspect]) -> Lines:
    """One line an example, those of the highest confidence first; several reasons become one, each with its own."""
    found: dict[tuple[str, str], list[Suspect]] = {}
    for s in sorted(suspects, key=lambda s: -s.confidence):
        found.setdefault((s.split, s.example), []).append(s)
    return {place: _line(reasons) for place, reasons in found.items()}


def _line(suspects: list[Suspect]) -> dict[str, str]:
    first = suspects[0]
    several = len(suspects) > 1
    return {
        "action": "",
        "split": first.split,
        "example": first.example,
        "given": first.given,
        "likely": next((s.likely for s in suspects if s.likely), ""),
        "confidence": f"{first.confidence:.4f}",
        "reason": "; ".join(f"{s.reason} ({s.confidence:.2f})" if several else s.reason for s in suspects),
    }


def _read(path: Path) -> Lines:
    """Lines of a file that is there already; none where it is not, or is no longer such a table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [{c: unguarded(str(line.get(c) or "")) for c in COLUMNS} for line in table_of(file)]
    except (OSError, UnicodeDecodeError, csv.Error):
        return {}
    return {(line["split"], line["example"]): line for line in lines}
