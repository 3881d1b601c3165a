from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from keras_recipe.core.config import Config
from keras_recipe.core.journal import Journal, select
from keras_recipe.core.records import LearningCurve, Plan, Trial
from keras_recipe.data import load
from keras_recipe.problem import Problem
from keras_recipe.recipe import Recipe
from keras_recipe.stages.more_data import COARSE, SHARES, draw_curve
from keras_recipe.stages.regularize import regularize
from keras_recipe.study import Study

MODEL = Config("mlp(depth=1, width=16)", "adam(learning_rate=0.01)", batch_size=16, epochs=4)


def clouds(features: int, distance: float, n: int = 900) -> Problem:
    """Two overlapping clouds: with many features, each further example tells where they lie."""
    generator = np.random.default_rng(0)
    y = np.arange(n) % 2
    x = generator.normal(size=(n, features)) + distance * (2 * y[:, None] - 1) / np.sqrt(features)
    return load((x.astype("float32"), y), name="clouds")


@pytest.fixture(scope="module")
def hungry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    with Recipe(clouds(60, 1.5), tmp_path_factory.mktemp("run"), 3600.0, workers=1).study() as study:
        yield study


def curves(study: Study) -> list[LearningCurve]:
    return select(list(study.journal), LearningCurve)


def test_a_learner_that_needs_more_data_is_told_so(hungry: Study) -> None:
    curve = draw_curve(hungry, MODEL)
    assert curve is not None
    sizes = [p.examples for p in curve.points]
    full = len(hungry.problem.train)
    assert sizes == pytest.approx([full / 8, full / 4, full / 2, full], abs=1)
    assert [p.seeds for p in curve.points] == [3, 3, 3, 3]
    assert all(p.low <= p.score <= p.high for p in (*curve.points, *curve.forecast))
    assert curve.points[0].score < curve.points[-1].score
    assert 0 < curve.low <= curve.gain <= curve.high
    assert curve.sentence.startswith(f"twice the data would bring +{curve.gain * 100:.1f} points (")
    assert [p.examples for p in curve.forecast] == [2 * full, 4 * full]


