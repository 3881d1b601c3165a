"""The end: export the model, prove the file, and read the test split, once."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_recipe import checkpoint, dumb, embedding, exported, objectives
from keras_recipe.compare import score_interval
from keras_recipe.core import journal as journals
from keras_recipe.core.config import Config
from keras_recipe.core.records import OUTCOMES, CheckRun, Evaluation, Finding, Table, Trial
from keras_recipe.core.spec import Spec
from keras_recipe.directory import MODEL
from keras_recipe.pictures import grid, single, value_span
from keras_recipe.problem import Problem, Split
from keras_recipe.stages import Blocked
from keras_recipe.stages.squeeze import best_trial, together
from keras_recipe.study import Study, errors

if TYPE_CHECKING:
    import keras

PROVEN_ROWS = 32
"""Examples that an untrained model's file is proven on."""

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
    verified = _proven("final", path, problem, expected)
    metric = problem.objective.metric
    test = Feed(problem, problem.test)
    predicted = np.mean([objectives.predictions(problem, test.predict(batched(m))) for m in models], axis=0)
    gains = objectives.METRICS[metric].gains
    outcomes = {"validation": gains(problem.validation.y, expected), "test": gains(problem.test.y, predicted)}
    checkpoint.write_arrays(study.directory / OUTCOMES, outcomes)
    low, high, method = score_interval(metric, outcomes["test"])
    rows = _mistaken(problem, predicted)
    embedding.write(study.directory, problem, models[members.index(best)], expected, predicted)
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
        pictures=_singles(study, rows),
        judged={name: _identity(split) for name, split in (("validation", problem.validation), ("test", problem.test))},
    )


def _scale(problem: Problem) -> float:
    return float(problem.target_moments()[1].max()) if problem.signature.task == "regression" else 1.0


def prove_export(study: Study, config: Config) -> None:
    """Prove, of a user's own builder, that the file of an untrained model works in a new process: after the training it
    would be too late to hear that it does not. Raises Blocked."""
    from keras_recipe.models import MODELS, create

    name = Spec.parse(config.model).name
    if not MODELS.source(name):  # those of this package are proven by its tests
        return

    def look() -> CheckRun:
        began, problem = time.monotonic(), study.problem
        model = create(config.model, problem)
        x = np.asarray(problem.validation.x[np.arange(min(PROVEN_ROWS, len(problem.validation)))])
        expected = objectives.predictions(problem, np.asarray(model(x, training=False)))
        found: tuple[Finding, ...] = (
            Finding("ok", "export", f"a file of {name}, untrained, predicts the same in a new process"),
        )
        with tempfile.TemporaryDirectory() as folder:
            try:
                _proven("baseline", exported.export([model], problem, Path(folder, MODEL)), problem, expected)
            except Blocked as error:
                found = tuple(error.findings)
        what = "The file of your own model must work in a new process: after the training it would be too late to hear."
        return CheckRun(key, "baseline", "export", what, found, time.monotonic() - began)

    key = f"check/baseline/export/{config.digest()}"
    found = study.memo(CheckRun, key, look).findings
    if errors(found):
        raise Blocked("baseline", errors(found))


def _proven(stage: str, path: Path, problem: Problem, expected: np.ndarray) -> float:
    """Largest difference of the file's predictions, in a new process, from those expected. Raises Blocked."""
    try:
        verified = exported.verify(path, problem, expected)
    except RuntimeError as error:
        said = str(error).strip().splitlines()[-1][:300]
        raise Blocked(stage, [_unusable(said)]) from error
    if not verified <= PROVEN * _scale(problem):
        raise Blocked(stage, [_unproven(verified)])
    return verified


def _unusable(said: str) -> Finding:
    return Finding(
        "error",
        "export",
        "the exported model cannot be used in a new process",
        "layers that Keras itself can restore",
        said,
        "build it of Keras's own layers and keras.ops: a layer class of your own is not in the file",
    )


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


def _identity(split: Split) -> str:
    """Sixteen hexadecimal digits of the examples of a split and their labels, in their order."""
    found = hashlib.blake2b(json.dumps([str(i) for i in split.ids]).encode(), digest_size=8)
    found.update(np.ascontiguousarray(split.y).tobytes())
    return found.hexdigest()


def _singles(study: Study, rows: np.ndarray) -> list[str]:
    """A picture of each mistake."""
    if study.problem.signature.kind != "image" or not len(rows):
        return []
    folder = study.directory / "artifacts" / "mistakes"
    pictures = study.problem.test.x[rows]
    span = value_span(pictures)
    paths = [single(folder / f"{i:02}.png", picture, span) for i, picture in enumerate(pictures)]
    return [str(path.relative_to(study.directory)) for path in paths]


def _picture(study: Study, predicted: np.ndarray, rows: np.ndarray) -> str | None:
    """Picture of the mistakes; for regression of the largest errors."""
    problem = study.problem
    if problem.signature.kind != "image" or not len(rows):
        return None
    said = predicted if problem.signature.task == "regression" else predicted.argmax(axis=1)
    captions = [f"{problem.label(problem.test.y[r])}, not {problem.label(said[r])}" for r in rows]
    path = grid(study.directory / "artifacts" / "mistakes.png", problem.test.x[rows], captions)
    return str(path.relative_to(study.directory))
