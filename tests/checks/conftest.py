"""Jobs for checks to look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest

from keras_recipe.checks import CHECKS
from keras_recipe.compiled import build
from keras_recipe.core.config import Config
from keras_recipe.core.records import Finding
from keras_recipe.job import Job
from keras_recipe.loop import Loop
from keras_recipe.problem import Problem


@pytest.fixture
def job_of(tmp_path: Path) -> Callable[..., Job]:
    """A job of a small model, or of a compiled one that the test makes."""

    def job(problem: Problem, compiled: Callable[[Problem], keras.Model] | None = None, **fields: Any) -> Job:
        def made() -> tuple[keras.Model, keras.Model | None]:
            if compiled is not None:
                return compiled(problem), None
            return build(problem, Config("mlp(depth=1, width=32)", "adam(learning_rate=0.003)"))

        loops: list[Loop] = []

        def fresh(seed: int) -> Loop:
            if not loops:
                loops.append(Loop(made))
            loops[0].reset(seed)
            return loops[0]

        return Job(**{"problem": problem, "directory": tmp_path, "fresh": fresh, "batch_size": 16, "seed": 0} | fields)

    return job


@pytest.fixture
def look(job_of: Callable[..., Job]) -> Callable[..., list[Finding]]:
    """Findings of a check about a problem."""

    def look(check: str, problem: Problem, *arguments: Any, **fields: Any) -> list[Finding]:
        return list(CHECKS.get(check)(job_of(problem, *arguments, **fields)))

    return look


@pytest.fixture
def alarms() -> Callable[[list[Finding]], set[str]]:
    """Causes of warnings and errors."""
    return lambda findings: {f.cause for f in findings if f.severity in ("warning", "error")}
