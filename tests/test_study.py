"""Trials are looked up before they are run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from keras_recipe import training
from keras_recipe.core.config import Config
from keras_recipe.core.journal import read, select
from keras_recipe.core.records import Plan, Trial
from keras_recipe.models import MODELS
from keras_recipe.problem import Problem
from keras_recipe.recipe import Recipe
from keras_recipe.study import Study

CONFIG = Config("mlp(depth=1, width=8)", epochs=2)


def test_a_recorded_trial_is_not_run_again(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [(CONFIG, seed) for seed in study.seeds(3)]
    first = study.trials("overfit", wanted)
    assert study.missing(wanted) == []
    monkeypatch.setattr(training, "run_trial", None)
    assert study.trials("regularize", wanted[::-1]) == first[::-1]
    assert select(read(study.directory), Trial) == first


def test_only_what_is_missing_is_run(study: Study) -> None:
    study.trials("overfit", [(CONFIG, 1)])
    wanted = [(CONFIG, seed) for seed in (0, 1, 2)]
    assert study.missing(wanted) == [(CONFIG, 0), (CONFIG, 2)]
    assert [t.seed for t in study.trials("overfit", wanted)] == [0, 1, 2]
    assert len(select(read(study.directory), Trial)) == 3


def test_a_trial_is_known_by_data_config_and_seed(study: Study, line: Problem, tmp_path: Path) -> None:
    keys = {study.key(CONFIG, 0), study.key(CONFIG, 1), study.key(CONFIG.replace(epochs=3), 0)}
    with Recipe(line, tmp_path / "line").study() as other:
        keys.add(other.key(CONFIG, 0))
    assert len(keys) == 4
    assert study.key(Config.from_leaves(CONFIG.leaves()), 0) in keys


def test_seeds_of_two_runs_differ(blobs: Problem, tmp_path: Path) -> None:
    with Recipe(blobs, tmp_path / "a", seed=1).study() as a, Recipe(blobs, tmp_path / "b", seed=2).study() as b:
        assert len({*a.seeds(3), *b.seeds(3)}) == 6
        assert a.seeds(2) == a.seeds(3)[:2]


def test_gains_are_those_of_the_whole_validation_split(study: Study) -> None:
    trials = study.trials("overfit", [(CONFIG, 0), (CONFIG, 1)])
    gains = study.gains(trials)
    assert gains.shape == (2, len(study.problem.validation))
    assert np.allclose(gains.mean(axis=1), [t.score for t in trials])


def test_a_choice_is_made_once(study: Study) -> None:
    first = study.plan("overfit", "epochs", lambda: (7, "because"))
    assert study.plan("overfit", "epochs", lambda: (8, "otherwise")) == first
    assert select(read(study.directory), Plan) == [first]


def test_time_for_the_end_is_kept_back(blobs: Problem, tmp_path: Path) -> None:
    for budget in (20.0, 1000.0):
        with Recipe(blobs, tmp_path / str(budget), budget).study() as study:
            left = study.budget - study.journal.elapsed - study.remaining
            assert left >= max(5.0, 0.04 * budget)


def test_an_edited_model_of_the_users_is_another_model(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "def tower(problem, width=4):\n    return {body}\n"
    keys = []
    for name, body in (("first_tower", "None"), ("second_tower", "problem")):
        (tmp_path / f"{name}.py").write_text(code.format(body=body))
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("first_tower", "second_tower"):
        monkeypatch.setitem(MODELS._functions, "tower", MODELS.get(f"{name}:tower"))
        keys.append(study.key(Config("tower()"), 0))
    assert keys[0] != keys[1]
