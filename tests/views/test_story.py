"""The bill: all work is on it, once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from keras_recipe.core.records import CheckRun, Plan, Record
from keras_recipe.views.story import bill, charges, standing, tell


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


def test_a_learning_curve_has_a_line_of_its_own(build: SimpleNamespace) -> None:
    own = [build.trial("regularize", build.large, seed, 0.9) for seed in range(3)]
    parts = [build.trial("regularize", build.large.replace(train_share=0.5), seed, 0.8) for seed in range(3)]
    seeds, curve = charges([build.run(), *own, *parts, build.curve()])
    assert (seeds.name, seeds.trials) == ("seeds of the model itself", 3)
    assert (curve.name, curve.trials, curve.seconds) == ("learning curve", 3, 3 * 8.25)


def test_an_ensemble_is_not_charged_for_the_seeds_of_its_members(build: SimpleNamespace) -> None:
    members = [build.trial("squeeze", build.large, seed, 0.9) for seed in range(3)]
    average = build.decision("squeeze", "ensemble", build.large, build.large, (0.0, -0.1, 0.1), False)
    own, move = charges([build.run(), *members, average])
    assert (own.trials, move.trials, move.seconds) == (3, 0, 0.0)


def test_skipped_moves_of_one_reason_share_a_line(build: SimpleNamespace) -> None:
    plans = [Plan(f"skip/regularize/{n}", "regularize", n, None, r) for n, r in (("a", "x"), ("b", "y"), ("c", "x"))]
    found = charges([build.run(), *plans, Plan("plan/regularize/other", "regularize", "other", 3, "x")])
    assert [(c.what, c.names, c.reason) for c in found] == [("skipped", ("a", "c"), "x"), ("skipped", ("b",), "y")]


def given_up(build: SimpleNamespace) -> list[Record]:
    """A candidate that was begun and given up, and one that was begun and went on."""
    change = {"model.dropout": [None, 0.5]}
    return [
        build.trial("regularize", build.large, 0, 0.9),
        Plan("begun/one", "regularize", "begun", [0.2], "3 epochs of the first", 2.5),
        Plan("begun/two", "regularize", "begun", [0.8], "3 epochs of the second", 2.0),
        Plan(
            "hopeless/regularize/dropout/a/b",
            "regularize",
            "dropout",
            change,
            "hopeless after 3 of 12 epochs",
            2.5,
        ),
    ]


def test_what_was_given_up_is_a_line_of_the_bill_with_its_seconds(build: SimpleNamespace) -> None:
    records = [build.run(), *given_up(build)]
    own, line = charges(records)
    assert (own.what, own.seconds) == ("seeds", 8.25)
    assert (line.what, line.name, line.seconds, line.trials) == ("hopeless", "dropout", 2.5, 1)
    assert line.reason == "dropout none → 0.5: hopeless after 3 of 12 epochs"
    (cost,) = bill(tell(records).stages, None)
    assert cost.total == pytest.approx(8.25 + 2.5)
    assert cost.training == pytest.approx(8.25 - 2.5 + 2.5)  # its start-up is not known apart


def test_what_was_begun_is_told_nowhere(build: SimpleNamespace) -> None:
    records = [build.run(), *given_up(build)]
    without = [r for r in records if not r.key.startswith("begun/")]
    assert charges(records) == charges(without)
    assert tell(records) == tell(without)
    (stage,) = tell(records).stages
    assert [p.name for p in stage.plans] == ["dropout"]


def test_what_was_left_out_at_first_is_told_as_it_stands_at_the_end(build: SimpleNamespace) -> None:
    def skip(name: str, reason: str, of: str) -> Plan:
        return Plan(f"skip/regularize/{name}/{of}", "regularize", name, None, reason)

    tried = build.decision("regularize", "dropout", build.small, build.large, (0.0, -0.1, 0.1), False)
    records = [
        build.run(),
        skip("dropout", "no time", "a"),
        skip("narrower", "no time", "a"),
        skip("label_smoothing", "no time", "a"),
        tried,
        skip("narrower", "neither smaller nor cheaper", "b"),
    ]
    assert [r.reason for r in standing(records) if isinstance(r, Plan)] == ["no time", "neither smaller nor cheaper"]
    assert [(c.name, c.names) for c in charges(records)][1:] == [
        ("skipped", ("label_smoothing",)),
        ("skipped", ("narrower",)),
    ]


def test_a_later_look_at_the_model_takes_the_place_of_the_earlier_one(build: SimpleNamespace) -> None:
    looks = [CheckRun(f"look/filters/{of}", "regularize", "filters", "", (), 2.0) for of in "ab"]
    other = CheckRun("check/regularize/other", "regularize", "other", "", (), 1.0)
    found = standing([build.run(), looks[0], other, looks[1]])
    assert [r.key for r in found[1:]] == ["check/regularize/other", "look/filters/b"]
    assert sum(r.seconds for r in found if isinstance(r, CheckRun)) == 5.0
