"""What to do next: in order of expected gain, with figures of the record alone."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from keras_recipe.core.records import CheckRun, Finding, Plan, Record, Suspect
from keras_recipe.views.next_steps import Step, steps
from keras_recipe.views.story import tell
from keras_recipe.views.units import Units

COMMAND = "python -m keras_recipe train 'my photos' --budget 10m --out runs/x"


def after(records: list[Record]) -> list[Step]:
    told = tell(records)
    return steps(told, Units.of(told.run))


def late(name: str, expected: float | None) -> Plan:
    return Plan(f"skip/regularize/{name}", "regularize", name, None, "not enough of the budget is left", 0.0, expected)


def labels(confident: int) -> CheckRun:
    suspects = (Suspect("train", "7.png", "rose", "daisy", 0.97, "a model disagrees"),)
    evidence = {"confident": confident, "judged": 1000}
    finding = Finding("info", "labels", "some labels look wrong", evidence=evidence, suspects=suspects)
    return CheckRun("check/inspect/label_errors", "inspect", "label_errors", "", (finding,), 1.0)


def whole(build: SimpleNamespace, *more: Record, human: float = 0.999) -> list[Record]:
    run = replace(build.run(), command=COMMAND)
    run = replace(run, problem=run.problem | {"human_score": human})
    return [run, *build.checks(), *build.studies(), build.curve(), *more, build.evaluation()]


def test_expected_gains_come_first_then_bounds_then_what_has_none(build: SimpleNamespace) -> None:
    found = after(whole(build, late("cut_out", 0.0025), labels(12)))
    kinds = [2 if s.gain is None else int(s.most) for s in found]
    assert kinds == sorted(kinds)
    assert set(kinds) == {0, 1, 2}
    for kind in (0, 1):
        gains = [s.gain for s, k in zip(found, kinds, strict=True) if k == kind]
        assert gains == sorted(gains, reverse=True)
    assert found[0].what == "Twice the data: 1,150 more examples"
    assert (found[0].gain, found[0].low, found[0].high) == (0.018, 0.009, 0.026)
    assert found[0].how == f"{COMMAND} --more-data MORE"


def test_moves_without_time_are_one_step_with_the_largest_expectation_and_a_budget(build: SimpleNamespace) -> None:
    plans = [late("cut_out", 0.002), late("mix_up", 0.005), late("narrower", None)]
    step = next(s for s in after(whole(build, *plans)) if "more time" in s.what)
    assert "2\u00a0moves had none" in step.what
    assert step.gain == 0.005
    assert step.why.index("mix up (+0.50\u00a0points)") < step.why.index("cut out (+0.20\u00a0points)")
    assert "narrower" not in step.why
    assert step.how == "python -m keras_recipe train 'my photos' --budget 11m --out runs/x-next"


def test_what_was_ahead_within_noise_is_to_be_decided_unless_it_is_stale(build: SimpleNamespace) -> None:
    shifted = build.large.replace(augmentation="shift(factor=0.1)")
    ahead = build.decision("squeeze", "cosine", shifted, shifted.replace(schedule="cosine"), (0.01, -0.01, 0.03), False)
    stale = build.decision("squeeze", "flip", build.large, shifted, (0.02, -0.01, 0.05), False)
    found = {s.what: s for s in after(whole(build, ahead, stale)) if s.what.startswith("Decide")}
    assert "Decide about cosine: schedule none → cosine" in found
    assert not any("flip" in what for what in found), "measured against a model that is gone"
    step = found["Decide about cosine: schedule none → cosine"]
    assert (step.gain, step.low, step.high) == (0.01, -0.01, 0.03)


def test_wrong_labels_bring_at_most_their_share(build: SimpleNamespace) -> None:
    step = next(s for s in after(whole(build, labels(12))) if "labels" in s.what)
    assert (step.gain, step.most) == (0.012, True)
    assert step.how.endswith("--apply runs/x/suspects.csv")
    assert not [s for s in after(whole(build, labels(0))) if "labels" in s.what]


def test_a_confused_pair_brings_at_most_its_share_of_the_test_set(build: SimpleNamespace) -> None:
    found = [s for s in after(whole(build)) if s.what.startswith("Tell")]
    assert [(s.what, s.gain, s.most) for s in found] == [
        ("Tell daisy from rose", 3 / 360, True),
        ("Tell rose from daisy", 2 / 360, True),
    ]


def test_bias_is_a_step_only_where_a_person_does_better_than_the_model_in_training(build: SimpleNamespace) -> None:
    def fit(human: float) -> list[float | None]:
        return [s.gain for s in after(whole(build, human=human)) if s.what.startswith("Fit")]

    assert fit(0.99) == []  # training reaches 0.999
    assert [round(g or 0, 4) for g in fit(1.0)] == [0.001]


def test_a_baseline_that_is_ahead_is_the_first_thing_to_use(build: SimpleNamespace) -> None:
    records = whole(build)
    records[-1] = replace(build.evaluation(), baselines={"nearest_neighbours": 0.9906})
    step = next(s for s in after(records) if s.what.startswith("Use nearest neighbours"))
    assert round(step.gain or 0, 4) == 0.01
    assert (round(step.low or 0, 4), round(step.high or 0, 4)) == (0.0006, 0.0296)
    assert not [s for s in after(whole(build)) if s.what.startswith("Use")]


def test_for_an_error_less_is_better(build: SimpleNamespace) -> None:
    run, trial, end = build.regression()
    found = after([run, trial, replace(end, baselines={"ridge": 50_000.0})])
    assert [s.gain for s in found] == [1_210.0]


def test_a_run_that_was_stopped_is_to_be_mended_and_one_that_has_not_ended_to_be_ended(build: SimpleNamespace) -> None:
    error = Finding("error", "loss", "The model cannot memorise one batch", hint="look at the targets")
    check = CheckRun("c", "baseline", "one_batch", "", (error,), 3.0)
    (only,) = after([build.run(), check])
    assert (only.what, only.link) == ("look at the targets", "baseline")
    (only,) = after([replace(build.run(), command=COMMAND), *build.studies()])
    assert only.how == COMMAND


def test_without_a_command_none_is_made_up(build: SimpleNamespace) -> None:
    records = whole(build, late("cut_out", 0.002), labels(3))
    records[0] = replace(records[0], command="")  # type: ignore[type-var]
    assert {s.how for s in after(records)} == {""}


def test_photos_without_weights_are_told_where_to_get_some(build: SimpleNamespace) -> None:
    reason = "no pretrained weights at hand: put some into a folder"
    plan = Plan("skip/regularize/pretrained_backbone/a", "regularize", "pretrained_backbone", None, reason)
    records = whole(build, plan)
    for shape, told in (([96, 128, 3], 1), ([28, 28, 1], 0)):
        run = replace(records[0], problem=records[0].problem | {"kind": "image", "shape": shape})  # type: ignore[union-attr,type-var]
        found = [s for s in after([run, *records[1:]]) if "pretrained" in s.what]
        assert len(found) == told
        for step in found:
            assert step.most
            assert "--model \"backbone(name='applications:MobileNetV2')\"" in step.how
            assert "put some into a folder" in step.why


def test_a_training_split_that_is_not_fitted_is_told_where_nobody_knows_what_a_person_reaches(
    build: SimpleNamespace,
) -> None:
    records = whole(build)
    run = replace(records[0], problem=records[0].problem | {"human_score": None})  # type: ignore[union-attr,type-var]
    best = tell(records).best
    assert best is not None
    for train, told in ((0.90, 1), (0.985, 0)):
        others = [
            replace(r, train_score=train, score=0.895) if getattr(r, "key", "") == best.key else r for r in records[1:]
        ]
        found = [s for s in after([run, *others]) if s.what == "Fit the training split better"]
        assert len(found) == told


def test_a_photo_and_a_fit_are_what_the_recipe_calls_so() -> None:
    from keras_recipe.models import convnets
    from keras_recipe.stages import overfit
    from keras_recipe.views import next_steps

    assert (next_steps.PHOTO, next_steps.FITTED) == (convnets.PHOTO, overfit.FITTED)
