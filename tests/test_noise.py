"""Where there is nothing to learn, nothing is found, and the report says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from keras_recipe import exported
from keras_recipe.core.config import Config
from keras_recipe.core.journal import read, select
from keras_recipe.core.records import Decision, Plan, Trial
from keras_recipe.data import load
from keras_recipe.problem import Problem
from keras_recipe.recipe import Recipe
from keras_recipe.stages.climb import climb
from keras_recipe.stages.final import finish
from keras_recipe.stages.squeeze import ensemble, squeeze
from keras_recipe.views.report import write_report

START = Config("mlp(depth=1, width=8)", "adam(learning_rate=0.02)", batch_size=20, epochs=8)
REGULARIZE = ("smaller_batch", "dropout", "larger_model")
SQUEEZE = ("cool_down", "ensemble")


def noise(seed: int) -> Problem:
    """Labels that have nothing to do with their inputs."""
    rng = np.random.default_rng(seed)
    return load((rng.normal(size=(200, 20)).astype("float32"), rng.integers(0, 2, size=200)), name="noise")


@pytest.mark.parametrize("seed", range(3))
def test_on_noise_no_move_is_accepted_and_the_report_says_that_there_is_nothing_to_learn(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exported, "verify", lambda path, problem, expected: 0.0)  # takes a new process
    with Recipe(noise(seed), tmp_path, 900.0, seed=seed, workers=1).study() as study:
        chosen = squeeze(study, climb(study, START, "regularize", REGULARIZE), SQUEEZE)
        end = finish(study, ensemble(study, chosen, SQUEEZE))
    assert chosen == START
    records = read(tmp_path)
    made = select(records, Decision)
    given_up = {p.name for p in select(records, Plan) if p.key.startswith("hopeless/")}
    assert {d.move for d in made} | given_up == {*REGULARIZE, *SQUEEZE}
    assert not any(d.accepted for d in made)
    own = [t for t in select(records, Trial) if t.digest == START.digest()]
    assert all(t.train_score > 0.6 for t in own), "noise is learnt by heart"
    assert end.low < 0.5 < end.high
    report = write_report(tmp_path).read_text(encoding="utf-8")
    assert f"of {len(made)} candidates none was better than noise" in report.replace("\u00a0", " ")
    assert "There is no evidence that the inputs say anything about the label." in report
