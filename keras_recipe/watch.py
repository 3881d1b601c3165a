"""Who sees a run while it goes on: an observer, and the report and TensorBoard logs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

from keras_recipe.core.records import Record
from keras_recipe.study import Listener
from keras_recipe.views.report import write_report
from keras_recipe.views.suspects import write_suspects
from keras_recipe.views.tensorboard import write_tensorboard

VIEWS_EVERY = 10.0
"""Seconds between two versions of report and TensorBoard logs of a run that goes on."""


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

    def progress(self, stage: str, label: str, epoch: int, epochs: int, values: dict[str, float]) -> None:
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

    def progress(self, stage: str, label: str, epoch: int, epochs: int, values: dict[str, float]) -> None:
        """A trial moved on."""
        self._observer.progress(stage, label, epoch, epochs, values)

    def record(self, record: Record) -> None:
        """A record was written."""
        self._observer.record(record)
        if time.monotonic() - self._written > VIEWS_EVERY:
            write_views(self._directory)
            self._written = time.monotonic()


def write_views(directory: Path) -> None:
    """Everything that a person looks at, from the journal."""
    write_tensorboard(directory)
    write_report(directory)
    write_suspects(directory)
