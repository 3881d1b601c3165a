"""Signals one by one: what each brings, beside what it was expected to bring."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from keras_recipe.compare import Effect
from keras_recipe.core.config import Config
from keras_recipe.core.errors import RecipeError
from keras_recipe.core.journal import select
from keras_recipe.core.records import CheckRun, Finding, Plan, Trial
from keras_recipe.data import load
from keras_recipe.data.toys import blobs, stripes
from keras_recipe.problem import Problem
from keras_recipe.recipe import Recipe
from keras_recipe.stages.signals import EXPECTED, LESS, NOTHING, falls_short, read_signals, signals, steps, verdict
from keras_recipe.study import Study

MLP = Config("mlp(depth=1, width=32)", "adam(learning_rate=0.01)", batch_size=32, epochs=15)
GROUPS = {"strong": ["2", "3"], "weak": ["0"], "idle": ["1"]}


@pytest.fixture(scope="module")
def ranked() -> Problem:
    """Features 2 and 3 tell most of the class, 0 some of it, 1 nothing."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1200, 4)).astype("float32")
    y = (x @ np.array([0.8, 0.0, 1.5, 1.5]) > 0).astype("int32")
    return load((x, y), validation=0.4, name="ranked")


@contextmanager
def study_of(problem: Problem, folder: Path) -> Iterator[Study]:
    with Recipe(problem, folder, 900.0, workers=1).study() as study:
        yield study


def finding(study: Study) -> Finding:
    runs = [c for c in select(list(study.journal), CheckRun) if c.check == "signals_one_by_one"]
    assert len(runs) == 1
    return runs[0].findings[0]


def rows(study: Study) -> dict[str, dict[str, object]]:
    table = finding(study).table
    assert table is not None
    return {str(r[0]): dict(zip(table.columns, r, strict=True)) for r in table.rows}


def test_what_each_signal_brings_stands_beside_what_was_expected(ranked: Problem, tmp_path: Path) -> None:
    with study_of(ranked, tmp_path) as study:
        study.trials("overfit", [(MLP, 0)])
        assert signals(study, MLP, GROUPS) == MLP
        found = rows(study)
        assert [*found] == ["strong", "weak", "idle"]
        assert [r["verdict"] for r in found.values()] == [EXPECTED, EXPECTED, NOTHING]
        assert all(r["low"] <= r["measured"] <= r["high"] for r in found.values())  # type: ignore[operator]
        assert found["strong"]["expected"] > found["weak"]["expected"] > found["idle"]["expected"]  # type: ignore[operator]
        trained = select(list(study.journal), Trial)
        assert [t.config.get("model.without") for t in trained] == [None, ("0", "1"), ("1",)]
        assert found["idle"]["accuracy"] == trained[0].score  # all signals: the trial that there was


def test_a_signal_that_is_fed_badly_falls_short(ranked: Problem, tmp_path: Path) -> None:
    def blurred(x: np.ndarray) -> np.ndarray:  # so large that the steps between its values are lost on the network
        y = x.copy()
        y[:, 0] = np.where(x[:, 0] > 0, 1e-3, 0.0) + np.where(np.arange(len(x)) % 7, 0.0, 1e6)
        return y

    rng = np.random.default_rng(0)
    x = rng.normal(size=(1200, 3)).astype("float32")
    y = ((x[:, 0] > 0) ^ (x[:, 1] > 1.2)).astype("int32")
    problem = load((blurred(x), y), validation=0.4, name="badly")
    with study_of(problem, tmp_path) as study:
        study.trials("overfit", [(MLP, 0)])
        signals(study, MLP, {"fine": ["1", "2"], "badly": ["0"]})
        assert rows(study)["badly"]["verdict"] == LESS
        assert finding(study).severity == "warning"
        assert "badly" in finding(study).message


def test_a_gain_that_the_user_expects_is_held_against_the_measured_one(ranked: Problem, tmp_path: Path) -> None:
    with study_of(ranked, tmp_path) as study:
        study.trials("overfit", [(MLP, 0)])
        signals(study, MLP, GROUPS, {"weak": 0.4, "idle": 0.0})
        found = rows(study)
        assert found["weak"]["expected"] == 0.4
        assert found["weak"]["verdict"] == LESS
        assert found["idle"]["verdict"] == NOTHING


def test_without_groups_the_features_come_by_rank(ranked: Problem) -> None:
    added = steps(ranked, MLP, None)
    assert len(added) == 4
    assert {added[0].name, added[1].name} == {"2", "3"}
    assert added[2].name == "0"
    assert added[-1].config == MLP
    two = steps(ranked, MLP, None, most=2)
    assert {*two[0].features} == {"2", "3"}


