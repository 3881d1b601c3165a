"""Short runs that show whether the job learns as it should: the same twice, shuffled labels, capacity, dynamics."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from keras_recipe import objectives
from keras_recipe.checks import check
from keras_recipe.core.records import Finding
from keras_recipe.job import Job
from keras_recipe.pictures import heat

if TYPE_CHECKING:
    from keras_recipe.loop import Loop

EXAMPLES, BATCH = 32, 16
"""Of a short run: few enough examples to know them by heart."""

BY_HEART = (200, 2000)
"""Fewest and most gradient steps to learn shuffled labels: each example is looked at a hundred to a thousand times."""

RATE = 1e-3
SAME_STEPS = 10

MEMORIZED = 0.5
"""Part of the entropy of the labels below which a loss says that labels were learnt one by one."""

ABOVE_CHANCE = 5.0
"""Standard errors above chance that a validation accuracy may lie after training on labels that say nothing."""

WIDER_STEPS, WIDER_SEEDS = 60, 2
WORSE = 0.1
"""Share by which the loss of the wider model may be higher before it counts as worse, with every seed."""

WATCHED, EVERY, LOOKS = 16, 5, 20
"""Examples whose predictions are followed, gradient steps between two looks, and looks that make a stretch."""

STRETCHES = (1, 20)
"""Fewest and most stretches of a run whose predictions are followed."""

JITTER = 0.15
"""Mean change of predictions between two looks in the last stretch of the run, as a part of their probability or in
deviations of the target, from which the model has not made up its mind. The first models of the ladder, at rates from
3e-4 to 1e-3, have at most .1 on digits, iris, adult, california_housing, fashion_mnist and photos of flowers."""


@check("baseline", order=5)
def same_seed(job: Job) -> Iterator[Finding]:
    """Fix the seed: two runs must give the same numbers, else no comparison means anything."""
    x, y = job.sample(job.problem.train, EXAMPLES)
    first, second, other = (
        _steps(job, job.fresh(seed), x, y, SAME_STEPS) for seed in (job.seed, job.seed, job.seed + 1)
    )
    largest = float(np.abs(first - second).max())
    measured = f"largest difference of {SAME_STEPS} losses {largest:.2g}"
    evidence = {"first": first.tolist(), "second": second.tolist(), "another seed": other.tolist()}
    if largest == 0 and (first != other).any():
        message = "two runs with one seed are equal to the bit, another seed is another run"
        yield Finding("ok", "seed", message, "no difference", measured, evidence=evidence)
        return
    same = "another seed changes nothing: it is not used" if largest == 0 else "two runs with one seed differ"
    yield Finding(
        "warning",
        "seed",
        same,
        "equal runs with equal seeds only",
        measured,
        "seed every layer, initializer and source of data; on a GPU: tf.config.experimental.enable_op_determinism()",
        evidence,
    )


@check("baseline", order=42)
def shuffled_labels(job: Job) -> Iterator[Finding]:
    """Train on shuffled labels: they can only be known by heart, and validation must stay at chance."""
    problem = job.problem
    if problem.signature.task == "regression":
        return
    x, y = job.sample(problem.train, EXAMPLES)
    nonsense = _shuffled(y, job.seed)
    counts = np.bincount(nonsense)
    shares = counts[counts > 0] / len(nonsense)
    entropy = float(-(shares * np.log(shares)).sum())
    loop = job.fresh(job.seed)
    steps, end = _by_heart(job, loop, x, nonsense, MEMORIZED * entropy)
    held, truth = job.sample(problem.validation)
    said = objectives.predictions(problem, loop.predict(held)).argmax(axis=1)
    accuracy = float((said == truth).mean())
    classes = len(problem.signature.classes)
    chance = float(
        (np.bincount(said, minlength=classes) * np.bincount(truth, minlength=classes)).sum() / len(truth) ** 2
    )
    # What a class is taken for is settled by few of the training examples: their luck counts as well.
    error = float(np.sqrt(max(chance * (1 - chance), 1e-4) * (1 / len(truth) + 1 / len(y))))
    evidence = {"training loss": end, "entropy": entropy, "validation accuracy": accuracy, "chance": chance}
    texts = (f"validation accuracy {chance:.2f} ± {ABOVE_CHANCE * error:.2f}", f"{accuracy:.2f}")
    if accuracy > chance + ABOVE_CHANCE * error:
        yield Finding(
            "warning",
            "leakage",
            "trained on labels that say nothing, the model is right on validation examples: it knew them before",
            *texts,
            "does each run start from fresh weights? does the input hold the label?",
            evidence,
        )
        return
    memorized = end < MEMORIZED * entropy
    heart = "can be" if memorized else "are not"
    message = f"{len(y)} shuffled labels {heart} learnt by heart in {steps:,} steps, and validation stays at chance"
    yield Finding("ok" if memorized else "info", "leakage", message, *texts, evidence=evidence)


@check("baseline", order=44)
def capacity(job: Job) -> Iterator[Finding]:
    """More capacity must lower the training loss: a wider model is trained for the same few steps."""
    if job.wider is None:
        return
    x, y = job.sample(job.problem.train, 8 * EXAMPLES)
    narrow, wide = (
        [float(_steps(job, make(job.seed + i), x, y, WIDER_STEPS)[-10:].mean()) for i in range(WIDER_SEEDS)]
        for make in (job.fresh, job.wider)
    )
    before, after = float(np.mean(narrow)), float(np.mean(wide))
    evidence = {"losses": narrow, "losses of the wider model": wide}
    texts = (f"at most {before:.3f}", f"{after:.3f} after {WIDER_STEPS} steps (mean of {WIDER_SEEDS} seeds)")
    if min(wide) > max(narrow) * (1 + WORSE):
        yield Finding(
            "warning",
            "architecture",
            "a wider model learns more slowly",
            *texts,
            "a learning rate too high for it, or an initializer that does not heed the width",
            evidence,
        )
        return
    lower = "lowers" if after < before else "does not raise"
    yield Finding("ok", "architecture", f"more capacity {lower} the training loss", *texts, evidence=evidence)


@check("baseline", order=55)
def prediction_dynamics(job: Job) -> Iterator[Finding]:
    """Predictions on one fixed batch, while the model trains: how wildly it still changes its mind."""
    x, y = job.sample(job.problem.train, 8 * EXAMPLES)
    stretches = job.steps(min(BATCH, len(y)) * EVERY * LOOKS, *STRETCHES)
    looks = _followed(job, x, y, stretches)
    changes = np.array([_change(job, a, b) for a, b in itertools.pairwise(looks)])
    late = float(changes[-LOOKS:].mean())
    course = np.stack([_right(job, found, y[:WATCHED]) for found in looks], axis=1)
    path = heat(job.directory / "artifacts" / "prediction_dynamics.png", course[:, :: max(1, stretches // 2)])
    what = "closeness to the target" if job.problem.signature.task == "regression" else "probability of the label"
    evidence = {"changes": [round(float(c), 4) for c in changes]}
    texts = (f"changes below {JITTER:g} towards the end", f"{late:.3f} between two looks, {EVERY} steps apart")
    artifact = str(path.relative_to(job.directory))
    shown = f"in the picture a row is an example, time runs to the right, and light is a high {what}"
    if late < JITTER:
        yield Finding("ok", "learning-rate", f"predictions settle; {shown}", *texts, "", evidence, artifact)
        return
    yield Finding(
        "warning",
        "learning-rate",
        f"predictions jump to and fro and do not settle; {shown}",
        *texts,
        "lower the learning rate",
        evidence,
        artifact,
    )


def _by_heart(job: Job, loop: Loop, x: np.ndarray, y: np.ndarray, enough: float) -> tuple[int, float]:
    """Train until the loss is below `enough`, or for as many steps as are affordable: their number, and the loss."""
    loop, x = loop.behind_the_frozen(x)
    loop.optimizer.learning_rate.assign(RATE)
    targets, order = objectives.targets(job.problem, y), _order(job, len(y), job.steps(BATCH, *BY_HEART))
    part = BY_HEART[0] // 2
    for start in range(0, len(order), part):
        losses, _ = loop.train(x, targets, order[start : start + part])
        end = float(losses[-part // 5 :].mean())
        if end < enough:
            break
    return min(start + part, len(order)), end


def _followed(job: Job, x: np.ndarray, y: np.ndarray, stretches: int) -> list[np.ndarray]:
    """Predictions for the first WATCHED examples: before training, and every EVERY steps."""
    loop, x = job.fresh(job.seed).behind_the_frozen(x)
    targets = objectives.targets(job.problem, y)
    looks = [objectives.predictions(job.problem, loop.predict(x[:WATCHED]))]
    order = _order(job, len(y), stretches * LOOKS * EVERY)
    for start in range(0, len(order), EVERY):
        loop.train(x, targets, order[start : start + EVERY])
        looks.append(objectives.predictions(job.problem, loop.predict(x[:WATCHED])))
    return looks


def _steps(job: Job, loop: Loop, x: np.ndarray, y: np.ndarray, steps: int) -> np.ndarray:
    """Losses of so many gradient steps on these examples."""
    loop, x = loop.behind_the_frozen(x)
    return loop.train(x, objectives.targets(job.problem, y), _order(job, len(y), steps))[0]


def _order(job: Job, examples: int, steps: int) -> np.ndarray:
    return np.random.default_rng(job.seed).integers(examples, size=(steps, min(BATCH, examples)))


def _shuffled(y: np.ndarray, seed: int) -> np.ndarray:
    """Labels that say nothing: each class gets all labels in their shares, so that no cluster has one of its own."""
    order = np.random.default_rng(seed).permutation(len(y))
    by_class = order[np.argsort(y[order], kind="stable")]
    step = max(1, round(len(y) / max(len(np.unique(y)), 1)))
    labels = np.sort(y)
    strided = np.concatenate([labels[start::step] for start in range(step)])
    nonsense = np.empty_like(y)
    nonsense[by_class] = strided
    return nonsense


def _change(job: Job, before: np.ndarray, after: np.ndarray) -> float:
    """Mean change of the predictions: of probabilities the part that moved, 0..1; of targets in their deviations."""
    if job.problem.signature.task != "regression":
        return float(np.abs(after - before).sum(axis=1).mean() / 2)
    return float(np.abs((after - before) / job.problem.target_moments()[1]).mean())


def _right(job: Job, predictions: np.ndarray, y: np.ndarray) -> np.ndarray:
    """For each example the probability of its label, or how close to its target it is, 0..1."""
    if job.problem.signature.task != "regression":
        return np.asarray(predictions[np.arange(len(y)), y])
    distance = np.abs((predictions - y) / job.problem.target_moments()[1]).mean(axis=1)
    return np.asarray(1 / (1 + distance))
