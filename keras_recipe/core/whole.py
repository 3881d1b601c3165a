"""Files that are whole or not there."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DRAFTS = ".draft.*"
"""Names of what is being written, and of what a killed process has left half written."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A draft in the same folder to write to, which takes the name of `path` when the block ends; none is left where it
    raises. Whoever reads `path` meanwhile never sees half of it.

    The draft has the suffix of `path` and none of its name: TensorBoard reads whatever has "tfevents" in its name.
    """
    draft = path.with_name(f"{DRAFTS[:-1]}{os.getpid()}.{threading.get_ident()}{path.suffix}")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
