"""The second look, at the trained model: always, with its own weights, and only while there is time."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest

from keras_recipe.core.config import Config
from keras_recipe.core.journal import select
from keras_recipe.core.records import CheckRun, Plan
from keras_recipe.job import Job
from keras_recipe.problem import Problem
from keras_recipe.recipe import Recipe
from keras_recipe.stages import Blocked
from keras_recipe.stages.examine import baseline, look_again
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
    monkeypatch.setattr("keras_recipe.stages.examine._look", lambda study, job, *of: seen.append(job))
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


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Config:
    """A config of a model of which no layer but the last is trained, on features that are all but nothing."""
    from keras_recipe.models import MODELS
    from keras_recipe.models.heads import head, inputs

    def mostly_frozen(problem: Problem) -> keras.Model:
        """A hidden layer that nobody trains."""
        tensor, x = inputs(problem)
        narrow = keras.initializers.RandomNormal(stddev=1e-4)
        hidden = keras.layers.Dense(32, "relu", kernel_initializer=narrow, name="hidden")
        hidden.trainable = False
        return keras.Model(tensor, head(problem, hidden(keras.layers.Flatten()(x))))

    list(MODELS)
    monkeypatch.setattr(MODELS, "_functions", dict(MODELS._functions))
    monkeypatch.setattr(MODELS, "_places", dict(MODELS._places))
    MODELS.register(mostly_frozen)
    return Config("mostly_frozen()", "adam(learning_rate=0.01)", batch_size=16, epochs=10)


def test_a_baseline_that_is_blocked_says_what_is_wrong_with_the_model(
    blobs: Problem, frozen: Config, tmp_path: Path
) -> None:
    with Recipe(blobs, tmp_path, 600.0, workers=1).study() as study:
        with pytest.raises(Blocked, match="cannot be fitted") as blocked:
            baseline(study, frozen)
        causes = [f.cause for f in blocked.value.findings]
        assert causes[0] == "architecture"
        assert {"frozen-layers", "initializer"} & set(causes[1:])
        (proof,) = [r for r in select(list(study.journal), CheckRun) if r.check == "diagnosis"]
        assert proof.stage == "baseline"
        assert proof.findings[0].evidence
