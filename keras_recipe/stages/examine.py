"""The two stages that look before they train: `inspect` and `baseline` run the checks of their name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from keras_recipe.checks import CHECKS, run_check
from keras_recipe.core.config import Config
from keras_recipe.core.progress import Progress
from keras_recipe.core.records import CheckRun
from keras_recipe.core.spec import Spec
from keras_recipe.job import Job
from keras_recipe.models import MODELS
from keras_recipe.stages import Blocked
from keras_recipe.stages.diagnosed import diagnosed
from keras_recipe.stages.overfit import ladder
from keras_recipe.stages.squeeze import best_trial, trials_of
from keras_recipe.study import Study, errors

if TYPE_CHECKING:
    from keras_recipe.loop import Loop


LONG = (
    "unusual", "duplicates", "label_errors", "drift", "detail", "shuffled_labels", "capacity", "prediction_dynamics",
)  # fmt: skip
"""Checks that cost seconds, on large data half a minute: left out where the time is short."""

LONG_SHARE = 0.2
"""Part of the budget that may be gone before they are."""

LOOK_SECONDS = 2.0
"""Seconds that a look at the trained model takes, about; where they are not left there is none."""

NO_TIME = "not enough of the budget is left"

TOO_LONG = f"{LONG_SHARE:.0%} of the budget were gone: training needs the rest"


def inspect(study: Study, config: Config) -> Config:
    """Become one with the data. Raises Blocked."""
    return _examine(study, config, "inspect")


def baseline(study: Study, config: Config) -> Config:
    """Set up an end-to-end skeleton, and get dumb baselines. Raises Blocked, with what is proved to be wrong."""
    try:
        return _examine(study, config, "baseline")
    except Blocked as blocked:
        raise Blocked("baseline", (*blocked.findings, *diagnosed(study, config, "baseline"))) from blocked


def look_again(study: Study, config: Config) -> Config:
    """Look once more, at the trained model: the weights of its first layer and its activations; where augmentations
    were accepted, at the tensors just before the net, and whether they have kept their labels."""
    best = best_trial(study, trials_of(study, config))

    def trained() -> Loop:
        loop = study.learner.loop(config)
        for variable, value in zip(loop.model.variables, study.weights(best), strict=True):
            variable.assign(value)
        return loop

    # The seed is that of the trained weights, so that a check can tell what training has changed of them.
    job = replace(job_of(study, config), trained=trained, seed=best.seed)
    for name in (*(["just_before_the_net"] if config.augmentation else []), *CHECKS.of_stage("regularize")):
        key = f"look/{name}/{config.digest()}"
        if study.journal.get(CheckRun, key) is None and study.remaining < LOOK_SECONDS:
            study.skip("regularize", name, NO_TIME, of=config)
            continue
        _look(study, job, "regularize", name, key)
    return config


def job_of(study: Study, config: Config) -> Job:
    """The recipe's own training job, as the checks see it."""

    def fresh(seed: int) -> Loop:
        from keras_recipe.compiled import learning_rate

        loop = study.learner.loop(config)
        loop.reset(seed, learning_rate(config))
        return loop

    larger = _wider(study, config)

    def wider(seed: int) -> Loop:
        from keras_recipe.compiled import learning_rate

        loop = study.learner.loop(larger or config)
        loop.reset(seed, learning_rate(config))
        return loop

    def progress(what: str, done: int, total: int) -> None:
        study.listener.progress(Progress("inspect", what, done, total))

    return Job(
        study.problem,
        study.directory,
        fresh,
        config.batch_size,
        study.seeds(1)[0],
        wider if larger else None,
        progress=progress,
    )


def _wider(study: Study, config: Config) -> Config | None:
    """The config with twice the width, or the next rung of the ladder; None where there is neither."""
    model = Spec.parse(config.model)
    width = (MODELS.arguments(model.name) | dict(model.args)).get("width")
    if isinstance(width, int):
        return config.with_args("model", width=2 * width)
    rungs = ladder(study.problem)
    later = rungs[rungs.index(config.model) + 1 :] if config.model in rungs else ()
    return config.replace(model=later[0]) if later else None


def _examine(study: Study, config: Config, stage: str) -> Config:
    job = job_of(study, config)
    for name in CHECKS.of_stage(stage):
        key = f"check/{stage}/{name}"
        late = study.journal.elapsed > LONG_SHARE * study.budget
        if name in LONG and late and study.journal.get(CheckRun, key) is None:
            study.skip(stage, name, TOO_LONG)
            continue
        _look(study, job, stage, name, key)
    return config


def _look(study: Study, job: Job, stage: str, name: str, key: str) -> None:
    run = study.memo(CheckRun, key, lambda: run_check(name, job, stage, key))
    if errors(run.findings):
        raise Blocked(stage, errors(run.findings))
