"""Dropout in front of batch normalization, and dropout that does no harm to it."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest

from keras_recipe import compiled, objectives
from keras_recipe.checks import CHECKS
from keras_recipe.core.records import Finding
from keras_recipe.data.toys import stripes
from keras_recipe.job import Job
from keras_recipe.loop import Loop
from keras_recipe.models import create
from keras_recipe.problem import Problem

Build = Callable[[Problem], keras.Model]


def found(problem: Problem, tmp_path: object, build: Build) -> list[Finding]:
    """About a model that was trained for as long as its statistics need."""

    def compiled_one() -> tuple[keras.Model, None]:
        model = build(problem)
        model.compile(keras.optimizers.Adam(1e-3), compiled.loss(problem))
        return model, None

    loop = Loop(compiled_one)

    def trained() -> Loop:
        loop.reset(0)
        targets = objectives.targets(problem, problem.train.y)
        for epoch in range(40):
            rows = np.random.default_rng(epoch).permutation(len(problem.train))[:64].reshape(-1, 32)
            loop.train(problem.train.x, targets, rows)
        return loop

    job = Job(problem, tmp_path, lambda seed: loop, 32, 0, trained=trained)  # type: ignore[arg-type]
    return list(CHECKS.get("dropout_before_norm")(job))


def spec(more: str) -> Build:
    return lambda problem: create(f"small_cnn(width=8{more})", problem)


@pytest.mark.parametrize(("rate", "severity"), [(0.3, "warning"), (0.001, "ok")])
def test_dropout_before_batch_normalization_is_warned_about(rate: float, severity: str, tmp_path: object) -> None:
    (finding,) = found(stripes(n=200, size=16), tmp_path, spec(f", spatial_dropout={rate}"))
    assert (finding.severity, finding.cause) == (severity, "dropout")
    assert finding.table is not None
    assert len(finding.table.rows) == 2  # that of the first stage comes before any dropout
    if severity == "warning":
        assert max(finding.evidence["shifts"]) > 1.2


def test_dropout_behind_the_last_batch_normalization_is_fine(tmp_path: object) -> None:
    assert found(stripes(n=200, size=16), tmp_path, spec(", dropout=0.5")) == []


def test_a_model_that_drops_nothing_is_silent(tmp_path: object) -> None:
    assert found(stripes(n=200, size=16), tmp_path, spec("")) == []


def test_a_model_that_was_not_trained_is_not_looked_at(tmp_path: object) -> None:
    job = Job(stripes(n=40), tmp_path, lambda seed: None, 32, 0)  # type: ignore[arg-type, return-value]
    assert list(CHECKS.get("dropout_before_norm")(job)) == []
