"""An end-to-end skeleton with dumb baselines: does the job start right, can it learn, does it use its input?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from keras_recipe import dumb, objectives
from keras_recipe.checks import check
from keras_recipe.core.records import Finding
from keras_recipe.job import Job
from keras_recipe.pictures import grid

if TYPE_CHECKING:
    from keras_recipe.loop import Loop

INIT_TOLERANCE = 0.5
"""Share by which the loss at initialization may differ from its expected value: correct three-class models started
at 1.11 to 1.50 where ln 3 = 1.10."""

INIT_SEEDS = 3
BATCH = 16
"""Examples of the one batch that is to be overfitted; the essay says as little as two."""

BATCH_STEPS = 300
BATCH_RATE = 1e-3
"""For one batch the usual default of Adam: at 3e-4 small networks need thousands of steps."""

ZERO_STEPS, ZERO_EXAMPLES = 100, 640
"""Gradient steps, on so many examples, after which real inputs have told themselves apart from zeros."""


@check("baseline", order=10)
def dumb_baselines(job: Job) -> Iterator[Finding]:
    """Score of the majority class or the mean, and of a linear model: what the network has to beat."""
    metric = job.problem.objective.metric
    for name, fit in dumb.baselines(job.problem).items():
        predictions = fit(job.problem)(job.problem.validation)
        score = objectives.score(metric, job.problem.validation.y, predictions)
        yield Finding(
            "info",
            "baseline",
            f"{name}: validation {objectives.written(metric, score)}",
            evidence={"baseline": name, "score": score},
        )


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


@check("baseline", order=30)
def overfit_one_batch(job: Job) -> Iterator[Finding]:
    """Fit a single batch to the last example: a job that cannot do this has a bug."""
    x, y = job.sample(job.problem.train, BATCH)
    losses, outputs = _repeat(job, x, y)
    start, end = losses[0], losses[-1]
    predictions = objectives.predictions(job.problem, outputs)
    evidence = {"losses": losses[:: max(1, len(losses) // 30)], "examples": len(y)}
    fitted = end < 0.1 * start
    if job.problem.signature.task != "regression":
        right = int((predictions.argmax(axis=1) == y).sum())
        fitted = right == len(y)
        evidence |= {"labels": y.tolist(), "predictions": predictions.argmax(axis=1).tolist()}
    measured = f"loss {start:.3f} to {end:.2g} in {len(losses)} steps"
    if fitted:
        yield Finding(
            "ok", "architecture", f"one batch of {len(y)} is fitted", "loss near 0", measured, evidence=evidence
        )
        return
    yield Finding(
        "error" if end > 0.7 * start else "warning",
        "architecture",
        f"one batch of {len(y)} examples cannot be fitted",
        "loss near 0",
        measured,
        "check labels, loss and last activation; is anything frozen, is the same input given two labels?",
        evidence,
    )


@check("baseline", order=40)
def zeroed_input(job: Job) -> Iterator[Finding]:
    """Train on zeroed inputs: real inputs must do better, or the model does not use them."""
    x, y = job.sample(job.problem.train, ZERO_EXAMPLES)
    real, blind = _short_run(job, x, y), _short_run(job, np.zeros_like(x), y)
    texts = (f"below {blind:.3f}, the loss on zeroed inputs", f"{real:.3f} after {ZERO_STEPS} steps")
    evidence = {"loss": real, "loss on zeroed inputs": blind}
    if real < blind:
        yield Finding("ok", "data", "the model learns from its input", *texts, evidence=evidence)
        return
    yield Finding(
        "warning",
        "data",
        "the model learns no more from the inputs than from zeros",
        *texts,
        "are inputs and labels aligned? is the learning rate far too low, or far too high?",
        evidence,
    )


@check("baseline", order=50)
def just_before_the_net(job: Job) -> Iterator[Finding]:
    """The tensors as the model receives them, decoded: the only place where data and code meet."""
    x, y = job.sample(job.problem.train, 16)
    loop = job.fresh(job.seed)
    fed = x if loop.augmentation is None else np.asarray(loop.augmentation(x, training=True))
    message = f"a batch of shape {fed.shape}, {fed.dtype}, values {fed.min():g} to {fed.max():g}"
    if job.problem.signature.kind != "image":
        yield Finding("info", "data", message, evidence={"first": fed[0].ravel()[:20].tolist()})
        return
    classes = job.problem.signature.classes
    names = [classes[int(label)] if classes else f"{float(label[0]):g}" for label in y]
    name = "just_before_the_net" if loop.augmentation is None else "just_before_the_net_augmented"
    path = grid(job.directory / "artifacts" / f"{name}.png", fed, names)
    yield Finding("info", "data", message, artifact=str(path.relative_to(job.directory)))


def _expected_loss(job: Job, y: np.ndarray) -> float:
    """Loss of the label frequencies on these labels; that of the mean, 0, for standardized targets."""
    if job.problem.signature.task == "regression":
        target = objectives.targets(job.problem, y)
        return float(job.fresh(job.seed).model.compute_loss(y=target, y_pred=np.zeros_like(target)))
    return float(-np.log(np.clip(job.problem.label_frequencies(), 1e-7, 1)[y]).mean())


def _loss(loop: Loop, x: np.ndarray, target: np.ndarray) -> float:
    outputs = loop.predict(x)
    return float(loop.model.compute_loss(y=target, y_pred=outputs))


def _repeat(job: Job, x: np.ndarray, y: np.ndarray) -> tuple[list[float], np.ndarray]:
    loop = job.fresh(job.seed)
    loop.optimizer.learning_rate.assign(BATCH_RATE)
    targets = objectives.targets(job.problem, y)
    losses: list[float] = []
    while len(losses) < BATCH_STEPS:
        losses += loop.train(x, targets, np.tile(np.arange(len(y)), (BATCH_STEPS // 6, 1)))[0].tolist()
        if losses[-1] < 0.01 * losses[0]:
            break
    return losses, loop.predict(x)


def _short_run(job: Job, x: np.ndarray, y: np.ndarray) -> float:
    loop = job.fresh(job.seed)
    targets = objectives.targets(job.problem, y)
    batch = min(job.batch_size, len(y))
    order = np.random.default_rng(job.seed).integers(len(y), size=(ZERO_STEPS, batch))
    losses, _ = loop.train(x, targets, order)
    return float(losses[-ZERO_STEPS // 5 :].mean())
