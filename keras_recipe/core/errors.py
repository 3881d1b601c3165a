"""The one error that a user is meant to read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RecipeError(ValueError):
    """What was expected, what was received, and what to do about it.

    Every message for a user has these three parts; the command line prints it and exits with status 2.
    """

    def __init__(self, expected: str, received: str, do: str) -> None:
        self.expected, self.received, self.do = expected, received, do
        super().__init__(f"Expected {expected}.\nReceived {received}.\nTo do: {do}.")


def nearest(name: str, known: Iterable[str]) -> str:
    """Sentence that names the known name most like `name`, or else all of them."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"use {close[0]!r}, the nearest of them" if close else f"use one of: {', '.join(known)}"
