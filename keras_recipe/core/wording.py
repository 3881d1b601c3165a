"""Numbers in sentences."""

from __future__ import annotations


def plural(value: int, noun: str) -> str:
    """`1 seed`, `3,000 seeds`, `2 boxes`."""
    ending = "es" if noun.endswith(("s", "x")) else "s"
    return f"{value:,} {noun}{'' if value == 1 else ending}"
