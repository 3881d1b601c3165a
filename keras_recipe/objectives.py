"""Losses and metrics by name, and which of them a task gets when the user names none.

Every metric here is a mean (or a function of a mean) over examples: `gains` returns that example's part, higher
being better, so that two models can be compared example by example.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from keras_recipe.core.errors import RecipeError, nearest
from keras_recipe.core.records import Objective
from keras_recipe.problem import Problem

Gains = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Metric:
    """A metric over examples.

    Attributes:
        gains: (labels, predictions) -> (examples,), higher is better. Predictions are probabilities
            (examples, classes), or targets in the user's unit (examples, targets).
        value: mean of the gains -> value in the metric's own unit.
        slope: mean of the gains -> derivative of `value` there, which carries an interval over (delta method).
        higher_is_better: direction of `value`.
        regression: whether it is for regression.
    """

    gains: Gains
    value: Callable[[float], float]
    slope: Callable[[float], float]
    higher_is_better: bool
    regression: bool


def _correct(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    return (p.argmax(axis=1) == y).astype("float64")


def _balanced(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    counts = np.bincount(y, minlength=p.shape[1]).astype("float64")
    weights = len(y) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return _correct(y, p) * weights[y]


def _log_likelihood(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    # 1e-7 is the floor of keras.losses: one confident mistake must not outweigh a thousand examples.
    return np.log(np.clip(p[np.arange(len(y)), y].astype("float64"), 1e-7, 1.0))


def _minus_squared(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    return -np.square(p.astype("float64") - y).mean(axis=1)


def _minus_absolute(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    return -np.abs(p.astype("float64") - y).mean(axis=1)


METRICS: dict[str, Metric] = {
    "accuracy": Metric(_correct, float, lambda _: 1.0, True, False),
    "balanced_accuracy": Metric(_balanced, float, lambda _: 1.0, True, False),
    "log_loss": Metric(_log_likelihood, lambda g: -g, lambda _: -1.0, False, False),
    "rmse": Metric(
        _minus_squared, lambda g: float(np.sqrt(-g)), lambda g: float(-0.5 / np.sqrt(max(-g, 1e-30))), False, True
    ),
    "mae": Metric(_minus_absolute, lambda g: -g, lambda _: -1.0, False, True),
}

LOSSES: dict[str, bool] = {"crossentropy": False, "mse": True, "mae": True, "huber": True}
"""Name of a loss to whether it is for regression."""


def objective(task: str, metric: str | None = None) -> Objective:
    """The objective of a task: accuracy, or RMSE for regression, unless a metric is named. Raises RecipeError."""
    name = metric or ("rmse" if task == "regression" else "accuracy")
    fitting = [m for m, v in METRICS.items() if v.regression == (task == "regression")]
    if name not in fitting:
        raise RecipeError(f"a metric for {task}", repr(name), nearest(name, fitting))
    return Objective(name, METRICS[name].higher_is_better)


def loss(task: str, name: str | None = None) -> str:
    """Name of the training loss: cross-entropy, or mean squared error for regression. Raises RecipeError."""
    chosen = name or ("mse" if task == "regression" else "crossentropy")
    fitting = [k for k, regression in LOSSES.items() if regression == (task == "regression")]
    if chosen not in fitting:
        raise RecipeError(f"a loss for {task}", repr(chosen), nearest(chosen, fitting))
    return chosen


def score(metric: str, y: np.ndarray, predictions: np.ndarray) -> float:
    """Value of the metric over these examples."""
    m = METRICS[metric]
    return m.value(float(m.gains(y, predictions).mean()))


def written(metric: str, value: float) -> str:
    """The metric with its value, as a person reads it: "accuracy 98.1 %", "rmse 50,496"."""
    if METRICS[metric].higher_is_better:
        return f"{metric} {value:.1%}".replace("%", " %")
    return f"{metric} {value:,.0f}" if abs(value) >= 1000 else f"{metric} {value:.4g}"


def amount(metric: str, gain: float, *, sign: bool = False, unit: bool = True) -> str:
    """A gain of the metric, as a person reads it: "+1.8 points", "812"."""
    if METRICS[metric].higher_is_better:
        return f"{gain * 100:{'+' if sign else ''}.1f}{' points' if unit else ''}"
    return f"{gain:{'+' if sign else ''}{',.0f' if abs(gain) >= 1000 else '.3g'}}"


def predictions(problem: Problem, outputs: np.ndarray) -> np.ndarray:
    """What a model's outputs mean, as the metrics take it.

    Logits become probabilities (examples, classes), two columns for binary tasks; standardized targets come back
    in the user's unit. Outputs that are not finite (a diverged model) count as 0.
    """
    outputs = np.nan_to_num(outputs.astype("float64"), nan=0.0, posinf=0.0, neginf=0.0)
    if problem.signature.task == "regression":
        mean, deviation = problem.target_moments()
        return outputs * deviation + mean
    if problem.signature.task == "binary":
        outputs = np.concatenate([np.zeros_like(outputs), outputs], axis=1)
    exponents = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


def targets(problem: Problem, y: np.ndarray) -> np.ndarray:
    """Labels as the losses take them: class indices, (examples, 1) for binary, or standardized targets."""
    if problem.signature.task == "regression":
        mean, deviation = problem.target_moments()
        return ((y - mean) / deviation).astype("float32")
    return y[:, None].astype("float32") if problem.signature.task == "binary" else y
