"""Dumb baselines and the human score: what a network has to beat before anybody believes in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keras_recipe import compare, dumb, objectives
from keras_recipe.checks import check
from keras_recipe.core.records import Finding, Table
from keras_recipe.job import Job

ZERO_STEPS, ZERO_EXAMPLES = (100, 500), 640
"""Fewest and most gradient steps, on so many examples, after which real inputs and zeros have told themselves apart."""

LESS = 0.005
"""Share of the loss on zeroed inputs by which that on real ones must be lower."""


@check("baseline", order=10)
def dumb_baselines(job: Job) -> Iterator[Finding]:
    """Scores of the majority class or the mean, a linear model and nearest neighbours: what a network has to beat."""
    problem, metric = job.problem, job.problem.objective.metric
    rows: list[tuple[str, float, float | None, float | None]] = []
    for name, fit in dumb.baselines(problem).items():
        predictions = fit(problem)(problem.validation)
        gains = objectives.METRICS[metric].gains(problem.validation.y, predictions)
        low, high, _ = compare.score_interval(metric, gains)
        rows.append((name, objectives.score(metric, problem.validation.y, predictions), low, high))
    scores = {name: score for name, score, _, _ in rows}
    pick = max if problem.objective.higher_is_better else min
    best = pick(scores, key=lambda name: scores[name])
    human = problem.human_score
    if human is not None:
        rows.append(("a person", human, None, None))
    yield Finding(
        "info",
        "baseline",
        f"the best dumb baseline is {best}: validation {objectives.written(metric, scores[best])}",
        evidence={"scores": scores},
        table=Table(("predictor", metric, "95 % from", "to"), tuple(rows)),
    )
    if human is not None and problem.objective.better(scores[best], human):
        yield Finding(
            "info",
            "baseline",
            f"{best} is better than a person ({objectives.written(metric, human)})",
            "a person who does better than a dumb baseline",
            objectives.written(metric, scores[best]),
            "is the human score in the metric's unit?",
        )


@check("baseline", order=40)
def zeroed_input(job: Job) -> Iterator[Finding]:
    """Train on zeroed inputs: real inputs must do better, or the model does not use them."""
    x, y = job.sample(job.problem.train, ZERO_EXAMPLES)
    steps = job.steps(min(job.batch_size, len(y)), *ZERO_STEPS)
    real, blind = _short_run(job, x, y, steps), _short_run(job, np.zeros_like(x), y, steps)
    texts = (f"clearly below {blind:.3f}, the loss on zeroed inputs", f"{real:.3f} after {steps} steps")
    evidence = {"loss": real, "loss on zeroed inputs": blind}
    if real < blind * (1 - LESS):
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


def _short_run(job: Job, x: np.ndarray, y: np.ndarray, steps: int) -> float:
    loop, x = job.fresh(job.seed).behind_the_frozen(x)
    targets = objectives.targets(job.problem, y)
    batch = min(job.batch_size, len(y))
    order = np.random.default_rng(job.seed).integers(len(y), size=(steps, batch))
    losses, _ = loop.train(x, targets, order)
    return float(losses[-steps // 5 :].mean())
