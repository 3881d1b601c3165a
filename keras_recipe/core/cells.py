"""A .csv that goes through a spreadsheet and back: cells that are no formulas, and whatever delimiter it writes."""

from __future__ import annotations

import csv
from typing import TextIO

DELIMITERS = ",;\t"
"""What spreadsheets write, depending on the language they speak."""

ACTIVE = "=+-@\t\r'"
"""First characters that need a quotation mark before them (OWASP, CSV injection); and the mark, so that there is a way
back."""


def guarded(cell: str) -> str:
    """The cell as text, whatever it begins with; numbers stay as they are."""
    return f"'{cell}" if cell[:1] and cell[0] in ACTIVE and not is_number(cell) else cell


def unguarded(cell: str) -> str:
    """Inverse of `guarded`."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] and cell[1] in ACTIVE else cell


def is_number(cell: str) -> bool:
    """Whether Python reads the cell as a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def table_of(file: TextIO) -> csv.DictReader[str]:
    """The lines of a table by the names of its first line, whose commonest delimiter is that of the table."""
    first = file.readline()
    file.seek(0)
    return csv.DictReader(file, delimiter=max(DELIMITERS, key=first.count))
