"""The rate in a `fit` of one's own: schedules, callbacks before and behind it, and a warning where it was spent."""

from __future__ import annotations

import warnings

import keras
import numpy as np
import pytest

import keras_recipe as kr
from keras_recipe.problem import Problem

EPOCHS = 12


def fit(problem: Problem, rate: object, before: list[object], behind: list[object]) -> kr.callbacks.LearningRateReport:
    keras.utils.set_random_seed(0)
    report = kr.callbacks.LearningRateReport()
    model = kr.models.create("mlp(depth=1, width=16)", problem)
    model.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = problem.train.x, problem.train.y
    model.fit(x, y, batch_size=16, epochs=EPOCHS, verbose=0, callbacks=[*before, report, *behind])
    return report


def steps(problem: Problem) -> int:
    return -(-len(problem.train) // 16)


def test_a_decay_of_another_data_set_is_told(blobs: Problem) -> None:
    decay = keras.optimizers.schedules.ExponentialDecay(0.01, decay_steps=steps(blobs), decay_rate=0.1)
    with pytest.warns(UserWarning, match="the loss was still falling.*fractions of this run"):
        report = fit(blobs, decay, [], [])
    assert report.finding.severity == "warning"
    assert report.finding.cause == "schedule"
    np.testing.assert_allclose(report.rates, 0.01 * 0.1 ** np.arange(EPOCHS), rtol=1e-4)
    assert len(report.losses) == EPOCHS


def test_constant_rates_and_a_cosine_over_the_run_are_fine(blobs: Problem) -> None:
    cosine = keras.optimizers.schedules.CosineDecay(0.003, decay_steps=EPOCHS * steps(blobs))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for rate in (0.003, cosine):
            assert fit(blobs, rate, [], []).finding.severity == "ok"


def test_a_decay_after_the_loss_has_settled_is_fine(blobs: Problem) -> None:
    late = keras.optimizers.schedules.PiecewiseConstantDecay([8 * steps(blobs)], [0.1, 0.0001])
    report = fit(blobs, late, [], [])
    assert report.finding.severity == "ok"
    assert "settled" in report.finding.message


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras's own callback
@pytest.mark.parametrize("first", [True, False])
def test_rates_that_callbacks_set_are_read_whatever_their_place(blobs: Problem, first: bool) -> None:
    falling = keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 if epoch < 2 else 1e-6)
    with pytest.warns(UserWarning, match="after 2 of 12 epochs"):
        report = fit(blobs, 0.003, [falling] if first else [], [] if first else [falling])
    np.testing.assert_allclose(report.rates, [0.01] * 2 + [1e-6] * 10, rtol=1e-4)


def test_another_training_begins_anew(blobs: Problem) -> None:
    report = fit(blobs, 0.003, [], [])
    report.model.fit(blobs.train.x, blobs.train.y, epochs=2, verbose=0, callbacks=[report])
    assert len(report.rates) == len(report.losses) == 2
