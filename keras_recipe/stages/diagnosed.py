"""A stage is blocked where the recipe's own job does not learn: why, is proved as it is for anybody's job."""

from __future__ import annotations

import time
from collections.abc import Container
from typing import Any

import numpy as np

from keras_recipe import objectives
from keras_recipe.core.config import Config
from keras_recipe.core.diagnosis import Fault, Grade
from keras_recipe.core.errors import RecipeError
from keras_recipe.core.records import CheckRun, Finding, Severity
from keras_recipe.problem import Problem, Split
from keras_recipe.study import Study

SECONDS = 60.0
"""At most, and no more than what is left of the budget."""

ROWS = 5000
"""Examples of each split, at most: a model that learns nothing shows it on a part of them."""

SEVERITIES: dict[Grade, Severity] = {"ERROR": "error", "WARNING": "warning", "INFO": "info"}


def diagnosed(
    study: Study, config: Config, stage: str, seconds: float = SECONDS, mild: Container[str] = ()
) -> tuple[Finding, ...]:
    """What `diagnose` proves in so many seconds to be wrong with the training job of a config, the strongest first.

    () where it proves nothing. It is recorded as a check of the stage that it may block, `mild` causes as warnings.
    """

    def look() -> CheckRun:
        began = time.monotonic()
        faults = [fault for fault in _faults(study, config, seconds) if fault.severity != "INFO"]
        findings = tuple(_finding(fault, fault.cause in mild) for fault in faults)
        text = "Repairs that something measured speaks for are tried on the job itself."
        return CheckRun(key, stage, "diagnosis", text, findings, time.monotonic() - began)

    key = f"check/{stage}/diagnosis/{config.digest()}"
    return tuple(f for f in study.memo(CheckRun, key, look).findings if f.severity == "error")


def _faults(study: Study, config: Config, seconds: float) -> tuple[Fault, ...]:
    from keras_recipe.compiled import build
    from keras_recipe.diagnosis.examine import examine
    from keras_recipe.diagnosis.fitting import bound
    from keras_recipe.reseed import seeded

    problem = study.problem
    with seeded(study.seed):
        model, _ = build(problem, config)
    x, y = _some(problem, problem.train, study.seed)
    told: dict[str, Any] = {"validation_data": _some(problem, problem.validation, study.seed)}
    fit = bound(model, (x, y), told | {"batch_size": config.batch_size, "epochs": config.epochs, "verbose": 0})
    try:
        return examine(fit, max(1.0, min(SECONDS, seconds, study.remaining))).faults
    except RecipeError:  # a model that it cannot look into must not hide what has blocked the stage
        return ()


def _some(problem: Problem, split: Split, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """At most ROWS examples of a split, with the targets that the model is trained on."""
    x, y = split.sample(ROWS, seed)
    return np.asarray(x), objectives.targets(problem, y)


def _finding(fault: Fault, mild: bool) -> Finding:
    hint = "; ".join(part for part in (fault.hint, fault.patch) if part)
    where = f" ({fault.layer})" if fault.layer else ""
    return Finding(
        "warning" if mild else SEVERITIES[fault.severity],
        fault.cause,
        fault.message + where,
        fault.expected,
        fault.measured,
        hint,
        fault.evidence,
    )
