"""The confusion matrix, ready to be drawn: as a table where it fits, and always its most frequent mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keras_recipe.views.story import confused

# A table of more columns than this is not read; the most frequent mistakes are.
MOST_CLASSES = 30
MOST_PAIRS = 8


@dataclass(frozen=True)
class Cell:
    """Count, and its share of the true class (0..1), which shades the cell."""

    count: int
    share: float
    right: bool


@dataclass(frozen=True)
class Row:
    """A true class: its cells by predicted class, its size, and the share that was recognised."""

    name: str
    cells: tuple[Cell, ...]
    size: int
    recall: float | None


@dataclass(frozen=True)
class Mistake:
    """Examples of class `true`, taken for class `predicted`."""

    true: str
    predicted: str
    count: int
    size: int


@dataclass(frozen=True)
class Confusion:
    """The matrix by rows (empty for many classes) and the most frequent mistakes."""

    rows: tuple[Row, ...]
    classes: tuple[str, ...]
    mistakes: tuple[Mistake, ...]


def confusion(counts: Sequence[Sequence[int]], names: Sequence[str]) -> Confusion:
    """From counts, [true class][predicted class]. Classes without a name get their index."""
    classes = tuple(names[i] if i < len(names) else str(i) for i in range(len(counts)))
    mistakes = tuple(Mistake(classes[i], classes[j], n, sum(counts[i])) for i, j, n in confused(counts, MOST_PAIRS))
    few = len(counts) <= MOST_CLASSES
    return Confusion(tuple(_row(i, classes[i], row) for i, row in enumerate(counts)) if few else (), classes, mistakes)


def _row(index: int, name: str, counts: Sequence[int]) -> Row:
    size = sum(counts)
    cells = tuple(Cell(n, n / size if size else 0.0, i == index) for i, n in enumerate(counts))
    return Row(name, cells, size, counts[index] / size if size else None)
