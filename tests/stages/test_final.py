from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_recipe import embedding, exported, histograms
from keras_recipe.compare import score_interval
from keras_recipe.core.config import Config
from keras_recipe.core.journal import read, select
from keras_recipe.core.records import OUTCOMES, CheckRun, Evaluation, Trial
from keras_recipe.data.toys import blobs, line
from keras_recipe.problem import Problem
from keras_recipe.recipe import Result
from keras_recipe.stages import Blocked
from keras_recipe.stages.final import MISTAKES, _identity, _listed, _mistaken, _singles, finish, prove_export
from keras_recipe.stages.squeeze import best_trial
from keras_recipe.study import Study

CONFIG = Config("mlp(depth=1, width=8)", epochs=2)
Finished = Callable[[str], tuple[Problem, Result]]


def test_the_trial_becomes_the_model_once(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exported, "verify", lambda path, problem, expected: 0.0)
    trials = study.trials("regularize", [(CONFIG, s) for s in study.seeds(3)])
    end = finish(study, trials[1:2])
    assert end.trial == trials[1].key
    assert end.members == [trials[1].key]
    assert end.validation_score == pytest.approx(trials[1].score)
    assert finish(study, trials[:1]) == end, "a run has one end"
    with np.load(study.directory / embedding.FILE, allow_pickle=False) as kept:  # for views, of this very trial
        right = np.mean(kept["texts"][:, kept["names"].tolist().index("right")] == "yes")
    assert right == pytest.approx(trials[1].score)
    assert all((study.folder(t.key) / histograms.FILE).is_file() for t in trials)


def test_several_trials_become_the_mean_of_their_predictions(study: Study) -> None:
    trials = study.trials("regularize", [(CONFIG, s) for s in study.seeds(3)])
    end = finish(study, trials)
    assert end.verified < 1e-5  # the file, in a new process, against the mean of the trials' predictions
    assert end.members == [t.key for t in trials]
    assert end.trial == best_trial(study, trials).key
    model, _ = exported.load(study.directory / "model.keras")
    alone = np.mean([study.predictions(t) for t in trials], axis=0)
    np.testing.assert_allclose(exported.predict(model, study.problem.validation.x), alone, atol=1e-5)


def test_the_score_is_that_of_the_test_split(finished: Finished) -> None:
    problem, result = finished("blobs")
    end = result.evaluation
    confusion = np.array(end.confusion)
    assert confusion.sum() == len(problem.test)
    assert confusion.trace() / confusion.sum() == pytest.approx(end.score)
    assert confusion.sum(axis=1).tolist() == np.bincount(problem.test.y).tolist()
    gains = np.repeat([1.0, 0.0], [confusion.trace(), confusion.sum() - confusion.trace()])
    assert (end.low, end.high, end.method) == score_interval("accuracy", gains)


def test_the_evaluation_names_its_trial(finished: Finished) -> None:
    _, result = finished("line")
    trials = {t.key: t for t in select(read(result.directory), Trial)}
    assert trials[result.evaluation.trial].config == result.evaluation.config
    assert result.evaluation.confusion is None
    assert set(result.evaluation.baselines) == {"mean", "linear", "nearest neighbours"}


def test_a_file_that_predicts_otherwise_stops_the_recipe(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config("linear()", epochs=2)
    trials = study.trials("regularize", [(config, 0)])
    monkeypatch.setattr(exported, "verify", lambda *arguments: 0.01)
    with pytest.raises(Blocked, match="predicts otherwise"):
        finish(study, trials)
    assert study.journal.get(Evaluation, "evaluation") is None


def test_the_most_confident_mistakes_and_the_largest_errors_come_first() -> None:
    problem = blobs()
    y = problem.test.y
    predicted = np.full((len(y), 3), 0.3)
    predicted[np.arange(len(y)), y] = 0.4
    for row, confidence in ((4, 0.7), (9, 0.9)):
        predicted[row] = 0.0
        predicted[row, (y[row] + 1) % 3] = confidence
    rows = _mistaken(problem, predicted)
    assert rows.tolist() == [9, 4]
    table = _listed(problem, predicted, rows)
    assert table is not None
    names, wrong = problem.signature.classes, int((y[9] + 1) % 3)
    assert table.rows[0] == (problem.test.ids[9], names[y[9]], names[wrong], 0.9)
    assert _listed(problem, predicted, rows[:0]) is None
    problem = line()
    said = problem.test.y + np.linspace(0, -1, len(problem.test))[:, None]
    rows = _mistaken(problem, said)
    assert rows[0] == len(problem.test) - 1
    table = _listed(problem, said, rows)
    assert table is not None
    assert table.rows[0][-1] == pytest.approx(1.0, abs=1e-5)
    assert table.bars == "error"


def test_mistakes_come_back_from_the_journal(finished: Finished) -> None:
    _, result = finished("line")
    table = result.evaluation.mistakes
    assert table is not None
    assert table == select(read(result.directory), Evaluation)[0].mistakes
    assert len(table.rows) == MISTAKES
    assert "Largest errors" in (result.directory / "report.html").read_text()


def test_what_the_model_gains_with_each_example_is_kept_and_whose_these_are(finished: Finished) -> None:
    problem, result = finished("blobs")
    with np.load(result.directory / OUTCOMES) as outcomes:
        assert outcomes["test"].mean() == pytest.approx(result.score)
        assert outcomes["validation"].mean() == pytest.approx(result.evaluation.validation_score)
    judged = result.evaluation.judged
    assert judged == {"validation": _identity(problem.validation), "test": _identity(problem.test)}
    assert judged["test"] != judged["validation"]
    assert _identity(replace(problem.test, y=np.roll(problem.test.y, 1))) != judged["test"], "other labels"


def test_each_mistake_on_pictures_is_a_picture(study: Study, stripes: Problem) -> None:
    paths = _singles(replace(study, problem=stripes), np.array([2, 0]))
    assert paths == ["artifacts/mistakes/00.png", "artifacts/mistakes/01.png"]
    for path, row in zip(paths, (2, 0), strict=True):
        picture = np.asarray(Image.open(study.directory / path).convert("L").resize((8, 8), Image.Resampling.NEAREST))
        assert np.array_equal(picture, stripes.test.x[[row]][0, ..., 0])
    assert _singles(study, np.array([0])) == [], "points are no pictures"


@pytest.mark.parametrize("own_layer", [False, True])
def test_a_builder_whose_file_nobody_can_open_is_told_before_it_is_trained(
    own_layer: bool, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = "Mine" if own_layer else "keras.layers.Dense"
    (tmp_path / "builders.py").write_text(
        "import keras\n"
        "from keras_recipe.models import heads\n"
        "class Mine(keras.layers.Dense):\n"
        "    pass\n"
        "def tower(problem):\n"
        "    tensor, x = heads.inputs(problem)\n"
        f"    return keras.Model(tensor, heads.head(problem, {layer}(4)(x)))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "builders", raising=False)
    config = CONFIG.replace(model="builders:tower()")
    monkeypatch.setattr("keras_recipe.stages.final.PROVEN_ROWS", 8)  # fewer than validation has
    if own_layer:
        with pytest.raises(Blocked) as blocked:
            prove_export(study, config)
        assert "new process" in blocked.value.findings[0].message
    else:
        prove_export(study, config)
    (run,) = select(list(study.journal), CheckRun)
    assert [f.severity for f in run.findings] == ["error" if own_layer else "ok"]
    prove_export(study, CONFIG)
    assert len(select(list(study.journal), CheckRun)) == 1, "builders of this package are proven by its tests"
