from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_recipe import training
from keras_recipe.core.config import Config
from keras_recipe.core.journal import select
from keras_recipe.core.records import CheckRun, Finding, Plan, Trial
from keras_recipe.data import load
from keras_recipe.recipe import Recipe
from keras_recipe.stages import Blocked, overfit
from keras_recipe.study import Study

LINEAR, SMALL, LARGE = "linear()", "mlp(depth=1, width=64)", "mlp(depth=1, width=128)"


@pytest.fixture
def xor(tmp_path: Path) -> Iterator[Study]:
    """A study of a problem that no linear model fits: the class is whether two signs differ."""
    generator = np.random.default_rng(0)
    x = generator.choice([-1.0, 1.0], size=(200, 2)) + generator.normal(scale=0.1, size=(200, 2))
    y = (x[:, 0] > 0) != (x[:, 1] > 0)
    problem = load((x.astype("float32"), y.astype("int32")), name="xor")
    with Recipe(problem, tmp_path, 600.0, workers=1).study() as study:
        yield study


def climb(study: Study, monkeypatch: pytest.MonkeyPatch, *rungs: str, rate: float = 0.01, epochs: int = 40) -> Config:
    monkeypatch.setattr(overfit, "ladder", lambda problem: tuple(str(Config(r).model) for r in rungs))
    start = Config(rungs[0], f"adam(learning_rate={rate})", batch_size=16, epochs=epochs)
    return overfit.overfit(study, start)


def tried(study: Study) -> list[str]:
    return [Config.from_leaves(t.config).model for t in select(list(study.journal), Trial)]


def chosen(study: Study) -> str:
    plan = study.journal.get(Plan, "plan/overfit/chosen")
    assert plan is not None
    return plan.reason


def test_the_ladder_is_climbed_only_until_the_training_split_is_fitted(
    xor: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = climb(xor, monkeypatch, LINEAR, SMALL, LARGE)
    assert tried(xor) == [LINEAR, SMALL]
    assert config.model == SMALL
    assert "smallest model that fits" in chosen(xor)


def test_where_no_model_fits_the_lowest_training_loss_is_chosen_and_said(
    xor: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = "mlp(depth=1, width=2)"
    config = climb(xor, monkeypatch, LINEAR, tiny, epochs=2, rate=0.001)
    losses = {Config.from_leaves(t.config).model: t.train_loss for t in select(list(xor.journal), Trial)}
    assert set(losses) == {LINEAR, tiny}
    assert config.model == min(losses, key=lambda model: losses[model])
    assert "no model fits" in chosen(xor)


@pytest.mark.parametrize(
    ("next_rung", "share", "risen", "is_tried"),
    [
        ("mlp(depth=1, width=256)", 0.25, 1.25, False),
        ("mlp(depth=1, width=256)", 0.25, float("inf"), False),  # the gap alone tells
        ("mlp(depth=1, width=256)", 0.1, 1.25, True),
        ("embedded_mlp(depth=1, width=64)", 0.25, 1.25, True),  # of another kind, which may do better
    ],
)
def test_a_larger_one_of_what_overfits_must_leave_time_to_regularize(
    next_rung: str, share: float, risen: float, is_tried: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overfit, "RISEN", risen)
    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, 10)).astype("float32")
    doubtful = load((x, (x[:, 0] + 2 * generator.normal(size=200) > 0).astype("int32")), name="doubtful")
    monkeypatch.setattr(training, "seconds_an_epoch", lambda learner, config: share * 600 / config.epochs)
    monkeypatch.setattr(overfit, "FITTED", 1.1)  # whatever it learns by heart, the ladder goes on
    with Recipe(doubtful, tmp_path, 600.0, workers=1).study() as study:
        climb(study, monkeypatch, SMALL, next_rung, epochs=30)
        assert (len(tried(study)) == 2) == is_tried
        said = [p.reason for p in select(list(study.journal), Plan) if p.name.startswith("epochs of")][-1]
        assert ("of its kind overfits already" in said) != is_tried


def test_a_larger_one_of_what_does_not_overfit_may_take_its_share(xor: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "seconds_an_epoch", lambda learner, config: 0.25 * 600 / config.epochs)
    climb(xor, monkeypatch, "mlp(depth=1, width=1)", "mlp(depth=1, width=2)", epochs=4)
    assert len(tried(xor)) == 2


def test_a_rung_is_known_however_it_is_written(xor: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overfit, "ladder", lambda problem: (LINEAR, "mlp(depth=2, width=8)", SMALL))
    start = Config("mlp(width=8)", "adam(learning_rate=0.000001)", epochs=4)
    overfit.overfit(xor, start)
    assert len(tried(xor)) == 2


def test_a_users_own_model_is_taken_as_it_is(xor: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overfit, "ladder", lambda problem: (SMALL, LARGE))
    own = "mlp(depth=1, width=8)"
    config = overfit.overfit(xor, Config(own, "adam(learning_rate=0.01)", epochs=10))
    assert config.model == own
    assert tried(xor) == [own]


def test_training_that_diverges_stops_the_recipe(line_study: Study) -> None:
    with pytest.raises(Blocked, match="diverged"):
        overfit.overfit(line_study, Config(SMALL, "sgd(learning_rate=1e6)", epochs=10))


def nothing_fits(study: Study) -> Finding:
    runs = [r for r in study.journal if isinstance(r, CheckRun) and r.check == "nothing_fits"]
    return runs[0].findings[0]


