"""Run somebody's script as `python` would, up to its fit."""

from __future__ import annotations

import functools
import os
import runpy
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from keras_recipe.core.diagnosis import Diagnosis, graded
from keras_recipe.core.errors import RecipeError
from keras_recipe.diagnosis.anatomy import caller, located
from keras_recipe.diagnosis.examine import Progress, examine
from keras_recipe.diagnosis.fitting import bound
from keras_recipe.diagnosis.legacy import fits, modern, silent


class Enough(BaseException):
    """Everything that was asked for has been seen: the script need not go on."""


@contextmanager
def intercepted(take: Callable[[int], bool], look: Callable[..., bool]) -> Iterator[list[int]]:
    """Look at calls of `keras.Model.fit` before they begin.

    Args:
        take: number of a call, from 1 -> whether to look at it.
        look: called with the model, its arguments, and the line; returns whether the script is to go on.

    Yields:
        a list that holds the number of calls so far.
    """
    original, count = keras.Model.fit, [0]

    @functools.wraps(original)
    def fit(model: Any, *args: Any, **kwargs: Any) -> Any:
        count[0] += 1
        if take(count[0]) and not look(model, args, kwargs, caller()):
            raise Enough
        return original(model, *args, **kwargs)

    keras.Model.fit = fit
    try:
        yield count
    finally:
        keras.Model.fit = original


def diagnose_script(
    script: str | os.PathLike[str],
    arguments: Sequence[str] = (),
    *,
    budget: float = 60.0,
    fit: str = "1",
    go_on: bool = False,
    progress: Progress = lambda what: None,
) -> list[Diagnosis]:
    """Run a script, and diagnose its calls of `fit`.

    Args:
        script: path of a Python file.
        arguments: its command line.
        budget: seconds for each diagnosis, about.
        fit: "1" for the first call, "2" for the second, ..., or "all".
        go_on: let the script train and end as if nobody had looked.
        progress: told what is being done.

    Raises:
        RecipeError: there is no such script, it stops with an error before that call, or it never calls fit.
    """
    path = Path(script)
    if not path.is_file():
        raise RecipeError("a Python script", f"{path}, which is no file", "give the path of the script that trains")
    if fit != "all" and not (fit.isdigit() and int(fit) >= 1):
        raise RecipeError("--fit 1, 2, ... or all", repr(fit), "number the calls of fit from 1")
    found: list[Diagnosis] = []
    failed: list[RecipeError] = []

    def take(number: int) -> bool:
        return fit == "all" or number == int(fit)

    def look(model: Any, args: Any, kwargs: Any, line: str) -> bool:
        try:
            found.append(examine(bound(model, args, kwargs, line), budget, progress))
        except RecipeError as error:
            failed.append(error)
        except Exception as error:  # whatever a stranger's model does when it is looked at
            failed.append(
                RecipeError(
                    "a job that can be examined",
                    f"{type(error).__name__}: {str(error)[:600].rstrip('. ')}",
                    "run it by python: if fit stops with the same error, mend that; if not, please report it",
                )
            )
            failed[-1].__cause__ = error
        return go_on or fit == "all"

    kept = sys.argv, list(sys.path), os.getcwd()
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.resolve().parent))
    with located(), intercepted(take, look) as count:
        try:
            runpy.run_path(str(path), run_name="__main__")
        except Enough:
            pass
        except SystemExit as error:
            if not found and not failed and error.code not in (None, 0):
                raise RecipeError(
                    "a script that reaches model.fit", f"exit status {error.code} before it", "run it by python first"
                ) from error
        except Exception as error:
            if not found and not failed:
                spelling = modern(error)
                raise RecipeError(
                    "a script that reaches model.fit",
                    _stopped(error, path),
                    f"Keras 3 spells it {spelling}" if spelling else "run it by python first, and mend this",
                ) from error
        finally:
            sys.argv, sys.path[:] = kept[0], kept[1]
            os.chdir(kept[2])
    if failed and not found:
        raise failed[0]
    if not found:
        raise RecipeError(
            f"a call of model.fit number {fit}" if fit != "all" else "a call of model.fit",
            f"{count[0]} calls of keras.Model.fit by the end of {path}",
            "name another with --fit; loops over train_on_batch or GradientTape are not watched",
        )
    source = path.read_bytes()
    unsaid, several = tuple(silent(source, path.name)), fits(source) if fit != "all" else 1
    return [replace(d, faults=graded((*d.faults, *unsaid)), fits=max(several, 1)) for d in found]


def _stopped(error: BaseException, path: Path) -> str:
    """The error, and the line of the script that it comes from."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).name == path.name:
            line = trace.tb_lineno
        trace = trace.tb_next
    where = f" at {path}:{line}" if line else ""
    return f"{type(error).__name__}{where}: {str(error).strip()[:800]}"
