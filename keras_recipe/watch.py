"""Who sees a run while it goes on: an observer, and the report and TensorBoard logs."""

from __future__ import annotations

import errno
import time
import warnings
from pathlib import Path
from typing import Protocol

from keras_recipe.core.progress import Progress
from keras_recipe.core.records import Record
from keras_recipe.study import Listener
from keras_recipe.views.report import write_report
from keras_recipe.views.suspects import write_suspects
from keras_recipe.views.tensorboard import write_tensorboard

VIEWS_EVERY = 10.0
"""Seconds between two versions of report and TensorBoard logs of a run that goes on."""


UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR)
"""Errors of a disk or a directory, not of a picture."""


class Observer(Listener, Protocol):
    """Whoever shows a run while it goes on."""

    def reused(self, count: int) -> None:
        """So many records of earlier processes are not computed again."""

    def close(self) -> None:
        """The run ends."""


class Silent:
    """An observer that shows nothing."""

    def record(self, record: Record) -> None:
        """Nothing."""

    def trying(self, move: str) -> None:
        """Nothing."""

    def progress(self, progress: Progress) -> None:
        """Nothing."""

    def reused(self, count: int) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Watch:
    """Passes records on, and keeps report and TensorBoard logs fresh while the run goes on.

    Args:
        observer: who is told.
        directory: of the run.
    """

    def __init__(self, observer: Observer, directory: Path) -> None:
        self._observer, self._directory = observer, directory
        self._written = time.monotonic()

    def trying(self, move: str) -> None:
        """A move begins, or the last one has ended."""
        self._observer.trying(move)

    def progress(self, progress: Progress) -> None:
        """A trial, or another work, moved on."""
        self._observer.progress(progress)

    def record(self, record: Record) -> None:
        """A record was written."""
        self._observer.record(record)
        if time.monotonic() - self._written > VIEWS_EVERY:
            refresh(self._directory)
            self._written = time.monotonic()


def refresh(directory: Path) -> None:
    """Write all views, and tell what cannot be drawn: it must not end hours of training, nor hide how they ended.

    Raises OSError where the directory cannot be written at all.
    """
    try:
        write_views(directory)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in UNWRITABLE:
            raise
        said = f"the report could not be written ({type(error).__name__}: {error}); the journal has everything"
        warnings.warn(said, RuntimeWarning, stacklevel=2)


def write_views(directory: Path) -> None:
    """Everything that a person looks at, from the journal."""
    write_tensorboard(directory)
    write_report(directory)
    write_suspects(directory)
