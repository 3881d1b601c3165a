"""Where a trial stands, in memory and on disk, so that a killed one goes on from its last epoch."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_recipe.core.whole import whole

if TYPE_CHECKING:
    from keras_recipe.loop import Loop

EVERY_SECONDS = 2.0
"""Least time between two checkpoints: a kill costs no more than this and one epoch."""

SHARE = 0.05
"""Part of the time that writing checkpoints may take: those of large models take seconds."""

_FILE = "checkpoint.npz"

_LAST = "last.npz"
"""The checkpoint of a trial's last epoch, from which a longer one may go on."""


@dataclass
class Course:
    """The course of one training run so far.

    Attributes:
        history: one value an epoch of "loss", "score", "val_loss", "val_score".
        best_epoch: epoch (1 is the first) with the lowest validation loss.
        best_state: state of the loop then, where the config asks for it.
        seconds: spent by earlier processes, and by the trial that this one goes on from.
        inherited: the latter alone.
        startup: seconds before the first gradient steps were done, 0 until then.
        began: `time.monotonic()` at which this process took over.
        histograms: of weights, gradients and updates by epoch (0 is the first); see `keras_recipe.histograms`.
    """

    history: dict[str, list[float]] = field(
        default_factory=lambda: {"loss": [], "score": [], "val_loss": [], "val_score": []}
    )
    best_epoch: int = 0
    best_state: list[np.ndarray] | None = None
    seconds: float = 0.0
    inherited: float = 0.0
    startup: float = 0.0
    began: float = field(default_factory=time.monotonic)
    histograms: dict[int, np.ndarray] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """Epochs done."""
        return len(self.history["loss"])

    def add(self, logs: dict[str, float], state: list[np.ndarray] | None) -> None:
        """Note an epoch, and its state where it is the best so far."""
        losses = self.history["val_loss"]
        best = not losses or logs["val_loss"] < losses[self.best_epoch - 1]
        for name, value in logs.items():
            self.history[name].append(value)
        if best:
            self.best_epoch, self.best_state = self.epochs, state


def save(directory: Path, loop: Loop, course: Course, seconds: float, elapsed: float) -> None:
    """Write course and loop, all or nothing; `elapsed` is what the whole run has taken so far."""
    notes = {
        "history": course.history,
        "best_epoch": course.best_epoch,
        "seconds": seconds,
        "inherited": course.inherited,
        "startup": course.startup,
        "elapsed": elapsed,
    }
    arrays = {f"now_{i:04}": v for i, v in enumerate(loop.state())}
    arrays |= {f"best_{i:04}": v for i, v in enumerate(course.best_state or ())}
    arrays |= {f"histograms_{epoch}": v for epoch, v in course.histograms.items()}
    write_arrays(directory / _FILE, arrays | {"notes": np.array(json.dumps(notes))})


def load(directory: Path | None, loop: Loop, before: Path | None = None) -> Course | None:
    """Put the loop where the checkpoint left it and return its course; None where there is no checkpoint.

    Args:
        directory: of the trial.
        loop: of the trial.
        before: directory of a trial that is the beginning of this one; its last epoch is taken where this one has no
            checkpoint of its own.
    """
    own = directory is not None and (directory / _FILE).is_file()
    path = directory / _FILE if own and directory is not None else before / _LAST if before is not None else None
    if path is None or not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as arrays:
        notes = json.loads(str(arrays["notes"]))
        del notes["elapsed"]
        if not own:
            notes["inherited"] = notes["seconds"]
        loop.restore(_sequence(arrays, "now_"))
        measured = {int(n.rpartition("_")[2]): arrays[n] for n in arrays.files if n.startswith("histograms_")}
        return Course(**notes, best_state=_sequence(arrays, "best_") or None, histograms=measured)


def elapsed(directory: Path) -> float:
    """Seconds that the whole run had taken at the checkpoint in this directory, 0 where there is none."""
    if not (directory / _FILE).is_file():
        return 0.0
    with np.load(directory / _FILE, allow_pickle=False) as arrays:
        return float(json.loads(str(arrays["notes"]))["elapsed"])


def close(directory: Path) -> None:
    """The trial is recorded: its checkpoint becomes that of its last epoch."""
    with suppress(FileNotFoundError):
        (directory / _FILE).replace(directory / _LAST)


def discard(directory: Path) -> None:
    """Take the checkpoints away."""
    for name in (_FILE, _LAST):
        (directory / name).unlink(missing_ok=True)


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write an `.npz` so that the name never stands for half a file. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as draft, draft.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())


def write_sequence(path: Path, arrays: Sequence[np.ndarray]) -> None:
    """Write arrays in order; `read_sequence` returns them."""
    write_arrays(path, {f"array_{i:04}": v for i, v in enumerate(arrays)})


def read_sequence(path: Path) -> list[np.ndarray]:
    """Inverse of `write_sequence`."""
    with np.load(path, allow_pickle=False) as arrays:
        return _sequence(arrays, "array_")


def _sequence(arrays: np.lib.npyio.NpzFile, prefix: str) -> list[np.ndarray]:
    return [arrays[name] for name in sorted(arrays.files) if name.startswith(prefix)]
