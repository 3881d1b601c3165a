"""The end: export the model, prove the file, and read the test split, once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from keras_recipe import dumb, exported, objectives
from keras_recipe.compare import score_interval
from keras_recipe.core import journal as journals
from keras_recipe.core.config import Config
from keras_recipe.core.records import Evaluation, Finding, Table, Trial
from keras_recipe.directory import MODEL
from keras_recipe.pictures import grid
from keras_recipe.problem import Problem
from keras_recipe.stages import Blocked
from keras_recipe.stages.squeeze import best_trial, together
from keras_recipe.study import Study

if TYPE_CHECKING:
    import keras

PROVEN = 1e-3
"""Largest difference between two predictions that may be rounding: of a probability, or in standard deviations."""

MISTAKES = 24
"""Most confident mistakes, or largest errors, that are shown."""

CONFUSION_CLASSES = 200
"""Above this a confusion matrix is too large for a record."""


def finish(study: Study, members: Sequence[Trial]) -> Evaluation:
    """Evaluate and export the model: one trial, or several whose predictions are averaged.

    A run that was finished keeps its evaluation. One that went on from it, with more data, reads the test split again.
    """
    records = list(study.journal)
    before = journals.evaluation_before(records)
    reads = 1 + (before.reads if before is not None else 0)
    key = journals.evaluation_key(records)
    return study.memo(Evaluation, key, lambda: replace(_evaluate(study, members), key=key, reads=reads))


def keep(study: Study, before: Evaluation) -> Evaluation:
    """End a run that came to the model that there was before: neither the file nor the test split is touched."""
    key = journals.evaluation_key(list(study.journal))
    return study.memo(Evaluation, key, lambda: replace(before, key=key, seconds=0.0))


def trained_model(study: Study, trial: Trial) -> keras.Model:
    """The trial's model with its weights: encoded inputs in, logits or standardized targets out."""
    from keras_recipe.models import create

    # Not compiled: an optimizer that was never built has no place in the exported file.
    model = create(Config.from_leaves(trial.config).model, study.problem)
    for variable, value in zip(model.variables, study.weights(trial), strict=True):
        variable.assign(value)
    return model


def _evaluate(study: Study, members: Sequence[Trial]) -> Evaluation:
    from keras_recipe.feed import Feed
    from keras_recipe.loop import batched

    began = time.monotonic()
    problem, best = study.problem, best_trial(study, members)
    models = [trained_model(study, trial) for trial in members]
    path = exported.export(models, problem, study.directory / MODEL)
    expected = together(study, members)
    verified = exported.verify(path, problem, expected)
    if not verified <= PROVEN * _scale(problem):
        raise Blocked("final", [_unproven(verified)])
    metric = problem.objective.metric
    test = Feed(problem, problem.test)
    predicted = np.mean([objectives.predictions(problem, test.predict(batched(m))) for m in models], axis=0)
    gains = objectives.METRICS[metric].gains(problem.test.y, predicted)
    low, high, method = score_interval(metric, gains)
    rows = _mistaken(problem, predicted)
    return Evaluation(
        key="evaluation",
        trial=best.key,
        members=[trial.key for trial in members],
        config=best.config,
        score=objectives.score(metric, problem.test.y, predicted),
        low=low,
        high=high,
        method=method,
        validation_score=objectives.score(metric, problem.validation.y, expected),
        baselines={
            name: objectives.score(metric, problem.test.y, fit(problem)(problem.test))
            for name, fit in dumb.baselines(problem).items()
        },
        examples=len(problem.test),
        confusion=_confusion(problem.test.y, predicted, len(problem.signature.classes)),
        verified=verified,
        seconds=time.monotonic() - began,
        artifact=_picture(study, predicted, rows),
        mistakes=_listed(problem, predicted, rows),
    )


def _scale(problem: Problem) -> float:
    return float(problem.target_moments()[1].max()) if problem.signature.task == "regression" else 1.0


def _unproven(difference: float) -> Finding:
    return Finding(
        "error",
        "export",
        "the exported model, loaded in a new process, predicts otherwise than the trained one",
        f"a difference of at most {PROVEN:g}",
        f"{difference:g}",
        "does a layer of your own save all of its state? The weights are kept in trials/",
    )


def _confusion(y: np.ndarray, predicted: np.ndarray, classes: int) -> list[list[int]] | None:
    if not 0 < classes <= CONFUSION_CLASSES:
        return None
    counts = np.zeros((classes, classes), "int64")
    np.add.at(counts, (y, predicted.argmax(axis=1)), 1)
    matrix: list[list[int]] = counts.tolist()
    return matrix


def _mistaken(problem: Problem, predicted: np.ndarray) -> np.ndarray:
    """Rows of the test examples that were mistaken, the most confident first; for regression those with the largest
    errors, in deviations of the targets."""
    if problem.signature.task == "regression":
        errors = (np.abs(predicted - problem.test.y) / problem.target_moments()[1]).max(axis=1)
        return np.argsort(-errors, kind="stable")[:MISTAKES]
    guesses = predicted.argmax(axis=1)
    wrong = np.flatnonzero(guesses != problem.test.y)
    worst: np.ndarray = wrong[np.argsort(-predicted[wrong, guesses[wrong]], kind="stable")][:MISTAKES]
    return worst


def _listed(problem: Problem, predicted: np.ndarray, rows: np.ndarray) -> Table | None:
    """The mistakes, by example."""
    y, ids, label = problem.test.y, problem.test.ids, problem.label
    if not len(rows):
        return None
    if problem.signature.task == "regression":
        if problem.signature.targets > 1:
            pairs = tuple((ids[r], label(y[r]), label(predicted[r])) for r in rows)
            return Table(("example", "target", "prediction"), pairs)
        figures = ((ids[r], float(y[r, 0]), float(predicted[r, 0])) for r in rows)
        errors = tuple((example, true, said, abs(said - true)) for example, true, said in figures)
        return Table(("example", "target", "prediction", "error"), errors, bars="error")
    guesses = predicted.argmax(axis=1)
    wrong = tuple((ids[r], label(y[r]), label(guesses[r]), round(float(predicted[r].max()), 4)) for r in rows)
    return Table(("example", "is", "the model says", "confidence"), wrong, bars="confidence")


def _picture(study: Study, predicted: np.ndarray, rows: np.ndarray) -> str | None:
    """Picture of the mistakes; for regression of the largest errors."""
    problem = study.problem
    if problem.signature.kind != "image" or not len(rows):
        return None
    said = predicted if problem.signature.task == "regression" else predicted.argmax(axis=1)
    captions = [f"{problem.label(problem.test.y[r])}, not {problem.label(said[r])}" for r in rows]
    path = grid(study.directory / "artifacts" / "mistakes.png", problem.test.x[rows], captions)
    return str(path.relative_to(study.directory))
