"""Verify the loss at initialization, and initialize the last layer well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipe import objectives
from keras_recipe.checks import check
from keras_recipe.core.records import Finding, Table
from keras_recipe.job import Job

if TYPE_CHECKING:
    from keras_recipe.loop import Loop

INIT_TOLERANCE = 0.5
"""Share by which the loss at initialization may differ from its expected value: correct three-class models started
at 1.11 to 1.50 where ln 3 = 1.10."""

INIT_SEEDS = 3

COST = 0.1
"""Nats that first predictions may cost, for a last bias that is not that of the labels. With the right one, the mean
prediction of untrained networks on toys and digits, over INIT_SEEDS seeds, was off by at most .05."""

OFF = 0.5
"""Standard deviations of the target that the mean of the first predictions may be away from the target's mean."""

CLASSES = 20


@check("baseline", order=20)
def loss_at_init(job: Job) -> Iterator[Finding]:
    """Loss before training, against what predicting the label frequencies would cost."""
    x, y = job.sample(job.problem.train, 512)
    target = objectives.targets(job.problem, y)
    measured = [_loss(job.fresh(job.seed + i), x, target) for i in range(INIT_SEEDS)]
    expected = _expected_loss(job, y)
    mean = float(np.mean(measured))
    evidence = {"losses": measured, "expected": expected}
    texts = (f"{expected:.3f}", f"{mean:.3f} (mean of {INIT_SEEDS} seeds)")
    if mean < expected * (1 - INIT_TOLERANCE):
        yield Finding(
            "warning",
            "leakage",
            "the untrained model does better than the label frequencies: does the input hold the label?",
            *texts,
            "look at the tensors just before the net",
            evidence,
        )
    elif mean > expected * (1 + INIT_TOLERANCE):
        yield Finding(
            "warning",
            "initializer",
            "the untrained model is confidently wrong",
            *texts,
            "set the last bias to the log frequencies, and lower the scale of the last layer",
            evidence,
        )
    else:
        yield Finding("ok", "initializer", "the loss starts where it should", *texts, evidence=evidence)


@check("baseline", order=22)
def last_bias(job: Job) -> Iterator[Finding]:
    """The last bias should be the log of the label frequencies, or the mean target: the net need not learn it then."""
    problem = job.problem
    x, _ = job.sample(problem.train, 512)
    outputs = [_outputs(job.fresh(job.seed + i), x) for i in range(INIT_SEEDS)]
    mean = np.mean([objectives.predictions(problem, o).mean(axis=0) for o in outputs], axis=0)
    bias = _bias(job.fresh(job.seed).model)
    if problem.signature.task == "regression":
        yield _target_bias(job, mean, bias)
        return
    wanted = problem.label_frequencies()
    seen = wanted > 0
    cost = float((wanted[seen] * np.log(wanted[seen] / np.clip(mean[seen], 1e-7, 1))).sum())
    order = np.argsort(-wanted, kind="stable")[:CLASSES]
    rows = tuple((problem.signature.classes[c], round(float(wanted[c]), 4), round(float(mean[c]), 4)) for c in order)
    table = Table(("class", "share of the labels", "mean first prediction"), rows, bars="share of the labels")
    evidence: dict[str, Any] = {"nats": cost, "bias": bias}
    texts = (f"a cost of at most {COST:g} nats", f"{cost:.3f} nats")
    if cost <= COST:
        message = "first predictions follow the label frequencies"
        yield Finding("ok", "initializer", message, *texts, evidence=evidence, table=table)
        return
    logs = np.log(np.clip(wanted, 1e-7, 1))
    values = logs - logs.mean() if problem.signature.task == "multiclass" else np.array([logs[1] - logs[0]])
    yield Finding(
        "warning",
        "initializer",
        f"first predictions are not the label frequencies: {cost:.2f} nats that training must win back first",
        *texts,
        f"set the bias of the last layer to {np.array2string(values[:10], precision=2, separator=', ')}",
        evidence,
        table=table,
    )


def _target_bias(job: Job, mean: np.ndarray, bias: list[float]) -> Finding:
    target, deviation = job.problem.target_moments()
    off = float(np.abs((mean - target) / deviation).max())
    texts = (f"the mean target, {job.problem.label(target)}, within {OFF:g} deviations", job.problem.label(mean))
    evidence = {"deviations": off, "bias": bias}
    if off <= OFF:
        return Finding("ok", "initializer", "first predictions lie around the mean target", *texts, evidence=evidence)
    return Finding(
        "warning",
        "initializer",
        f"first predictions are {off:.1f} deviations away from the mean target",
        *texts,
        "standardize the target, or set the bias of the last layer to its mean",
        evidence,
    )


def _bias(model: Any) -> list[float]:
    """Values of the last layer that has a bias, the first twenty; empty where none has."""
    for layer in reversed(model.layers):
        bias = getattr(layer, "bias", None)
        if bias is not None and hasattr(bias, "numpy"):
            return [float(v) for v in bias.numpy().ravel()[:CLASSES]]
    return []


def _expected_loss(job: Job, y: np.ndarray) -> float:
    """Loss of the label frequencies on these labels; that of the mean, 0, for standardized targets."""
    if job.problem.signature.task == "regression":
        target = objectives.targets(job.problem, y)
        return float(job.fresh(job.seed).model.compute_loss(y=target, y_pred=np.zeros_like(target)))
    return float(-np.log(np.clip(job.problem.label_frequencies(), 1e-7, 1)[y]).mean())


def _loss(loop: Loop, x: np.ndarray, target: np.ndarray) -> float:
    return float(loop.model.compute_loss(y=target, y_pred=_outputs(loop, x)))


def _outputs(loop: Loop, x: np.ndarray) -> np.ndarray:
    rest, seen = loop.behind_the_frozen(x)
    return rest.predict(seen)
