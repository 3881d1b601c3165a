from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_recipe.core.config import Config
from keras_recipe.core.errors import RecipeError
from keras_recipe.core.journal import select
from keras_recipe.core.records import Decision, Plan, Trial
from keras_recipe.data import load
from keras_recipe.data.toys import line
from keras_recipe.moves import MOVES
from keras_recipe.problem import Problem
from keras_recipe.recipe import Recipe
from keras_recipe.stages.climb import climb
from keras_recipe.stages.incumbent import Incumbent, complete, trained
from keras_recipe.stages.price import epochs_until_stop, seconds_of, share_until_stop
from keras_recipe.stages.regularize import regularize
from keras_recipe.stages.squeeze import SHARE
from keras_recipe.study import Study

SLOW = Config("mlp(depth=1, width=16)", "adam(learning_rate=0.000001)", batch_size=16, epochs=5)
FAST = SLOW.with_args("optimizer", learning_rate=0.01)


@pytest.fixture
def alone(blobs: Problem, tmp_path: Path) -> Iterator[Study]:
    """A study of the points, one trial at a time."""
    with Recipe(blobs, tmp_path, 600.0, workers=1).study() as study:
        yield study


@pytest.fixture(autouse=True)
def rates() -> Iterator[None]:
    """Moves to a rate that learns, to one that does not, to a slower one, and to a wider layer."""
    list(MOVES)  # all that there are are found before more are added
    known = dict(MOVES._functions), dict(MOVES._places)

    def learn(config: Config, trial: Trial) -> Iterator[Config]:
        """Train at a rate that learns."""
        yield config.with_args("optimizer", learning_rate=0.01)

    def stall(config: Config, trial: Trial) -> Iterator[Config]:
        """Train at a rate that learns nothing."""
        yield config.with_args("optimizer", learning_rate=0.000001)

    def slow_down(config: Config, trial: Trial) -> Iterator[Config]:
        """Train at a quarter of the rate."""
        rate = float(str(config.leaves()["optimizer.learning_rate"]))
        yield config.with_args("optimizer", learning_rate=rate / 4)

    def widen(config: Config, trial: Trial) -> Iterator[Config]:
        """Give the hidden layer 64 units."""
        yield config.with_args("model", width=64)

    for function in (learn, stall, slow_down, widen):
        MOVES.staged("regularize", order=1, expect=0.5)(function)
    yield
    MOVES._functions, MOVES._places = known


def decisions(study: Study) -> list[Decision]:
    return select(list(study.journal), Decision)


def skips(study: Study) -> dict[str, str]:
    return {r.name: r.reason for r in select(list(study.journal), Plan) if r.key.startswith("skip/")}


def test_a_move_that_helps_is_accepted_with_three_seeds_on_each_side(alone: Study) -> None:
    assert regularize(alone, SLOW, ("learn",)) == FAST
    decision = decisions(alone)[0]
    assert decision.accepted
    assert decision.low > 0
    assert decision.seeds == 3
    assert decision.change == {"optimizer.learning_rate": [1e-6, 0.01]}
    assert decision.expected == pytest.approx(0.5 * (1 - decision.before_score))
    assert decision.after_score - decision.before_score == pytest.approx(decision.effect)
    assert {t.seed for t in select(list(alone.journal), Trial) if t.digest == FAST.digest()} == {0, 1, 2}


def test_a_move_that_hurts_is_stopped_after_one_seed(alone: Study) -> None:
    assert regularize(alone, FAST, ("slow_down",)) == FAST
    decision = decisions(alone)[0]
    assert not decision.accepted
    assert decision.seeds == 1
    assert "first seed" in decision.reason
    assert len([t for t in select(list(alone.journal), Trial) if t.digest == decision.after]) == 1


def test_a_hopeless_candidate_costs_a_quarter_of_one_run(alone: Study) -> None:
    config, stalled = FAST.replace(epochs=8), SLOW.replace(epochs=8)
    assert regularize(alone, config, ("stall",)) == config
    assert not decisions(alone)
    assert not [t for t in select(list(alone.journal), Trial) if t.digest == stalled.digest()]
    begun = next(p for p in select(list(alone.journal), Plan) if p.key.startswith("begun/"))
    assert len(begun.value) == 2
    assert begun.seconds > 0
    assert not (alone.folder(alone.key(stalled, 0)) / "checkpoint.npz").exists()
    given_up = next(p for p in select(list(alone.journal), Plan) if p.key.startswith("hopeless/"))
    assert "hopeless after 2 of 8 epochs" in given_up.reason
    assert given_up.value == {"optimizer.learning_rate": [0.01, 1e-6]}
    assert given_up.seconds == begun.seconds


