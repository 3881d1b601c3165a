"""The record of a run: append-only JSON lines, one content-keyed record a line.

A line counts once its newline is on disk. A process may die at any byte: the torn tail is cut off at the next
opening, and whoever computed that record computes it again (Optuna's journal storage works this way).
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import TypeVar

from keras_recipe.core.errors import RecipeError
from keras_recipe.core.records import Evaluation, Record, Run, from_json, to_json

R = TypeVar("R", bound=Record)

FILE = "journal.jsonl"


class Journal:
    """Records of one run directory, in memory and on disk.

    Args:
        directory: the run directory; it must exist.

    Raises:
        RecipeError: another process writes this journal, or a line that is not the last cannot be read.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE
        self._file = _locked(self.path)
        try:
            lines = self._read()
        except RecipeError:
            self._file.close()
            raise
        self._records: dict[str, Record] = {r.key: r for r, _ in lines}
        begins = max((i for i, (r, _) in enumerate(lines) if isinstance(r, Run)), default=0)
        self._before = max((elapsed for _, elapsed in lines[begins:]), default=0.0)
        self._opened = time.monotonic()

    def _read(self) -> list[tuple[Record, float]]:
        """The whole lines; a torn one after them is cut off."""
        self._file.seek(0)
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        os.ftruncate(self._file.fileno(), whole)
        return _lines(content[:whole], self.path)

    @property
    def elapsed(self) -> float:
        """Seconds spent on this run by all processes that have worked on it, this one included."""
        return self._before + time.monotonic() - self._opened

    def restart(self) -> None:
        """Begin to count time anew: the next record is the header of a run that goes on where another one ended."""
        self._before, self._opened = 0.0, time.monotonic()

    def credit(self, seconds: float) -> None:
        """Count work that an earlier process did after its last record (a checkpoint remembers how much)."""
        self._before += seconds

    def append(self, record: Record) -> None:
        """Write one record. It is on disk when this returns. Raises OSError, and then nothing was recorded."""
        if record.key in self._records:
            raise ValueError(f"the journal holds {record.key!r} already")
        line = json.dumps(to_json(record) | {"elapsed": round(self.elapsed, 3)}, allow_nan=True) + "\n"
        end = os.fstat(self._file.fileno()).st_size
        try:
            rest = memoryview(line.encode())
            while rest:  # an almost full disk takes a part before it refuses
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError:
            os.ftruncate(self._file.fileno(), end)
            raise
        self._records[record.key] = record

    def get(self, kind: type[R], key: str) -> R | None:
        """The record of this key, or None. Raises TypeError if it is of another kind."""
        record = self._records.get(key)
        if record is None or isinstance(record, kind):
            return record
        raise TypeError(f"{key!r} is a {type(record).__name__}, not a {kind.__name__}")

    def __iter__(self) -> Iterator[Record]:
        return iter(list(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)

    def close(self) -> None:
        """Give the lock back."""
        self._file.close()


def read(directory: Path) -> list[Record]:
    """Records of a run directory for whoever only looks: no lock is taken, nothing is mended.

    Raises RecipeError where there is no journal.
    """
    path = directory / FILE
    if not path.is_file():
        raise RecipeError(
            f"a run directory, one that holds {FILE}",
            str(directory),
            "give the directory that `train` printed (runs/<name> unless --out was given)",
        )
    return [record for record, _ in _lines(path.read_bytes().rpartition(b"\n")[0], path)]


def remove(directory: Path) -> None:
    """Delete a journal, if there is one. Raises RecipeError while another process writes it."""
    path = directory / FILE
    if path.is_file():
        file = _locked(path)
        path.unlink()
        file.close()


def run_of(records: list[Record]) -> Run:
    """The header; of a run that went on with more data, its own. Raises RecipeError for an empty journal."""
    runs = select(records, Run)
    if runs:
        return runs[-1]
    raise RecipeError("a journal that has begun", "one without a single record", "run `train` again")


def evaluation_of(records: list[Record]) -> Evaluation | None:
    """The final evaluation of the latest run, or None while that is not finished."""
    latest = next((r for r in reversed(records) if isinstance(r, Run | Evaluation)), None)
    return latest if isinstance(latest, Evaluation) else None


def evaluation_before(records: list[Record]) -> Evaluation | None:
    """How the run ended that the latest one goes on from, None where there is none."""
    header = max((i for i, r in enumerate(records) if isinstance(r, Run)), default=0)
    return evaluation_of(records[:header])


def evaluation_key(records: list[Record]) -> str:
    """Key of the evaluation that ends the latest run."""
    runs = select(records, Run)
    return "evaluation" if len(runs) < 2 else f"evaluation/{len(runs)}"


def select(records: list[Record], kind: type[R]) -> list[R]:
    """Records of one kind, in order."""
    return [r for r in records if isinstance(r, kind)]


def _locked(path: Path) -> FileIO:
    file = path.open("a+b", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise RecipeError(
            "a run directory that no other process is writing",
            f"{path.parent}, which another process has open",
            "wait for it, stop it, or give another directory with --out",
        ) from error
    return file


def _lines(content: bytes, path: Path) -> list[tuple[Record, float]]:
    """Records, each with what the run had taken by then."""
    lines = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            values = json.loads(line)
            lines.append((from_json(values), float(values["elapsed"])))
        except (ValueError, KeyError, TypeError) as error:
            raise RecipeError(
                "a journal of whole JSON lines",
                f"{path}, of which line {number} cannot be read",
                "restore the file from a copy, or start over with --fresh",
            ) from error
    return lines
