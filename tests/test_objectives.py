from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    log_loss,
    mean_absolute_error,
    root_mean_squared_error,
)

from keras_recipe import objectives
from keras_recipe.core.errors import RecipeError
from keras_recipe.problem import Problem

RNG = np.random.default_rng(0)
Y, P = RNG.integers(0, 3, 50), RNG.dirichlet([1, 1, 1], 50)
T, Q = RNG.normal(size=(50, 2)), RNG.normal(size=(50, 2))


@pytest.mark.parametrize(
    ("metric", "ours", "theirs"),
    [
        ("accuracy", (Y, P), accuracy_score(Y, P.argmax(1))),
        ("balanced_accuracy", (Y, P), balanced_accuracy_score(Y, P.argmax(1))),
        ("log_loss", (Y, P), log_loss(Y, P)),
        ("mae", (T, Q), mean_absolute_error(T, Q)),
        ("rmse", (T[:, :1], Q[:, :1]), root_mean_squared_error(T[:, :1], Q[:, :1])),
    ],
)
def test_metrics_are_those_of_scikit_learn(metric: str, ours: tuple[np.ndarray, np.ndarray], theirs: float) -> None:
    assert objectives.score(metric, *ours) == pytest.approx(theirs)


@pytest.mark.parametrize("metric", objectives.METRICS)
def test_the_slope_is_the_derivative_of_the_value(metric: str) -> None:
    m = objectives.METRICS[metric]
    assert m.slope(-0.5) == pytest.approx((m.value(-0.5 + 1e-6) - m.value(-0.5 - 1e-6)) / 2e-6, rel=1e-4)
    assert (m.slope(-0.5) > 0) == m.higher_is_better


def test_what_does_not_fit_the_task_is_refused() -> None:
    assert objectives.objective("regression").metric == "rmse"
    assert objectives.loss("binary") == "crossentropy"
    with pytest.raises(RecipeError, match="accuracy"):
        objectives.objective("multiclass", "acuracy")
    with pytest.raises(RecipeError, match="regression"):
        objectives.loss("regression", "crossentropy")


def test_standardized_targets_come_back_in_the_users_unit(line: Problem) -> None:
    y = line.train.y
    np.testing.assert_allclose(objectives.predictions(line, objectives.targets(line, y)), y, rtol=1e-4, atol=1e-4)


def test_logits_become_probabilities_and_nan_becomes_a_guess(blobs: Problem) -> None:
    found = objectives.predictions(blobs, np.array([[1000.0, 0.0, 0.0], [np.nan, np.nan, np.nan]]))
    np.testing.assert_allclose(found, [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]])
