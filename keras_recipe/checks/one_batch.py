"""Overfit one batch, and look at the tensors just before the net: the only place where data and code meet."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keras_recipe import objectives
from keras_recipe.checks import check
from keras_recipe.core.records import Finding, Table
from keras_recipe.job import Job
from keras_recipe.pictures import grid

BATCH = 16
"""Examples of the one batch that is to be overfitted; the essay says as little as two."""

BATCH_STEPS = 300
BATCH_RATE = 1e-3
"""For one batch the usual default of Adam: at 3e-4 small networks need thousands of steps."""


@check("baseline", order=30)
def overfit_one_batch(job: Job) -> Iterator[Finding]:
    """Fit a single batch to the last example: a job that cannot do this has a bug."""
    x, y = job.sample(job.problem.train, BATCH)
    losses, outputs = _repeat(job, x, y)
    start, end = losses[0], losses[-1]
    predictions = objectives.predictions(job.problem, outputs)
    evidence = {"losses": losses[:: max(1, len(losses) // 30)], "examples": len(y)}
    table, artifact = _beside(job, y, predictions), _picture(job, x, y, predictions)
    fitted = end < 0.1 * start
    if job.problem.signature.task != "regression":
        right = int((predictions.argmax(axis=1) == y).sum())
        fitted = right == len(y)
    measured = f"loss {start:.3f} to {end:.2g} in {len(losses)} steps"
    if fitted:
        yield Finding(
            "ok",
            "architecture",
            f"one batch of {len(y)} is fitted",
            "loss near 0",
            measured,
            "",
            evidence,
            artifact,
            table,
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
        artifact,
        table,
    )


@check("baseline", order=50)
def just_before_the_net(job: Job) -> Iterator[Finding]:
    """The tensors as the model receives them, decoded: the only place where data and code meet."""
    x, y = job.sample(job.problem.train, 16)
    loop = job.fresh(job.seed)
    fed = np.asarray(loop.augmented(x, objectives.targets(job.problem, y))[0])
    message = f"a batch of shape {fed.shape}, {fed.dtype}, values {fed.min():g} to {fed.max():g}"
    if job.problem.signature.kind != "image":
        yield Finding("info", "data", message, evidence={"first": fed[0].ravel()[:20].tolist()})
        return
    names = [job.problem.label(label) for label in y]
    name = "just_before_the_net" if loop.augmentation is None else "just_before_the_net_augmented"
    path = grid(job.directory / "artifacts" / f"{name}.png", fed, names)
    yield Finding("info", "data", message, artifact=str(path.relative_to(job.directory)))


def _beside(job: Job, y: np.ndarray, predictions: np.ndarray) -> Table:
    """Labels and predictions side by side."""
    if job.problem.signature.task == "regression":
        pairs = ((job.problem.label(a), job.problem.label(b)) for a, b in zip(y, predictions, strict=True))
        return Table(("target", "prediction"), tuple(pairs))
    rows = (
        (job.problem.label(a), job.problem.label(p.argmax()), round(float(p[int(a)]), 4))
        for a, p in zip(y, predictions, strict=True)
    )
    return Table(("label", "prediction", "probability of the label"), tuple(rows))


def _picture(job: Job, x: np.ndarray, y: np.ndarray, predictions: np.ndarray) -> str | None:
    if job.problem.signature.kind != "image":
        return None
    said = predictions.argmax(axis=1) if job.problem.signature.task != "regression" else predictions
    captions = [f"{job.problem.label(a)}: {job.problem.label(b)}" for a, b in zip(y, said, strict=True)]
    path = grid(job.directory / "artifacts" / "one_batch.png", x, captions)
    return str(path.relative_to(job.directory))


def _repeat(job: Job, x: np.ndarray, y: np.ndarray) -> tuple[list[float], np.ndarray]:
    loop, x = job.fresh(job.seed).behind_the_frozen(x)
    loop.optimizer.learning_rate.assign(BATCH_RATE)
    targets = objectives.targets(job.problem, y)
    losses: list[float] = []
    while len(losses) < BATCH_STEPS:
        losses += loop.train(x, targets, np.tile(np.arange(len(y)), (BATCH_STEPS // 6, 1)))[0].tolist()
        if losses[-1] < 0.01 * losses[0]:
            break
    return losses, loop.predict(x)