def test_a_candidate_whose_trial_is_known_is_judged_by_all_of_it(alone: Study) -> None:
    config, stalled = FAST.replace(epochs=8), SLOW.replace(epochs=8)
    alone.trials("overfit", [(stalled, 0)])
    assert regularize(alone, config, ("stall",)) == config
    assert [d.move for d in decisions(alone)] == ["stall"]
    assert not [p for p in select(list(alone.journal), Plan) if p.key.startswith(("begun/", "hopeless/"))]


def test_being_behind_for_a_while_is_not_hopeless(alone: Study) -> None:
    """The incumbent itself still had further to go."""
    config = FAST.with_args("optimizer", learning_rate=0.001).replace(epochs=12)
    regularize(alone, config, ("slow_down",))
    assert [d.move for d in decisions(alone)] == ["slow_down"]


def test_what_was_refused_is_tried_again_with_a_larger_model(alone: Study) -> None:
    small = FAST.with_args("model", width=1)
    chosen = regularize(alone, small, ("stall", "widen"))
    assert chosen == FAST.with_args("model", width=64)
    stalls = [d.before for d in decisions(alone) if d.move == "stall"]
    stalls += [r.key.split("/")[3] for r in alone.journal if r.key.startswith("hopeless/regularize/stall/")]
    assert sorted(stalls) == sorted((small.digest(), chosen.digest()))


def test_lower_is_better_for_regression(tmp_path: Path) -> None:
    with Recipe(line(), tmp_path, 600.0, workers=1).study() as study:
        assert regularize(study, SLOW, ("learn",)) == FAST
        decision = decisions(study)[0]
        assert decision.low > 0
        assert decision.after_score < decision.before_score
        assert decision.expected == pytest.approx(0.5 * decision.before_score)


def test_nothing_is_accepted_that_is_not_better_than_noise(alone: Study) -> None:
    chosen = regularize(alone, FAST, ("slow_down", "dropout", "smaller_batch", "early_stopping"))
    made = decisions(alone)
    assert len(made) >= 5
    assert all(d.accepted == (d.low > 0 and d.seeds == 3) for d in made)
    accepted = [d for d in made if d.accepted]
    assert chosen.digest() == (accepted[-1].after if accepted else FAST.digest())


def test_the_next_move_starts_from_what_was_accepted(alone: Study) -> None:
    regularize(alone, SLOW, ("learn", "smaller_batch"))
    learn, *others = decisions(alone)
    assert learn.move == "learn"
    assert others
    assert all(d.before == learn.after for d in others)


def test_a_move_that_does_not_apply_is_recorded_with_the_reason(alone: Study) -> None:
    assert regularize(alone, FAST, ("shift_picture",)) == FAST
    assert "does not apply to vector data" in skips(alone)["shift_picture"]
    assert [p.expected for p in select(list(alone.journal), Plan) if p.name == "shift_picture"] == [None]
    assert not decisions(alone)


def test_moves_that_the_budget_cuts_off_are_recorded_with_the_reason(alone: Study) -> None:
    alone.trials("overfit", [(FAST, 0)])
    alone.journal.credit(1000.0)
    assert regularize(alone, FAST, ("stall", "dropout")) == FAST
    assert set(skips(alone)) == {"stall", "dropout"}
    assert all("budget" in reason for reason in skips(alone).values())


def test_without_moves_nothing_is_trained(alone: Study) -> None:
    assert regularize(alone, FAST, ()) == FAST
    assert not select(list(alone.journal), Trial)


