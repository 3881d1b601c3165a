"""The run directory: made, swept, emptied, and the split written down in it."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from keras_recipe.core import journal
from keras_recipe.core.errors import RecipeError
from keras_recipe.core.records import OUTCOMES, SUSPECTS
from keras_recipe.core.whole import DRAFTS
from keras_recipe.problem import Problem

MODEL = "model.keras"

SIMULATED = "simulated"
"""Folder of the simulated examples that a run has made."""


def made(directory: Path) -> Path:
    """The directory, which exists and can be written. Raises RecipeError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise unwritable(directory, error) from error
    return directory


def unwritable(directory: Path, error: OSError) -> RecipeError:
    """The message for a directory that cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        do = "make room on that disk and run the same command again: it goes on where it was"
    else:
        do = "give a directory that you may write to with --out"
    where = f" ({error.filename})" if error.filename else ""
    return RecipeError("a run directory that can be written", f"{directory}: {error.strerror or error}{where}", do)


FILES, FOLDERS = ("report.html", MODEL, "split.csv", OUTCOMES), ("trials", "artifacts", "tensorboard", SIMULATED)
"""What a run leaves beside its journal, and may be taken away with it."""


def start_over(directory: Path) -> None:
    """Take a run out of its directory; files that the recipe has not written, or the user has edited, stay.

    Raises RecipeError while another process is at work there, and where there are files with the names of a run's but
    no journal that speaks of them: they are somebody else's.
    """
    if not (directory / journal.FILE).exists():
        foreign = [name for name in (*FILES, *FOLDERS, SUSPECTS) if (directory / name).exists()]
        if foreign:
            raise RecipeError(
                "a directory that is new, or holds an earlier run",
                f"{directory} with {', '.join(foreign)}, but without the journal of a run",
                "give another directory with --out",
            )
        return
    journal.remove(directory)
    for name in FILES:
        (directory / name).unlink(missing_ok=True)
    for name in FOLDERS:
        shutil.rmtree(directory / name, ignore_errors=True)


def sweep(directory: Path) -> None:
    """Take away what killed processes have half written; nobody else writes here while the journal is open."""
    for path in [*directory.glob(DRAFTS), *(p for name in FOLDERS for p in (directory / name).rglob(DRAFTS))]:
        path.unlink(missing_ok=True)


def write_split(problem: Problem, directory: Path) -> None:
    """Which example is in which split, as a table that outlives the run."""
    with (directory / "split.csv").open("w", encoding="utf-8") as file:
        file.write("split,example\n")
        for name in ("train", "validation", "test"):
            for example in getattr(problem, name).ids:
                file.write(f'{name},"{str(example).replace(chr(34), chr(34) * 2)}"\n')
