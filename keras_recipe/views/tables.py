"""A finding's table as cells to show: numbers as a person reads them, bars, and where it is cut."""

from __future__ import annotations

from dataclasses import dataclass

from keras_recipe.core.records import Table
from keras_recipe.views.units import count, number

OPEN = 12
"""Rows that are seen at once on a page; the rest is folded away."""

BLOCKS = " ▏▎▍▌▋▊▉█"
WIDE = 12
"""Characters of the longest bar where it is made of text."""


@dataclass(frozen=True)
class Cell:
    """A cell: `share` is the length of its bar, 0..1, or None where none is drawn."""

    text: str
    number: bool = False
    share: float | None = None


def cells(table: Table) -> list[list[Cell]]:
    """The rows as they are shown."""
    place = table.columns.index(table.bars) if table.bars in table.columns else -1
    values = [row[place] for row in table.rows] if place >= 0 else []
    largest = max((float(v) for v in values if isinstance(v, int | float)), default=0.0)
    return [
        [_cell(value, largest if column == place else None) for column, value in enumerate(row)] for row in table.rows
    ]


def numeric(table: Table) -> list[bool]:
    """Whether each column holds numbers, which are set to the right."""
    return [all(isinstance(row[i], int | float | None) for row in table.rows) for i in range(len(table.columns))]


def bar(share: float) -> str:
    """A bar of block characters."""
    eighths = round(share * WIDE * 8)
    return BLOCKS[-1] * (eighths // 8) + BLOCKS[eighths % 8].strip()


def _cell(value: str | float | int | None, largest: float | None) -> Cell:
    share = None
    if largest is not None and isinstance(value, int | float):
        share = max(float(value), 0.0) / largest if largest > 0 else 0.0
    if value is None:
        return Cell("–", share=share)
    if isinstance(value, bool | str):
        return Cell(str(value))
    whole = value >= 0 and float(value).is_integer()
    return Cell(count(int(value)) if whole else number(value), True, share)
