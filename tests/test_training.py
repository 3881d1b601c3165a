from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_recipe import checkpoint, training
from keras_recipe import problem as problems
from keras_recipe.compiled import optimizer
from keras_recipe.core.config import Config
from keras_recipe.core.errors import RecipeError
from keras_recipe.problem import Problem, Split
from keras_recipe.training import Learner, epoch_order, run_trial, training_rows

CONFIG = Config("mlp(depth=1, dropout=0.2, width=8)", augmentation="noise(scale=0.1)", batch_size=16, epochs=4)


def same(a: training.Outcome, b: training.Outcome) -> bool:
    timeless = {"seconds": 0.0, "startup_seconds": 0.0}
    return (
        replace(a.trial, **timeless) == replace(b.trial, **timeless)  # type: ignore[arg-type]
        and np.array_equal(a.predictions, b.predictions)
        and all(np.array_equal(x, y) for x, y in zip(a.weights, b.weights, strict=True))
    )


class Counter(keras.callbacks.Callback):
    """Counts what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs, self.batches, self.losses = 0, 0, []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.epochs += 1
        self.losses.append((logs or {})["val_loss"])

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.batches += 1


def test_a_trial_is_a_pure_function_of_problem_config_and_seed(blobs: Problem) -> None:
    learner = Learner(blobs)
    first = run_trial(learner, CONFIG, 1)
    run_trial(learner, CONFIG.with_args("optimizer", learning_rate=0.1), 2)
    assert same(first, run_trial(learner, CONFIG, 1))
    assert same(first, run_trial(Learner(blobs), CONFIG, 1))
    assert not same(first, run_trial(learner, CONFIG, 2))


def test_callbacks_observe_every_epoch_and_batch_and_change_nothing(blobs: Problem) -> None:
    learner, counter = Learner(blobs), Counter()
    observed = run_trial(learner, CONFIG, 1, callbacks=[counter])
    assert counter.epochs == CONFIG.epochs
    assert counter.batches == CONFIG.epochs * (len(blobs.train) // CONFIG.batch_size)
    assert counter.losses == observed.trial.history["val_loss"]
    assert same(observed, run_trial(learner, CONFIG, 1))


def test_a_trial_goes_on_from_its_checkpoint_to_the_same_result(
    blobs: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "SHARE", 1e9)
    config = CONFIG.replace(patience=3)
    whole = run_trial(Learner(blobs), config, 1)

    def stop(epoch: int, epochs: int, values: dict[str, float]) -> None:
        if epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_trial(Learner(blobs), config, 1, directory=tmp_path, progress=stop, elapsed=lambda: 12.5)
    assert checkpoint.elapsed(tmp_path) == 12.5
    seen: list[int] = []
    again = run_trial(Learner(blobs), config, 1, directory=tmp_path, progress=lambda e, n, v: seen.append(e))
    assert seen[0] >= 2
    assert same(whole, again)


def test_data_that_streams_trains_as_data_in_memory(
    stripes: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problems, "BUFFER_BYTES", 40 * int(np.prod(stripes.signature.shape)))

    def streamed(split: Split, name: str) -> Split:
        np.save(tmp_path / name, np.asarray(split.x))
        return replace(split, x=np.load(tmp_path / f"{name}.npy", mmap_mode="r"))

    problem = replace(
        stripes,
        train=streamed(stripes.train, "train"),
        validation=streamed(stripes.validation, "validation"),
    )
    assert not problem.train.in_memory
    config = Config("small_cnn(width=4)", augmentation="shift(factor=0.1)", batch_size=16, epochs=2)
    assert same(run_trial(Learner(stripes), config, 0), run_trial(Learner(problem), config, 0))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 50), st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_a_share_is_stratified_and_a_smaller_one_lies_in_a_larger_one(
    blobs: Problem, seed: int, one: float, other: float
) -> None:
    small, large = sorted((one, other))
    rows = [training_rows(blobs, CONFIG.replace(train_share=share), seed) for share in (small, large)]
    assert set(rows[0]) <= set(rows[1])
    for share, found in zip((small, large), rows, strict=True):
        counts = np.bincount(blobs.train.y)
        assert np.abs(np.bincount(blobs.train.y[found], minlength=len(counts)) - share * counts).max() <= 1
        assert (np.diff(found) > 0).all()


def test_another_seed_draws_another_subset_and_all_rows_are_all_rows(blobs: Problem) -> None:
    half = CONFIG.replace(train_share=0.5)
    assert set(training_rows(blobs, half, 0)) != set(training_rows(blobs, half, 1))
    assert (training_rows(blobs, CONFIG, 7) == np.arange(len(blobs.train))).all()


def test_a_trial_on_a_share_sees_no_other_rows(blobs: Problem) -> None:
    half = CONFIG.replace(train_share=0.5)
    others = np.setdiff1d(np.arange(len(blobs.train)), training_rows(blobs, half, 3))
    y = blobs.train.y.copy()
    y[others] = np.roll(y[others], 1)  # each class is as frequent as before
    assert (np.sort(y) == np.sort(blobs.train.y)).all()
    shuffled = replace(blobs, train=replace(blobs.train, y=y))
    assert (training_rows(blobs, half, 3) == np.setdiff1d(np.arange(len(y)), others)).all()
    rows = training_rows(blobs, half, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "training_rows", lambda *_: rows)
        assert same(run_trial(Learner(blobs), half, 3), run_trial(Learner(shuffled), half, 3))
        assert not same(run_trial(Learner(blobs), CONFIG, 3), run_trial(Learner(blobs), half, 3))


def test_a_share_that_streams_trains_as_one_in_memory(
    stripes: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problems, "BUFFER_BYTES", 20 * int(np.prod(stripes.signature.shape)))
    np.save(tmp_path / "x", np.asarray(stripes.train.x))
    mapped = replace(stripes.train, x=np.load(tmp_path / "x.npy", mmap_mode="r"))
    config = Config("small_cnn(width=4)", batch_size=16, epochs=2, train_share=0.5)
    first = run_trial(Learner(stripes), config, 0)
    assert same(first, run_trial(Learner(replace(stripes, train=mapped)), config, 0))
    half = len(training_rows(stripes, config, 0))
    assert first.trial.examples == half // 16 * 16


def test_early_stopping_keeps_the_weights_of_the_best_epoch(blobs: Problem) -> None:
    config = Config("mlp(depth=1, width=64)", "adam(learning_rate=0.1)", batch_size=8, epochs=40, patience=3)
    trial = run_trial(Learner(blobs), config, 0).trial
    losses = trial.history["val_loss"]
    assert trial.stopped == "patience"
    assert trial.epochs == trial.best_epoch + 3
    assert trial.loss == pytest.approx(min(losses), rel=1e-4)
    assert losses[trial.best_epoch - 1] == min(losses)


def test_a_rate_falls_over_the_whole_run_where_that_is_asked_for(blobs: Problem) -> None:
    rates: list[float] = []

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            rates.append(float(self.model.optimizer.learning_rate))

    config, learner = Config("linear()", "adam(learning_rate=0.01)", epochs=4), Learner(blobs)
    run_trial(learner, config.replace(schedule="cosine"), 0, callbacks=[Watch()])
    np.testing.assert_allclose(rates, 0.01 * (0.5 + 0.5 * np.cos(np.pi * (np.arange(4) + 0.5) / 4)), rtol=1e-5)
    rates.clear()
    run_trial(learner, config, 0, callbacks=[Watch()])
    np.testing.assert_allclose(rates, 0.01, rtol=1e-6)
    with pytest.raises(ValueError, match="cosine"):
        config.replace(schedule="cosign")


def test_without_patience_the_last_weights_are_kept(blobs: Problem) -> None:
    trial = run_trial(Learner(blobs), CONFIG, 0).trial
    assert trial.best_epoch == trial.epochs == CONFIG.epochs
    assert trial.loss == pytest.approx(trial.history["val_loss"][-1], rel=1e-4)


def test_a_deadline_stops_between_steps_and_says_so(blobs: Problem) -> None:
    learner = Learner(blobs)
    run_trial(learner, CONFIG, 0)
    config = CONFIG.replace(epochs=100_000)
    began = time.monotonic()
    trial = run_trial(learner, config, 0, deadline=time.monotonic() + 1.0).trial
    assert trial.stopped == "budget"
    assert 0 < trial.epochs < config.epochs
    assert time.monotonic() - began < 10
    with pytest.raises(TimeoutError):
        run_trial(learner, config, 0, deadline=time.monotonic() - 1)


def test_an_interrupt_reaches_a_trial_in_another_thread(blobs: Problem) -> None:
    learner, raised = Learner(blobs), []

    def work() -> None:
        try:
            run_trial(learner, CONFIG.replace(epochs=100_000), 0)
        except InterruptedError:
            raised.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    learner.interrupted.set()
    thread.join(timeout=60)
    assert raised == [True]


def test_a_diverged_trial_says_so_and_scores_like_a_guess(line: Problem) -> None:
    config = Config("mlp(width=64)", "sgd(learning_rate=1e6)", epochs=10)
    outcome = run_trial(Learner(line), config, 0)
    assert outcome.trial.stopped == "diverged"
    assert outcome.trial.epochs < 10
    assert np.isfinite(outcome.predictions).all()
    assert outcome.trial.loss <= 1e30


def test_every_epoch_has_its_own_order_and_each_row_at_most_once() -> None:
    first, second = epoch_order(100, 16, 3, 0), epoch_order(100, 16, 3, 1)
    assert first.shape == (6, 16)
    assert len(set(first.ravel().tolist())) == 96
    assert not np.array_equal(first, second)
    assert np.array_equal(first, epoch_order(100, 16, 3, 0))
    assert epoch_order(5, 16, 0, 0).shape == (1, 5)


def test_weight_decay_spares_biases_and_normalization(stripes: Problem) -> None:
    config = Config("small_cnn(width=4)", "adam(learning_rate=0.01, weight_decay=0.5)")
    loop = Learner(stripes).loop(config)
    decayed = {v.name for v in loop.model.trainable_variables if loop.optimizer._use_weight_decay(v)}
    assert decayed == {"kernel"}


@pytest.mark.parametrize("spec", ["adma()", "adam(rate=0.1)"])
def test_an_unknown_optimizer_or_argument_is_told(spec: str) -> None:
    with pytest.raises(RecipeError, match="adam"):
        optimizer(spec)


def test_an_unknown_optimizer_suggests_the_nearest() -> None:
    with pytest.raises(RecipeError, match="'adam', the nearest"):
        optimizer("adamm()")
