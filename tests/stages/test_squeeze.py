"""Longer training and several models, where they are better than noise."""

from __future__ import annotations

import dataclasses
import statistics

import numpy as np
import pytest

from keras_recipe.core.config import Config
from keras_recipe.core.journal import select
from keras_recipe.core.records import CheckRun, Decision, Plan, Trial
from keras_recipe.data import load
from keras_recipe.data.toys import blobs, line
from keras_recipe.moves import candidates
from keras_recipe.problem import Problem
from keras_recipe.recipe import Recipe
from keras_recipe.stages.squeeze import MEMBERS, best_trial, ensemble, squeeze, together
from keras_recipe.study import Study

SHORT = Config("mlp(depth=1, width=16)", "adam(learning_rate=0.001)", batch_size=64, epochs=2)


@pytest.fixture(scope="module")
def noisy() -> Problem:
    """Targets with noise, of which each network that learns them by heart makes something else."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 6)).astype("float32")
    return load((x, x[:, 0] * x[:, 1] + rng.normal(size=600)), validation=0.4, name="noisy")


def decisions(study: Study) -> dict[str, Decision]:
    return {d.move: d for d in select(list(study.journal), Decision)}


def test_it_is_left_training_where_that_helps(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with Recipe(line(n=900), tmp_path, 600.0, workers=1).study() as study:
        assert squeeze(study, SHORT, ("leave_it_training",)).epochs in (4, 6)
        assert decisions(study)["leave_it_training"].accepted


def test_longer_runs_are_known_to_cost_more(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with Recipe(blobs(), tmp_path, 600.0, workers=1).study() as study:
        config = SHORT.replace(epochs=400)
        trials = study.trials("squeeze", [(config, seed) for seed in study.seeds(3)])
        needed = statistics.median(t.seconds for t in trials)  # the first one traces, and none that follow
        # Enough for one trial as long as the incumbent's, and not for one that is twice as long.
        study.journal.credit(study.remaining - 1.5 * needed)
        assert squeeze(study, config, ("leave_it_training",)) == config
        skips = [p for p in select(list(study.journal), Plan) if p.key.startswith("skip/")]
        assert [p.name for p in skips] == ["leave_it_training"]
        assert not decisions(study)


def test_the_rate_falls_once() -> None:
    problem = line()
    found = candidates("let_the_rate_fall", SHORT, None, problem)  # type: ignore[arg-type]
    assert [c.schedule for c in found] == ["cosine"]
    thawed = SHORT.replace(model="backbone(name='applications:MobileNet', train='all')")  # whose rate falls by itself
    for fallen in (found[0], thawed):
        for move in ("let_the_rate_fall", "cool_down"):
            assert candidates(move, fallen, None, problem) == []  # type: ignore[arg-type]


def test_a_rate_that_falls_is_seen_to_last(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def looks() -> dict[str, str]:
        return {f.cause: f.severity for c in select(list(study.journal), CheckRun) for f in c.findings}

    study.trials("squeeze", [(SHORT, seed) for seed in study.seeds(3)])
    assert squeeze(study, SHORT, ("flip_picture",)) == SHORT
    assert looks() == {}
    falling = SHORT.replace(schedule="cosine", epochs=20)
    study.trials("squeeze", [(falling, seed) for seed in study.seeds(3)])
    assert squeeze(study, falling, ()) == falling
    assert looks() == {"schedule": "ok"}
    count = len(study.journal)
    assert squeeze(study, falling, ()) == falling
    assert len(study.journal) == count


def test_a_rate_that_was_spent_early_is_told(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    falling = SHORT.replace(schedule="cosine", epochs=20).with_args("optimizer", learning_rate=0.01)
    monkeypatch.setattr("keras_recipe.training._rate_factor", lambda config, training, epoch: 0.1**epoch)
    study.trials("squeeze", [(falling, seed) for seed in study.seeds(3)])
    squeeze(study, falling, ())
    (run,) = select(list(study.journal), CheckRun)
    assert [(f.severity, f.cause) for f in run.findings] == [("warning", "schedule")]


def test_networks_that_disagree_are_averaged(noisy: Problem, tmp_path) -> None:  # type: ignore[no-untyped-def]
    with Recipe(noisy, tmp_path, 600.0, workers=1).study() as study:
        config = Config("mlp(depth=2, width=64)", "adam(learning_rate=0.003)", epochs=20)
        trials = study.trials("regularize", [(config, seed) for seed in study.seeds(MEMBERS + 1)])
        members = ensemble(study, config)
        decision = decisions(study)["ensemble"]
        assert decision.accepted
        assert decision.low > 0
        assert list(members) == trials[:MEMBERS]
        assert "5 times" in decision.reason
        error = together(study, members) - noisy.validation.y
        assert decision.after_score == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-4)
        assert decision.after_score < min(t.score for t in members)


def test_the_rest_of_the_budget_trains_more_members(noisy: Problem, tmp_path) -> None:  # type: ignore[no-untyped-def]
    config = Config("mlp(depth=2, width=64)", "adam(learning_rate=0.003)", epochs=20)
    for left, expected in ((0.0, 3), (300.0, MEMBERS)):
        with Recipe(noisy, tmp_path / str(expected), 600.0, workers=1).study() as study:
            study.trials("regularize", [(config, seed) for seed in study.seeds(3)])
            study.journal.credit(study.remaining - left)
            members = ensemble(study, config)
            assert [t.seed for t in members] == study.seeds(expected)
            made = [d for d in select(list(study.journal), Decision) if d.move == "ensemble"]
            assert [d.seeds for d in made] == [expected], "judged once, when all of them are there"


def test_networks_that_agree_are_not(study: Study) -> None:
    config = Config("linear()", "adam(learning_rate=0.01)", epochs=20)
    trials = study.trials("regularize", [(config, seed) for seed in study.seeds(3)])
    assert ensemble(study, config) == (best_trial(study, trials),)
    assert not decisions(study)["ensemble"].accepted


def test_a_user_may_leave_it_out(study: Study) -> None:
    trials = study.trials("regularize", [(SHORT, seed) for seed in study.seeds(3)])
    assert ensemble(study, SHORT, moves=()) == (best_trial(study, trials),)
    assert not decisions(study)


def test_trials_that_the_squeeze_has_cut_off_are_the_model_where_there_are_no_others(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = study.trials("overfit", [(SHORT, seed) for seed in study.seeds(2)])
    cut = [dataclasses.replace(t, stopped="budget", stage="squeeze") for t in whole]
    monkeypatch.setattr("keras_recipe.stages.squeeze.trials_of", lambda study, config: cut)
    assert ensemble(study, SHORT) == (best_trial(study, cut),)


def test_fewer_than_three_seeds_are_not_averaged_and_that_is_said(study: Study) -> None:
    trials = study.trials("overfit", [(SHORT, seed) for seed in study.seeds(2)])
    study.journal.credit(study.remaining)
    assert ensemble(study, SHORT) == (best_trial(study, trials),)
    (skip,) = (p for p in select(list(study.journal), Plan) if p.key.startswith("skip/"))
    assert skip.name == "ensemble"
    assert "2 seeds" in skip.reason


def test_no_seed_is_trained_where_the_budget_does_not_hold_three(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    study.trials("overfit", [(SHORT, 0)])
    monkeypatch.setattr("keras_recipe.stages.squeeze._held", lambda *_: (2, "1 is trained"))
    ensemble(study, SHORT)
    assert len(select(list(study.journal), Trial)) == 1


def test_the_rest_of_the_budget_trains_the_seeds_that_it_takes_to_tell(noisy: Problem, tmp_path) -> None:  # type: ignore[no-untyped-def]
    config = Config("mlp(depth=2, width=64)", "adam(learning_rate=0.003)", epochs=20)
    with Recipe(noisy, tmp_path, 600.0, workers=1).study() as study:
        study.trials("regularize", [(config, 0)])
        assert len(ensemble(study, config)) == MEMBERS
        assert decisions(study)["ensemble"].expected == pytest.approx(0.05 * decisions(study)["ensemble"].before_score)


def test_the_best_seed_is_that_of_the_highest_score_and_the_first_among_equals(study: Study) -> None:
    trials = study.trials("overfit", [(SHORT, seed) for seed in study.seeds(3)])
    best = best_trial(study, trials)
    assert best.score == max(t.score for t in trials)
    assert best.seed == min(t.seed for t in trials if t.score == best.score)