def test_a_rate_at_which_nothing_is_learnt_stops_the_recipe_and_is_mended(xor: Study) -> None:
    with pytest.raises(Blocked, match="no model learns"):
        overfit.overfit(xor, Config(SMALL, "adam(learning_rate=0.00001)", batch_size=16, epochs=10))
    found = nothing_fits(xor)
    assert found.cause == "learning-rate"
    assert "learning rate" in found.hint
    (proof,) = [r for r in xor.journal if isinstance(r, CheckRun) and r.check == "diagnosis"]
    assert proof.findings[0].cause == "learning-rate"
    assert proof.stage == "overfit"
    assert found.evidence["blind"] == pytest.approx(np.log(2), abs=0.01)


def test_inputs_that_say_nothing_stop_the_recipe(tmp_path: Path) -> None:
    x, y = np.ones((200, 3), "float32"), np.arange(200) % 2
    with (
        Recipe(load((x, y), name="ones"), tmp_path, 600.0, workers=1).study() as study,
        pytest.raises(Blocked, match="no model learns"),
    ):
        overfit.overfit(study, Config(SMALL, "adam(learning_rate=0.001)", batch_size=16, epochs=5))
    assert nothing_fits(study).cause == "duplicates"


@pytest.fixture
def line_study(tmp_path: Path) -> Iterator[Study]:
    from keras_recipe.data.toys import line

    with Recipe(line(), tmp_path, 600.0, workers=1).study() as study:
        yield study


def test_a_short_budget_shortens_training_and_says_so(xor: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras_recipe.training.seconds_an_epoch", lambda learner, config: 1.0)
    xor.journal.credit(xor.remaining - 30.0)
    climb(xor, monkeypatch, LINEAR, SMALL, epochs=40)
    plan = xor.journal.get(Plan, f"plan/overfit/epochs of {LINEAR} in {xor.budget:.0f} s")
    assert plan is not None
    assert 1 <= plan.value < 20
    assert "40 epochs" in plan.reason


def test_a_second_climb_reads_the_record(xor: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    first = climb(xor, monkeypatch, LINEAR, SMALL, LARGE)
    count = len(xor.journal)
    monkeypatch.setattr("keras_recipe.training.run_trial", None)
    assert climb(xor, monkeypatch, LINEAR, SMALL, LARGE) == first
    assert len(xor.journal) == count


def test_more_time_makes_another_plan(xor: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras_recipe.training.seconds_an_epoch", lambda *arguments: 1.0)
    start = Config("mlp(depth=1, width=8)", epochs=40)
    short = overfit.overfit(replace(xor, budget=xor.journal.elapsed + 50.0), start)
    long = overfit.overfit(replace(xor, budget=xor.journal.elapsed + 5000.0), start)
    assert short.epochs < long.epochs == 40


def test_a_budget_without_room_for_an_epoch_plans_nothing(xor: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras_recipe.training.seconds_an_epoch", lambda *arguments: 100.0)
    before = len(xor.journal)
    with pytest.raises(TimeoutError):
        overfit.overfit(replace(xor, budget=xor.journal.elapsed + 50.0), Config("linear()", epochs=40))
    assert len(xor.journal) == before


def test_a_rung_that_is_not_done_in_time_leaves_the_one_before(xor: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    trials = Study.trials

    def late(study: Study, stage: str, wanted: list[tuple[Config, int]]) -> list[Trial]:
        if wanted[0][0].model == SMALL:
            raise TimeoutError
        return trials(study, stage, wanted)

    monkeypatch.setattr(Study, "trials", late)
    assert climb(xor, monkeypatch, LINEAR, SMALL).model == LINEAR


def test_features_that_the_budget_does_not_hold_are_told_before_they_are_computed(
    xor: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xor.learner, "feature_seconds", lambda config: 1200.0)
    with pytest.raises(TimeoutError, match="1200 s before it for its features"):
        climb(xor, monkeypatch, SMALL)


TINY = "mlp(depth=1, width=2)"
"""It learns some of it in a few epochs, and never all."""


@pytest.mark.parametrize(
    ("model", "in_time", "looked"), [(TINY, True, True), (SMALL, True, False), (TINY, False, False)]
)
def test_a_ladder_that_learns_some_and_fits_nothing_is_diagnosed(
    model: str, in_time: bool, looked: bool, xor: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def diagnosed(study: Study, config: Config, stage: str, seconds: float, mild: Any) -> tuple[Finding, ...]:
        asked.append(seconds)
        return ()

    monkeypatch.setattr(overfit, "diagnosed", diagnosed)
    if not in_time:  # that is why
        monkeypatch.setattr(training, "seconds_an_epoch", lambda learner, config: 0.02 * 600)
    climb(xor, monkeypatch, model, epochs=30)
    assert bool(asked) == looked
    assert all(seconds <= overfit.DIAGNOSIS_SHARE * 600 for seconds in asked)


def test_epochs_of_the_recipes_own_are_told_and_stop_nothing_that_learns(xor: Study) -> None:
    config = Config(SMALL, "adam(learning_rate=0.0003)", batch_size=16, epochs=2)
    assert overfit.overfit(xor, config) == config
    (looked,) = [r for r in xor.journal if isinstance(r, CheckRun) and r.check == "diagnosis"]
    (found,) = looked.findings
    assert (found.severity, found.cause in overfit.PRESCRIBED) == ("warning", True)


def test_a_model_that_learns_some_and_is_proved_broken_stops_the_recipe(
    xor: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Finding("error", "dead-units", "half of the units are dead", "", "", "use another activation")
    monkeypatch.setattr(overfit, "diagnosed", lambda *_: (found,))
    with pytest.raises(Blocked, match="no model fits its own training examples"):
        climb(xor, monkeypatch, TINY, epochs=30)
    assert nothing_fits(xor).cause == "dead-units"
    assert "half of the units are dead" in nothing_fits(xor).hint