def test_the_trials_on_parts_have_as_many_steps_and_are_not_taken_for_the_model(hungry: Study) -> None:
    draw_curve(hungry, MODEL)
    trials = select(list(hungry.journal), Trial)
    parts = [t for t in trials if t.config["train_share"] < 1]
    assert len(parts) == 9
    steps = {round(t.examples / 16 * t.epochs / 4 / (len(hungry.problem.train) // 16), 1) for t in parts}
    assert all(0.8 <= s <= 1.1 for s in steps)
    assert all(t.digest != MODEL.digest() for t in parts)
    assert not any((hungry.folder(t.key) / "weights.npz").exists() for t in parts)


def test_a_second_time_the_curve_is_read_from_the_record(hungry: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    first = draw_curve(hungry, MODEL)
    count = len(hungry.journal)
    monkeypatch.setattr("keras_recipe.training.run_trial", None)
    monkeypatch.setattr("keras_recipe.learning_curve.fit", None)
    assert draw_curve(hungry, MODEL) == first
    assert len(hungry.journal) == count


def test_the_curve_comes_back_from_the_journal_as_it_was(hungry: Study, tmp_path: Path) -> None:
    curve = draw_curve(hungry, MODEL)
    assert curve is not None
    journal = Journal(tmp_path)
    journal.append(curve)
    journal.close()
    again = Journal(tmp_path)
    assert again.get(LearningCurve, curve.key) == curve
    again.close()


def test_data_that_is_learnt_from_few_examples_needs_no_more(tmp_path: Path) -> None:
    with Recipe(clouds(2, 4.0), tmp_path, 3600.0, workers=1).study() as study:
        curve = draw_curve(study, MODEL)
    assert curve is not None
    assert curve.gain < 0.005


def test_it_comes_first_in_regularize_unless_other_moves_are_named(hungry: Study, tmp_path: Path) -> None:
    with Recipe(hungry.problem, tmp_path, 3600.0, workers=1).study() as study:
        assert regularize(study, MODEL, ("smaller_batch",)) is not None
        assert not curves(study)
        regularize(study, MODEL, ("learning_curve",))
        assert curves(study)


@pytest.mark.parametrize(
    ("seconds", "allowed"),
    [(3600.0, (SHARES, 3)), (30.0, (SHARES, 2)), (20.0, (SHARES, 1)), (10.0, (COARSE, 1)), (5.0, (COARSE, 0))],
)
def test_points_are_as_many_as_a_tenth_of_the_time_holds(
    hungry: Study,
    tmp_path: Path,
    seconds: float,
    allowed: tuple[tuple[float, ...], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw_curve(hungry, MODEL)
    with Recipe(hungry.problem, tmp_path, 3600.0, workers=1).study() as study:
        for record in [t for t in select(list(hungry.journal), Trial) if t.digest == MODEL.digest()]:
            study.journal.append(replace(record, seconds=0.3))
        monkeypatch.setattr(Study, "remaining", property(lambda self: seconds))
        monkeypatch.setattr(Study, "trials", lambda self, stage, wanted: (_ for _ in ()).throw(TimeoutError))
        from keras_recipe.stages import more_data
        from keras_recipe.stages.climb import Incumbent

        trials = tuple(t for t in select(list(study.journal), Trial) if t.digest == MODEL.digest())
        incumbent = Incumbent(MODEL, trials, "regularize")
        assert more_data._affordable_points(study, incumbent, len(study.problem.train)) == allowed


def test_where_time_is_short_the_curve_is_coarser_and_its_interval_wider(hungry: Study, tmp_path: Path) -> None:
    fine = draw_curve(hungry, MODEL)
    assert fine is not None
    with Recipe(hungry.problem, tmp_path, 3600.0, workers=1).study() as study:
        for record in [t for t in select(list(hungry.journal), Trial) if t.digest == MODEL.digest()]:
            study.journal.append(replace(record, seconds=100.0))  # of which a tenth of an hour holds two or three
            shutil.copytree(hungry.folder(record.key), study.folder(record.key))
        coarse = draw_curve(study, MODEL)
        assert len([t for t in select(list(study.journal), Trial) if t.config["train_share"] < 1]) == 2
    assert coarse is not None
    assert [(p.examples, p.seeds) for p in coarse.points] == [
        *((p.examples, 1) for p in fine.points[1:3]), (fine.points[3].examples, 3),
    ]  # fmt: skip
    assert coarse.low <= coarse.gain <= coarse.high
    assert coarse.high - coarse.low > fine.high - fine.low


def test_what_the_budget_does_not_hold_is_skipped_with_the_reason(hungry: Study, tmp_path: Path) -> None:
    with Recipe(hungry.problem, tmp_path, 3600.0, workers=1).study() as study:
        study.trials("overfit", [(MODEL, seed) for seed in study.seeds(3)])
        study.journal.credit(3600.0 - 180.0 - study.journal.elapsed - 0.5)
        assert draw_curve(study, MODEL) is None
        skipped = [p for p in select(list(study.journal), Plan) if p.name == "learning_curve"]
        assert "budget" in skipped[0].reason


def test_too_few_examples_are_skipped_with_the_reason(study: Study) -> None:
    assert draw_curve(study, MODEL) is None
    skipped = [p for p in select(list(study.journal), Plan) if p.name == "learning_curve"]
    assert "too few" in skipped[0].reason


def test_a_part_of_the_data_has_as_much_patience_in_steps_as_all_of_it() -> None:
    from keras_recipe.stages import more_data

    whole = MODEL.replace(epochs=40, patience=5)
    assert (more_data._part(whole, 0.125).epochs, more_data._part(whole, 0.125).patience) == (320, 40)
    assert more_data._part(MODEL, 0.5).patience is None
