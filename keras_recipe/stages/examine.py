"""The two stages that look before they train: `inspect` and `baseline` run the checks of their name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_recipe.checks import CHECKS, run_check
from keras_recipe.core.config import Config
from keras_recipe.core.records import CheckRun
from keras_recipe.job import Job
from keras_recipe.stages import Blocked
from keras_recipe.study import Study, errors

if TYPE_CHECKING:
    from keras_recipe.loop import Loop


def inspect(study: Study, config: Config) -> Config:
    """Become one with the data. Raises Blocked."""
    return _examine(study, config, "inspect")


def baseline(study: Study, config: Config) -> Config:
    """Set up an end-to-end skeleton, and get dumb baselines. Raises Blocked."""
    return _examine(study, config, "baseline")


def look_again(study: Study, config: Config) -> Config:
    """Look at the tensors just before the net once more, where accepted augmentations have changed them."""
    if config.augmentation:
        _look(study, job_of(study, config), "regularize", "just_before_the_net")
    return config


def job_of(study: Study, config: Config) -> Job:
    """The recipe's own training job, as the checks see it."""

    def fresh(seed: int) -> Loop:
        from keras_recipe.compiled import learning_rate

        loop = study.learner.loop(config)
        loop.reset(seed, learning_rate(config))
        return loop

    return Job(study.problem, study.directory, fresh, config.batch_size, study.seeds(1)[0])


def _examine(study: Study, config: Config, stage: str) -> Config:
    job = job_of(study, config)
    for name in CHECKS.of_stage(stage):
        _look(study, job, stage, name)
    return config


def _look(study: Study, job: Job, stage: str, name: str) -> None:
    key = f"check/{stage}/{name}"
    run = study.memo(CheckRun, key, lambda: run_check(name, job, stage, key))
    if errors(run.findings):
        raise Blocked(stage, errors(run.findings))
