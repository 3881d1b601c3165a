"""The bill: all work is on it, once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from keras_recipe.core.records import Plan
from keras_recipe.views.story import bill, charges, tell


def test_every_second_of_work_is_charged_once(build: SimpleNamespace) -> None:
    records = [build.run(), *build.checks(), *build.studies(), build.evaluation()]
    told = tell(records)
    found = charges(records)
    assert sum(c.seconds for c in found) == pytest.approx(sum(c.total for c in bill(told.stages, told.evaluation)))
    for stage in {c.stage for c in found}:
        trials = next((s.trials for s in told.stages if s.name == stage), ())
        assert sum(c.trials for c in found if c.stage == stage) == len(trials)


def test_a_move_is_charged_the_trials_before_its_decision_and_the_incumbent_the_others(build: SimpleNamespace) -> None:
    before, after = build.large, build.large.replace(batch_size=16)
    records = [
        build.run(),
        *(build.trial("regularize", before, seed, 0.9) for seed in range(3)),
        *(build.trial("regularize", after, seed, 0.95) for seed in range(3)),
        build.decision("regularize", "smaller_batch", before, after, (0.05, 0.01, 0.1), True),
        *(build.trial("regularize", after, seed, 0.95) for seed in range(3, 5)),
    ]
    own, move = charges(records)
    assert (own.what, own.trials) == ("seeds", 5)
    assert (move.name, move.trials, move.seconds) == ("smaller_batch", 3, 3 * 8.25)


def test_an_ensemble_is_not_charged_for_the_seeds_of_its_members(build: SimpleNamespace) -> None:
    members = [build.trial("squeeze", build.large, seed, 0.9) for seed in range(3)]
    average = build.decision("squeeze", "ensemble", build.large, build.large, (0.0, -0.1, 0.1), False)
    own, move = charges([build.run(), *members, average])
    assert (own.trials, move.trials, move.seconds) == (3, 0, 0.0)


def test_skipped_moves_of_one_reason_share_a_line(build: SimpleNamespace) -> None:
    plans = [Plan(f"skip/regularize/{n}", "regularize", n, None, r) for n, r in (("a", "x"), ("b", "y"), ("c", "x"))]
    found = charges([build.run(), *plans, Plan("plan/regularize/other", "regularize", "other", 3, "x")])
    assert [(c.what, c.names, c.reason) for c in found] == [("skipped", ("a", "c"), "x"), ("skipped", ("b",), "y")]
