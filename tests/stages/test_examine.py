"""The second look, at the trained model: always, with its own weights, and only while there is time."""

from __future__ import annotations

import pytest

from keras_recipe.core.config import Config
from keras_recipe.core.journal import select
from keras_recipe.core.records import CheckRun, Plan
from keras_recipe.job import Job
from keras_recipe.stages.examine import look_again
from keras_recipe.stages.squeeze import best_trial
from keras_recipe.study import Study

CONFIG = Config("mlp(depth=1, width=16)", "adam(learning_rate=0.01)", epochs=3)


def looks(study: Study) -> dict[str, CheckRun]:
    return {c.check: c for c in select(list(study.journal), CheckRun)}


def test_it_looks_at_the_trained_model_without_augmentation_too(study: Study) -> None:
    study.trials("overfit", [(CONFIG, 0)])
    assert look_again(study, CONFIG) == CONFIG
    found = looks(study)
    assert {name for name, run in found.items() if run.findings} == {"first_layer", "activations"}
    assert all(run.stage == "regularize" for run in found.values())
    assert "just_before_the_net" not in found
    count = len(study.journal)
    look_again(study, CONFIG)
    assert len(study.journal) == count


def test_the_weights_are_those_of_the_best_seed_and_fresh_ones_where_they_began(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = study.trials("overfit", [(CONFIG, seed) for seed in study.seeds(3)])
    seen: list[Job] = []
    monkeypatch.setattr("keras_recipe.stages.examine._look", lambda study, job, stage, name: seen.append(job))
    look_again(study, CONFIG)
    best = best_trial(study, trials)
    assert seen[0].seed == best.seed
    assert seen[0].trained is not None
    trained = [v.numpy() for v in seen[0].trained().model.variables]
    assert all((a == b).all() for a, b in zip(trained, study.weights(best), strict=True))


def test_what_there_is_no_time_for_is_recorded(study: Study) -> None:
    study.trials("overfit", [(CONFIG, 0)])
    study.journal.credit(study.remaining)
    look_again(study, CONFIG)
    assert looks(study) == {}
    skips = {p.name: p.reason for p in select(list(study.journal), Plan)}
    assert {"first_layer", "activations"} <= set(skips)
    assert all("budget" in reason for reason in skips.values())
