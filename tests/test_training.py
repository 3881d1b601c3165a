from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_recipe import checkpoint, training
from keras_recipe import learner as learners
from keras_recipe import problem as problems
from keras_recipe.compiled import optimizer
from keras_recipe.core.config import Config
from keras_recipe.core.errors import RecipeError
from keras_recipe.data import load, synthetic
from keras_recipe.learner import Learner
from keras_recipe.order import epoch_order, mixed_order, training_rows
from keras_recipe.problem import Problem, Split
from keras_recipe.training import run_trial, seconds_an_epoch

CONFIG = Config("mlp(depth=1, dropout=0.2, width=8)", augmentation="noise(scale=0.1)", batch_size=16, epochs=4)


def same(a: training.Outcome, b: training.Outcome) -> bool:
    timeless = {"seconds": 0.0, "startup_seconds": 0.0, "inherited_seconds": 0.0}
    return (
        replace(a.trial, **timeless) == replace(b.trial, **timeless)  # type: ignore[arg-type]
        and np.array_equal(a.predictions, b.predictions)
        and all(np.array_equal(x, y) for x, y in zip(a.weights, b.weights, strict=True))
        and a.histograms.keys() == b.histograms.keys()
        and all(np.array_equal(a.histograms[e], b.histograms[e]) for e in a.histograms)
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


def test_a_trial_that_paused_goes_on_to_the_same_result(blobs: Problem, tmp_path: Path) -> None:
    config = CONFIG.replace(epochs=6, patience=3)
    whole = run_trial(Learner(blobs), config, 1)
    learner = Learner(blobs)
    begun = run_trial(learner, config, 1, directory=tmp_path, pause=2).trial
    assert begun.stopped == "paused"
    assert begun.history == {name: values[:2] for name, values in whole.trial.history.items()}
    run_trial(learner, config, 2)  # another trial takes the same loop in between
    seen: list[int] = []
    again = run_trial(learner, config, 1, directory=tmp_path, progress=lambda e, n, v: seen.append(e))
    assert same(whole, again)
    assert seen[0] == 2  # two of six epochs are done


def test_a_cooldown_goes_on_from_what_is_trained_to_the_same_result(blobs: Problem, tmp_path: Path) -> None:
    config = CONFIG.replace(epochs=6)
    longer = config.replace(schedule="cooldown")
    whole = run_trial(Learner(blobs), longer, 1)
    learner = Learner(blobs)
    run_trial(learner, config, 1, directory=tmp_path / "constant")
    checkpoint.close(tmp_path / "constant")
    seen: list[int] = []
    gone_on = run_trial(
        learner,
        longer,
        1,
        directory=tmp_path / "cooldown",
        before=tmp_path / "constant",
        progress=lambda e, n, v: seen.append(e),
    )
    assert same(whole, gone_on)
    assert min(seen) == 6
    assert gone_on.trial.epochs == 8
    assert 0 < gone_on.trial.inherited_seconds < gone_on.trial.seconds
    assert whole.trial.inherited_seconds == 0


def test_a_cooldown_lets_the_rate_fall_after_the_constant_epochs(blobs: Problem) -> None:
    rates: list[float] = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            rates.append(float(self.model.optimizer.learning_rate))

    run_trial(Learner(blobs), CONFIG.replace(epochs=8, schedule="cooldown"), 0, callbacks=[Watch()])
    assert np.allclose(rates[:8], rates[0])
    assert np.allclose(np.divide(rates[8:], rates[0]), [1 - 0.25**0.5, 1 - 0.75**0.5])


SIMULATED = CONFIG.replace(augmentation="", synthetic=f"{__name__}:cloud(share=0.5)")
MADE: list[int] = []


def cloud(problem: Problem, count: int, seed: int, label: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """Training examples with noise; of one label where that is asked for."""
    MADE.append(count)
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(problem.train), size=count)
    x, y = np.asarray(problem.train.x[rows]), problem.train.y[rows]
    noise = rng.normal(scale=0.1, size=x.shape)
    moved = (x + noise).clip(0, 255) if x.dtype == "uint8" else x + noise
    return moved.astype(x.dtype), y if label < 0 else np.full_like(y, label)


@given(
    st.integers(1, 40),
    st.integers(1, 9),
    st.integers(1, 30),
    st.floats(0.01, 0.99),
    st.integers(0, 9),
    st.integers(0, 3),
)
def test_the_share_of_an_epoch_s_examples_is_simulated(
    examples: int, batch: int, simulated: int, share: float, seed: int, epoch: int
) -> None:
    order = epoch_order(examples, batch, seed, epoch)
    mixed = mixed_order(order, examples, simulated, share, seed, epoch)
    assert mixed.shape == order.shape
    drawn = mixed[mixed >= examples]
    assert len(drawn) == min(max(1, round(share * order.size)), order.size - 1)
    assert drawn.size == 0 or drawn.max() < examples + simulated
    np.testing.assert_array_equal(mixed[mixed < examples], order[mixed < examples])
    counts = np.bincount(drawn - examples, minlength=simulated)
    assert np.ptp(counts) <= 1  # none twice before each once
    np.testing.assert_array_equal(mixed, mixed_order(order, examples, simulated, share, seed, epoch))


def test_other_epochs_and_seeds_see_other_simulated_examples() -> None:
    order = epoch_order(100, 10, 0, 0)
    one, two, three = (mixed_order(order, 100, 300, 0.5, s, e) for s, e in ((0, 0), (0, 1), (1, 0)))
    for other in (two, three):
        assert not np.array_equal(one, other)
        assert not np.array_equal(one >= 100, other >= 100)


def test_a_trial_with_simulated_examples_is_a_pure_function_too(blobs: Problem, tmp_path: Path) -> None:
    learner = Learner(blobs)
    first = run_trial(learner, SIMULATED, 1)
    MADE.clear()
    assert same(first, run_trial(learner, SIMULATED, 1))
    run_trial(learner, SIMULATED.replace(synthetic=f"{__name__}:cloud(share=0.1)"), 1)
    assert MADE == []  # once for all trials and shares
    assert same(first, run_trial(Learner(blobs, directory=tmp_path), SIMULATED, 1))
    assert [synthetic.pool_size(blobs)] == MADE
    assert same(first, run_trial(Learner(blobs, directory=tmp_path), SIMULATED, 1))
    assert len(MADE) == 1  # a later process finds them
    assert not same(first, run_trial(learner, SIMULATED.replace(synthetic=""), 1))
    assert len(first.trial.history["loss"]) == SIMULATED.epochs


def test_a_trial_with_simulated_examples_goes_on_from_its_checkpoint(
    blobs: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "SHARE", 1e9)
    whole = run_trial(Learner(blobs), SIMULATED, 1)

    def stop(epoch: int, epochs: int, values: dict[str, float]) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_trial(Learner(blobs), SIMULATED, 1, directory=tmp_path, progress=stop)
    assert same(whole, run_trial(Learner(blobs), SIMULATED, 1, directory=tmp_path))


def test_simulated_examples_of_large_data_are_read_a_buffer_at_a_time(
    stripes: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config("small_cnn(width=4)", batch_size=16, epochs=2, synthetic=f"{__name__}:cloud(share=0.5)")
    monkeypatch.setattr(problems, "BUFFER_BYTES", 40 * int(np.prod(stripes.signature.shape)))
    whole = run_trial(Learner(stripes), config, 0)
    monkeypatch.setattr(synthetic, "JOINED_BYTES", 0)
    assert same(whole, run_trial(Learner(stripes), config, 0))


def test_simulated_examples_are_trained_on_and_never_scored(blobs: Problem) -> None:
    """Where the simulated ones all bear one label, the model learns that; its scores say how it does on real ones."""
    config = Config("linear()", "adam(learning_rate=0.1)", batch_size=16, epochs=60)
    wrong = config.replace(synthetic=f"{__name__}:cloud(label=1, share=0.9)")
    learner = Learner(blobs)
    honest, misled = run_trial(learner, config, 0), run_trial(learner, wrong, 0)
    real = np.mean(blobs.train.y == 1)
    assert honest.trial.train_score > 0.9
    assert abs(misled.trial.train_score - real) < 0.15  # nearly all are called 1
    assert abs(misled.trial.history["score"][-1] - real) < 0.25  # counted with the simulated ones, it would be 0.9
    assert misled.trial.examples == honest.trial.examples
    assert len(misled.predictions) == len(blobs.validation)


def test_two_threads_make_them_once(blobs: Problem) -> None:
    learner = Learner(blobs)
    MADE.clear()
    threads = [threading.Thread(target=learner.simulated, args=(SIMULATED.synthetic,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(MADE) == 1


def test_few_pools_are_kept_in_memory(blobs: Problem) -> None:
    learner = Learner(blobs)
    for label in range(3):
        learner.simulated(f"{__name__}:cloud(label={label})")
    assert len(learner._pools) == learners.KEPT_POOLS
    MADE.clear()
    learner.simulated(f"{__name__}:cloud(label=0)")
    assert len(MADE) == 1


def test_the_price_of_an_epoch_is_measured_where_one_call_is_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first call traces, and says nothing."""
    small = load((np.zeros((40, 2), "float32"), np.arange(40) % 2), name="small")
    learner, config = Learner(small), Config("linear()", batch_size=16, epochs=2)
    assert 0 < seconds_an_epoch(learner, config, probe_seconds=0.2) < 0.2
    loop, steps = learner.loop(config), []
    train = loop.train

    def slow(x: Any, y: Any, order: Any) -> Any:
        steps.append(len(order))
        time.sleep(0.01 * len(order))
        return train(x, y, order)

    monkeypatch.setattr(loop, "train", slow)
    assert seconds_an_epoch(learner, config, probe_seconds=0.1) > 0.01
    assert len(steps) > 2


def test_the_balanced_score_of_an_epoch_does_not_depend_on_how_many_steps_make_a_call() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, 3)).astype("float32")
    y = (x[:, 0] + generator.normal(size=200) > 1.2).astype("int32")
    learner = Learner(load((x, y), metric="balanced_accuracy", name="rare"))
    config = Config("mlp(depth=1, width=8)", "adam(learning_rate=0.01)", batch_size=8, epochs=3)
    one_at_a_time = run_trial(learner, config, 0, callbacks=[Counter()])  # which wants to see every batch
    assert same(one_at_a_time, run_trial(learner, config, 0))