def test_columns_of_a_table_come_by_their_names(table: Problem) -> None:
    added = steps(table, MLP, None)
    assert {s.name for s in added} == {"age", "city", "income"}
    assert added[-1].name == "income"
    assert added[-1].config == MLP
    assert [s.name for s in steps(table, MLP, {"who": ["age"]})] == ["who", "all others"]


def test_pictures_come_small_first(tmp_path: Path) -> None:
    config = Config("small_cnn(width=4)", "adam(learning_rate=0.003)", epochs=2)
    problem = stripes(size=32)
    assert [s.size for s in steps(problem, config, None)] == [8, 16, 32]
    assert [s.size for s in steps(problem, config, None, most=2)] == [16, 32]
    assert steps(stripes(size=8), config, None) == []
    with study_of(stripes(size=16), tmp_path) as study:
        study.trials("overfit", [(config, 0)])
        assert signals(study, config) == config
        assert [*rows(study)] == ["8 pixels", "16 pixels"]


@pytest.mark.parametrize(
    ("effect", "expected", "short", "said"),
    [
        (Effect(0.05, 0.01, 0.09, 1), 0.06, False, EXPECTED),
        (Effect(0.05, 0.01, 0.09, 1), 0.2, True, LESS),
        (Effect(0.01, -0.01, 0.03, 1), 0.02, False, NOTHING),
        (Effect(0.0, 0.0, 0.0, 1), 0.0, False, NOTHING),
    ],
)
def test_the_verdict(effect: Effect, expected: float, short: bool, said: str) -> None:
    assert verdict(effect, expected, short) == said


def test_a_network_that_is_ahead_of_the_cheap_model_owes_nothing() -> None:
    rng = np.random.default_rng(0)

    def correct(share: float) -> np.ndarray:
        return (rng.random(2000) < share).astype(float)

    ahead, behind = [correct(0.9), correct(0.91)], [correct(0.6), correct(0.61)]
    cheap = [correct(0.6), correct(0.8)]
    assert falls_short("accuracy", behind, cheap)
    assert not falls_short("accuracy", ahead, cheap)
    assert not falls_short("accuracy", [correct(0.55), correct(0.75)], cheap)  # behind, but it gains as much


def test_where_the_time_is_short_it_is_left_out_and_said(ranked: Problem, tmp_path: Path) -> None:
    with study_of(ranked, tmp_path) as study:
        trial = study.trials("overfit", [(MLP, 0)])[0]
        study.journal.credit(study.remaining - 5 * trial.seconds)
        assert signals(study, MLP, GROUPS) == MLP
        plan = next(p for p in select(list(study.journal), Plan) if p.key.startswith("skip/"))
        assert "do not fit" in plan.reason
        assert not [t for t in select(list(study.journal), Trial) if t.stage == "signals"]


def test_a_user_may_leave_it_out(ranked: Problem, tmp_path: Path) -> None:
    with study_of(ranked, tmp_path) as study:
        before = len(study.journal)
        assert signals(study, MLP, {}) == MLP
        assert len(study.journal) == before


def test_a_second_time_it_is_read_from_the_record(
    ranked: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with study_of(ranked, tmp_path) as study:
        study.trials("overfit", [(MLP, 0)])
        signals(study, MLP, GROUPS)
        count = len(study.journal)
        monkeypatch.setattr("keras_recipe.training.run_trial", None)
        monkeypatch.setattr("keras_recipe.stages.signals.judged_by_trees", None)
        signals(study, MLP, GROUPS)
        assert len(study.journal) == count


def test_features_and_signals_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    recipe = Recipe(blobs(), tmp_path, signals={"some": ["0", "7"]})
    with pytest.raises(RecipeError, match="'7'"):
        recipe.check()
    with pytest.raises(RecipeError, match="'sum'"):
        replace(recipe, signals={"some": ["0"]}, expect={"sum": 0.1}).check()
    replace(recipe, signals={"some": ["0"]}, expect={"some": 0.1}).check()


def test_signals_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "signals.json"
    path.write_text(json.dumps({"who": ["age"], "where": {"columns": ["city"], "expect": 0.02}}))
    assert read_signals(path) == ({"who": ["age"], "where": ["city"]}, {"where": 0.02})
    for bad in ("[1]", '{"who": {"expect": 1}}', "{", '{"who": {"columns": ["a"], "expect": "much"}}'):
        path.write_text(bad)
        with pytest.raises(RecipeError, match="JSON file"):
            read_signals(path)
