"""Histograms of weights, gradients and updates: right, few, and without any effect on what is trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_recipe import histograms
from keras_recipe.core.config import Config
from keras_recipe.histograms import BINS, KINDS, Watched, due, histogram
from keras_recipe.learner import Learner
from keras_recipe.problem import Problem
from keras_recipe.training import run_trial

CONFIG = Config("mlp(depth=2, width=8)", batch_size=16, epochs=20)


@pytest.mark.parametrize("spec", ["adam(learning_rate=0.01)", "adamw()", "nadam()", "sgd()", "sgd(momentum=0.9)"])
def test_the_gradient_is_the_one_that_the_step_was_made_of(blobs: Problem, spec: str) -> None:
    learner = Learner(blobs)
    training = learner.training(CONFIG.replace(optimizer=spec), 1)
    loop, (x, y) = training.loop, next(learner.train.steps(np.arange(16, dtype="int32")[None], lambda: 1))[0]
    rows = np.arange(32, dtype="int32").reshape(2, 16)
    loop.train(x, y, rows[:1])  # moments are not 0 any more
    with tf.GradientTape() as tape:
        outputs = loop.model(tf.gather(x, rows[1]), training=True)
        loss = loop.model.compute_loss(y=tf.gather(y, rows[1]), y_pred=outputs, training=True)
    watched = Watched.of(loop)
    true = tape.gradient(loss, [w.value for w in watched.weights])
    _, found = watched.around(lambda: loop.train(x, y, rows[1:]))
    if spec == "sgd()":  # keeps no moment
        assert not found[1].any()
        return
    for row, gradient in zip(found[KINDS.index("gradients")], true, strict=True):
        assert row[:2] == pytest.approx([gradient.numpy().min(), gradient.numpy().max()], rel=1e-3, abs=1e-6)


def test_updates_are_shares_of_the_weights(blobs: Problem) -> None:
    loop = Learner(blobs).training(CONFIG, 1).loop
    watched = Watched.of(loop)

    def step() -> None:
        for w in watched.weights:
            w.assign(w.numpy() + np.float32(0.001) * np.sqrt(np.mean(w.numpy() ** 2)))

    _, found = watched.around(step)
    assert found[2, :, :2] == pytest.approx(-3, abs=0.01)
    assert np.array_equal(found[0, :, 2:].sum(axis=1), [np.prod(w.shape) for w in watched.weights])


def test_what_does_not_move_has_no_updates(blobs: Problem) -> None:
    _, found = Watched.of(Learner(blobs).training(CONFIG, 1).loop).around(lambda: None)
    assert not found[1:].any()
    assert found[0].any()


def test_measuring_changes_no_bit_of_the_result(blobs: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = run_trial(Learner(blobs), CONFIG, 1)
    assert sorted(measured.histograms) == [0, 4, 8, 11, 15, 19]
    monkeypatch.setattr(histograms, "due", lambda epoch, config: False)
    plain = run_trial(Learner(blobs), CONFIG, 1)
    assert plain.histograms == {}
    timeless = {"seconds": 0.0, "startup_seconds": 0.0}
    assert replace(measured.trial, **timeless) == replace(plain.trial, **timeless)  # type: ignore[arg-type]
    assert all(np.array_equal(a, b) for a, b in zip(measured.weights, plain.weights, strict=True))


def test_a_cooldown_measures_what_the_trial_before_it_measured_and_its_end() -> None:
    cooled = CONFIG.replace(schedule="cooldown")
    assert {e for e in range(25) if due(e, cooled)} == {e for e in range(20) if due(e, CONFIG)} | {24}
    assert {e for e in range(3) if due(e, CONFIG.replace(epochs=3))} == {0, 1, 2}


def test_few_layers_and_few_values_of_a_large_model_are_counted(blobs: Problem) -> None:
    loop = Learner(blobs).training(CONFIG.with_args("model", depth=20, width=200), 1).loop
    watched = Watched.of(loop)
    assert len(watched.names) == histograms.LAYERS
    assert watched.weights[0] is loop.model.trainable_variables[0]
    assert watched.weights[-1].shape[-1] == 3
    _, found = watched.around(lambda: None)
    assert found[0, :, 2:].sum(axis=1).max() <= histograms.VALUES


def test_names_do_not_depend_on_what_was_built_before(blobs: Problem) -> None:
    first = Watched.of(Learner(blobs).training(CONFIG, 1).loop).names
    assert first == Watched.of(Learner(blobs).training(CONFIG, 1).loop).names
    assert first[0] == "01 dense/kernel"


def test_counts_leave_out_what_is_not_finite() -> None:
    found = histogram(np.array([np.nan, 0.0, 1.0, 1.0, np.inf], "float32"))
    assert found.tolist() == [0.0, 1.0, 1.0, *[0.0] * (BINS - 2), 2.0]
    assert not histogram(np.array([np.nan])).any()
    assert histogram(np.array([2.0, 2.0])).tolist() == [2.0, 2.0, 2.0, *[0.0] * (BINS - 1)]


def test_they_are_written_beside_the_trial(tmp_path: Path) -> None:
    histograms.write(tmp_path, (), {0: np.zeros((3, 0, 32))})
    assert not list(tmp_path.iterdir())
    histograms.write(tmp_path, ("a",), {4: np.ones((3, 1, 32)), 0: np.zeros((3, 1, 32))})
    with np.load(tmp_path / histograms.FILE, allow_pickle=False) as arrays:
        assert arrays["epochs"].tolist() == [0, 4]
        assert arrays["points"][:, 0, 0, 0].tolist() == [0.0, 1.0]


def test_an_optimizer_whose_gradient_cannot_be_read_back_shows_weights_and_updates(blobs: Problem) -> None:
    found = run_trial(Learner(blobs), CONFIG.replace(optimizer="rmsprop()", epochs=1), 1).histograms[0]
    assert not found[1].any()
    assert found[0].any()
    assert found[2].any()