def test_a_second_time_everything_is_read_from_the_record(alone: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    first = regularize(alone, SLOW, ("learn", "shift_picture"))
    count = len(alone.journal)
    monkeypatch.setattr("keras_recipe.training.run_trial", None)
    assert regularize(alone, SLOW, ("learn", "shift_picture")) == first
    assert len(alone.journal) == count


@pytest.fixture
def doubtful(tmp_path: Path) -> Iterator[Study]:
    """A study of few targets that are mostly noise, which a wide net learns by heart."""
    x, noise = np.random.default_rng(0).normal(size=(2, 300, 10))
    problem = load((x.astype("float32"), x.sum(axis=1) + 6 * noise[:, 0]), name="doubtful")
    with Recipe(problem, tmp_path, 600.0, workers=1).study() as study:
        yield study


LEARNS_BY_HEART = Config("mlp(depth=1, width=32)", "adam(learning_rate=0.02)", batch_size=16, epochs=24)


def test_early_stopping_comes_first_where_the_incumbent_has_overfitted_for_long(doubtful: Study) -> None:
    chosen = regularize(doubtful, LEARNS_BY_HEART, ("smaller_batch", "early_stopping"))
    tried = [d.move for d in decisions(doubtful)]
    assert tried[0] == "early_stopping"
    assert tried.count("early_stopping") == 1
    assert chosen.patience == 4
    assert all(d.config["patience"] == 4 for d in decisions(doubtful))


def test_early_stopping_keeps_its_place_where_the_incumbent_goes_on_learning(alone: Study) -> None:
    regularize(alone, FAST.with_args("optimizer", learning_rate=0.001), ("smaller_batch", "early_stopping"))
    assert [d.move for d in decisions(alone)][-1] == "early_stopping"


def test_what_early_stopping_costs_is_read_from_the_history_of_the_incumbent(doubtful: Study) -> None:
    trials = tuple(doubtful.trials("regularize", [(LEARNS_BY_HEART, seed) for seed in (0, 1)]))
    incumbent = Incumbent(LEARNS_BY_HEART, trials, "regularize")
    stopping = LEARNS_BY_HEART.replace(patience=4)
    stopped = doubtful.trials("regularize", [(stopping, seed) for seed in (0, 1)])
    assert [t.epochs for t in stopped] == [epochs_until_stop(t.history["val_loss"], 4) for t in trials]
    part = max(t.epochs for t in stopped) / 24
    assert part < 0.75
    assert share_until_stop(incumbent, [stopping]) == part
    price = seconds_of(doubtful, "early_stopping", incumbent, [stopping])
    assert price == pytest.approx(part * incumbent.seconds)
    for other in (stopping.replace(batch_size=8), LEARNS_BY_HEART.replace(batch_size=8)):
        assert share_until_stop(incumbent, [other]) == 1.0
    assert epochs_until_stop([3.0, 2.0, 1.0], 2) == 3


@pytest.mark.parametrize(("trials", "first"), [(6.5, "smaller_batch"), (1000.0, "narrower")])
def test_where_time_is_short_smaller_models_come_after_what_may_help(alone: Study, trials: float, first: str) -> None:
    made = alone.trials("overfit", [(FAST, seed) for seed in alone.seeds(3)])
    kept = alone.remaining - trials * 10.0
    for trial in made:
        object.__setattr__(trial, "seconds", 10.0)
    # Dropout has two strengths, smaller_batch has one, and either may need two more seeds: seven trials.
    climb(alone, FAST, "regularize", ("narrower", "dropout", "smaller_batch"), kept)
    assert decisions(alone)[0].move == first


def test_what_is_kept_for_later_stages_is_not_spent(alone: Study) -> None:
    trials = alone.trials("overfit", [(FAST, seed) for seed in (0, 1, 2)])
    assert climb(alone, FAST, "regularize", ("stall",), kept=600.0) == FAST
    assert set(skips(alone)) == {"stall"}
    (skip,) = (p for p in select(list(alone.journal), Plan) if p.key.startswith("skip/"))
    score = statistics.mean(t.score for t in trials)
    assert skip.expected == pytest.approx(0.5 * (1 - score)), "what it would have been expected to bring"
    assert not decisions(alone)


def test_of_two_strengths_the_gentler_one_is_tried_where_the_budget_holds_one(
    alone: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = FAST.replace(epochs=8)
    alone.trials("regularize", [(config, seed) for seed in alone.seeds(3)])
    each = 100.0  # a price, so that how fast this machine is at the moment decides nothing
    monkeypatch.setattr("keras_recipe.stages.climb.seconds_of", lambda *_: each)
    alone.journal.credit(alone.remaining - alone.budget * SHARE - 1.6 * each)
    regularize(alone, config, ("dropout",))
    tried = {d.change["model.dropout"][1] for d in decisions(alone)} | {
        p.value["model.dropout"][1] for p in select(list(alone.journal), Plan) if p.key.startswith("hopeless/")
    }
    assert tried == {0.2}
    assert not skips(alone)
    plan = next(p for p in select(list(alone.journal), Plan) if p.name.startswith("strengths of dropout"))
    assert plan.value == 1
    count = len(alone.journal)
    regularize(alone, config, ("dropout",))
    assert len(alone.journal) == count


def test_an_accepted_move_stays_when_the_budget_is_over_although_another_strength_was_hopeless(
    alone: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keras_recipe.stages.screening.HOPELESS", 0.0)  # whoever is behind

    def both(config: Config, trial: Trial) -> Iterator[Config]:
        """Train at a rate that learns nothing, or with more units."""
        yield config.with_args("optimizer", learning_rate=0.000001)
        yield config.with_args("model", width=64)

    MOVES.staged("regularize", order=1, expect=0.5)(both)
    start = FAST.with_args("model", width=1).replace(epochs=8)
    chosen = regularize(alone, start, ("both",))
    assert chosen == start.with_args("model", width=64)
    assert any(p.key.startswith("hopeless/") for p in select(list(alone.journal), Plan))
    records = len(alone.journal)
    alone.journal.credit(alone.remaining + 100)
    assert regularize(alone, start, ("both",)) == chosen
    assert len(alone.journal) == records


def test_three_seeds_that_are_there_decide_whatever_is_left_of_the_budget(alone: Study) -> None:
    alone.trials("regularize", [(FAST, seed) for seed in alone.seeds(3)])
    alone.journal.credit(alone.remaining + 100)
    found = trained(alone, FAST, "squeeze")
    assert found is not None
    assert len(found.trials) == 3


def test_a_candidate_that_the_budget_cuts_short_goes_on_where_there_is_more(
    blobs: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Recipe(blobs, tmp_path, 600.0, workers=1).study() as study:
        study.trials("regularize", [(FAST, 0)])
        with monkeypatch.context() as patch:
            patch.setattr(type(study), "remaining", property(lambda self: 0.5))
            slow = FAST.replace(epochs=100_000)
            assert complete(study, "regularize", [(slow, 0)]) is None
            assert complete(study, "regularize", [(FAST, 0)], kept=1.0) is not None, "what is there costs nothing"
        assert not [t for t in select(list(study.journal), Trial) if t.stopped == "budget"]


def test_a_model_that_cannot_be_built_ends_no_run(alone: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> float:
        raise RecipeError("weights that can be read", "a damaged file", "bring them again")

    monkeypatch.setattr("keras_recipe.stages.climb.seconds_of", broken)
    assert regularize(alone, FAST, ("dropout",)) == FAST
    assert skips(alone)["dropout"] == "it cannot be built: expected weights that can be read"


def test_features_are_not_charged_to_every_trial_that_shares_them() -> None:
    trial = Trial("", "", {}, "", 0, 0.0, 0.0, 0.0, 0.0, {}, 1, 1, 1, "epochs", 1, 200.0, 190.0)
    assert trial.again_seconds == 15.0, "features are paid once, a trace perhaps again"
    assert replace(trial, startup_seconds=1.0).again_seconds == 200.0


def test_a_larger_model_costs_as_much_more_as_it_has_multiply_adds(alone: Study) -> None:
    incumbent = Incumbent(FAST, tuple(alone.trials("regularize", [(FAST, 0)])), "regularize")
    for width, factor in ((16, 1.0), (8, 1.0), (64, 4.0)):
        some = [FAST.with_args("model", width=width, dropout=0.2)]
        assert seconds_of(alone, "larger_model", incumbent, some) == pytest.approx(factor * incumbent.seconds)


@pytest.mark.parametrize(
    ("own", "others", "first"),
    [(0.3, 0.8, "learn"), (0.3, 0.6, "widen"), (0.05, 0.98, "widen"), (0.3, 1.1, "widen")],
    ids=["no time for both", "time for both", "cheap", "no time for the other"],
)
def test_a_move_waits_where_it_leaves_no_time_for_one_that_is_expected_to_bring_more(
    own: float, others: float, first: str, alone: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    MOVES.staged("regularize", order=1, expect=0.1)(MOVES.get("widen"))
    MOVES.staged("regularize", order=2, expect=0.5)(MOVES.get("learn"))
    held = alone.remaining - alone.budget * SHARE
    takes = {"widen": own * held, "learn": others * held}
    monkeypatch.setattr("keras_recipe.stages.climb.seconds_of", lambda study, name, *given: takes[name])
    chosen = regularize(alone, SLOW, ("widen", "learn"))
    tried = [r.move if isinstance(r, Decision) else r.name for r in alone.journal if r.key.split("/")[0] in ORDERED]
    assert tried[0] == first
    count = len(alone.journal)
    alone.journal.credit(alone.remaining)
    assert regularize(alone, SLOW, ("widen", "learn")) == chosen
    assert len(alone.journal) == count


ORDERED = ("decision", "hopeless", "skip")


def test_a_move_that_proposes_nothing_has_no_price(alone: Study) -> None:
    MOVES.staged("regularize", order=1, expect=0.05)(MOVES.get("flip_picture"))
    MOVES.staged("regularize", order=2, expect=0.5)(MOVES.get("learn"))
    assert regularize(alone, SLOW, ("flip_picture", "learn")) == FAST
    assert "flip_picture" in skips(alone)


@pytest.mark.parametrize("diverges", ["the first seed", "another seed"])
def test_what_diverges_is_refused_whatever_its_guess_scores(
    diverges: str, alone: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = Study.trials

    def spoilt(study: Study, stage: str, wanted: Any, *given: Any, **named: Any) -> list[Trial]:
        found = trials(study, stage, wanted, *given, **named)
        seed = study.seeds(2)[diverges == "another seed"]
        return [replace(t, stopped="diverged") if t.seed == seed and t.digest == FAST.digest() else t for t in found]

    monkeypatch.setattr(Study, "trials", spoilt)
    assert regularize(alone, SLOW, ("learn",)) == SLOW
    (decision,) = decisions(alone)
    assert not decision.accepted
    assert "diverged" in decision.reason
