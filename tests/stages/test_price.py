from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from keras_recipe.core.config import Config
from keras_recipe.data import load
from keras_recipe.learner import Learner
from keras_recipe.recipe import Recipe
from keras_recipe.stages.price import epoch_seconds
from keras_recipe.study import Study

MEASURED = "keras_recipe.training.seconds_an_epoch"
CONFIG = Config("linear()")


@pytest.fixture
def two_at_a_time(tmp_path: Path) -> Iterator[Study]:
    x = np.random.default_rng(0).normal(size=(60, 3)).astype("float32")
    with Recipe(load((x, np.arange(60) % 2), name="pairs"), tmp_path, 600.0, workers=2).study() as study:
        yield study


def test_two_trials_at_a_time_are_measured_at_the_same_time(
    two_at_a_time: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def measured(learner: Learner, config: Config, traced: Callable[[], object]) -> float:
        traced()  # returns only when the other one is there, too
        threads.append(threading.get_ident())
        return float(len(threads))

    monkeypatch.setattr(MEASURED, measured)
    assert epoch_seconds(two_at_a_time, CONFIG, 2) == 2.0  # the slower one
    assert len({*threads, threading.get_ident()}) == 3


def test_one_trial_is_measured_where_trials_run(two_at_a_time: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MEASURED, lambda learner, config: float(threading.get_ident() == threading.main_thread().ident))
    assert epoch_seconds(two_at_a_time, CONFIG) == 0.0
    assert epoch_seconds(replace(two_at_a_time, executor=None), CONFIG, 2) == 1.0


def test_what_one_of_two_measurements_raises_ends_both(two_at_a_time: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def measured(learner: Learner, config: Config, traced: Callable[[], object]) -> float:
        calls.append(0)
        if len(calls) == 1:
            raise ValueError("no weights")
        traced()
        return 1.0

    monkeypatch.setattr(MEASURED, measured)
    with pytest.raises(ValueError, match="no weights"):
        epoch_seconds(two_at_a_time, CONFIG, 2)


def test_an_epoch_of_two_trials_takes_real_seconds(two_at_a_time: Study) -> None:
    assert 0 < epoch_seconds(two_at_a_time, CONFIG, 2) < 5
