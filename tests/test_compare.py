from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_recipe.compare import (
    SEEDS,
    Effect,
    allowed_loss,
    compare,
    compare_average,
    compare_paired,
    in_unit,
    judge,
    promising,
    score_interval,
)


def judged(rate: float, seeds: int, examples: int, rng: np.random.Generator, spread: float = 0.01) -> np.ndarray:
    """Correctness of models of about this accuracy, each seed a bit better or worse than the next."""
    rates = rate + spread * rng.standard_normal((seeds, 1))
    return (rng.random((seeds, examples)) < rates).astype(float)


def accepted(gain: float, tries: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(tries):
        found += compare("accuracy", judged(0.9, 3, 500, rng), judged(0.9 + gain, 3, 500, rng)).better
    return found / tries


def test_the_same_config_under_other_seeds_is_rarely_accepted() -> None:
    assert accepted(0.0, 400, 0) <= 0.05


def test_a_large_gain_is_accepted() -> None:
    assert accepted(0.08, 100, 1) >= 0.95


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4), st.sampled_from(["accuracy", "log_loss", "rmse", "mae"]))
def test_turning_the_comparison_round_turns_the_interval_round(seed: int, seeds: int, metric: str) -> None:
    rng = np.random.default_rng(seed)
    a, b = -rng.random((2, seeds, 30))
    there, back = compare(metric, a, b), compare(metric, b, a)
    assert there.gain == pytest.approx(-back.gain)
    assert there.low == pytest.approx(-back.high)
    assert there.low <= there.gain <= there.high


def test_rmse_gains_are_in_the_unit_of_the_target() -> None:
    rng = np.random.default_rng(0)
    errors = rng.normal(0, 100, (3, 2000))
    found = compare("rmse", -np.square(errors), -np.square(0.9 * errors))
    assert found.gain == pytest.approx(10, rel=0.1)
    assert found.better


def test_the_interval_covers_the_seeds_as_well_as_the_examples() -> None:
    """A candidate whose gain comes from one lucky seed of three is not better than noise."""
    before, after = np.tile([[0.0, 1.0] * 500], (3, 1)), np.tile([[0.0, 1.0] * 500], (3, 1))
    after[0] = 1.0
    assert not compare("accuracy", before, after).better


def test_one_seed_on_either_side_is_rarely_accepted_by_luck() -> None:
    """The spread over seeds, a tenth of that over examples up to as large, is not to be seen, but allowed for."""
    rng = np.random.default_rng(0)
    for spread in (0.0, 0.005, 0.01):
        found = [
            compare("accuracy", judged(0.9, 1, 2000, rng, spread), judged(0.9, 1, 2000, rng, spread)).better
            for _ in range(400)
        ]
        assert np.mean(found) <= 0.06


def test_one_seed_on_either_side_sees_a_large_gain() -> None:
    rng = np.random.default_rng(0)
    assert compare("accuracy", judged(0.85, 1, 2000, rng), judged(0.92, 1, 2000, rng)).better


def test_one_seed_is_judged_by_the_spread_of_the_incumbents() -> None:
    rng = np.random.default_rng(0)
    before = judged(0.9, 3, 1000, rng, spread=0.002)
    assert compare("accuracy", before, np.zeros((1, 1000))).worse
    assert compare("accuracy", before, before[:1]).seeds == 1


@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 0), (2, 3)])
def test_seeds_that_do_not_pair_are_refused(before: int, after: int) -> None:
    with pytest.raises(ValueError, match="one seed or more before, and no more after"):
        compare("accuracy", np.zeros((before, 5)), np.zeros((after, 5)))


def test_an_accuracy_of_one_still_has_an_interval() -> None:
    low, high, method = score_interval("accuracy", np.ones(100))
    assert (round(low, 3), high, method) == (0.963, 1.0, "Wilson")


def test_an_rmse_has_an_interval_around_it() -> None:
    errors = np.random.default_rng(0).normal(0, 5, 1000)
    low, high, _ = score_interval("rmse", -np.square(errors))
    assert low < 5 < high < 5.5


def test_more_seeds_are_asked_for_only_while_they_may_decide() -> None:
    rng = np.random.default_rng(0)
    base = judged(0.8, 7, 400, rng, spread=0.003)
    better, equal = judged(0.95, 7, 400, rng, spread=0.003), judged(0.79, 7, 400, rng, spread=0.003)
    for after, expected in ((better, [3]), (equal, [3])):
        asked: list[int] = []
        judge("accuracy", lambda n, a=after, seen=asked: (seen.append(n), (base[:n], a[:n]))[1])  # type: ignore[misc]
        assert asked == expected
    before = np.tile([0.0, 1.0] * 50, (7, 1))
    slightly, asked = before.copy(), []
    for seed, (row, more) in enumerate(zip(slightly, (1, 3, 5, 1, 3, 5, 3), strict=True)):
        row[2 * np.arange(more) + 10 * seed] = 1.0
    found = judge("accuracy", lambda n: (asked.append(n), (before[:n], slightly[:n]))[1])  # type: ignore[func-returns-value]
    assert asked[:2] == [3, 5]
    assert found is not None
    assert found.better
    assert found.seeds == asked[-1] <= SEEDS[-1]


def test_without_seeds_there_is_no_judgement() -> None:
    assert judge("accuracy", lambda n: None) is None


def test_a_first_seed_is_promising_if_it_beats_the_mean_of_the_incumbents() -> None:
    before = np.array([[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0]])
    assert promising(before, np.array([1.0, 1.0, 1.0, 0.0]))
    assert not promising(before, np.array([1.0, 1.0, 0.0, 0.0]))


def test_noise_that_is_both_a_seeds_and_an_examples_counts_once() -> None:
    """Independent coin flips: the interval is that of one sample of seeds times examples, not wider by a half."""
    rng = np.random.default_rng(3)
    widths = []
    for _ in range(200):
        found = compare("accuracy", *(rng.random((2, 20, 300)) < 0.5).astype(float))
        widths.append(found.high - found.low)
    assert np.mean(widths) == pytest.approx(2 * 1.97 * np.sqrt(2 * 0.25 / 6000), rel=0.08)


def test_an_average_is_compared_over_the_examples_alone() -> None:
    rng = np.random.default_rng(0)
    members = rng.random((5, 4000)) < 0.7
    average = rng.random(4000) < 0.75
    found = compare_average("accuracy", members.astype(float), average.astype(float))
    assert found.gain == pytest.approx(average.mean() - members.mean())
    deviation = np.std(average - members.mean(axis=0), ddof=1) / np.sqrt(4000)
    assert found.high - found.low == pytest.approx(2 * 1.9605 * deviation, rel=1e-3)
    assert found.seeds == 5


@pytest.mark.parametrize(
    ("low", "high", "margin", "kept"),
    [
        (-0.01, 0.01, 0.02, True),
        (-0.03, 0.01, 0.02, False),
        (-0.015, -0.005, 0.02, False),
        (0.01, 0.02, 0.0, True),
        (0.0, 0.0, 0.0, True),
    ],
)
def test_a_smaller_model_is_kept_where_no_loss_is_proven_and_none_above_the_margin_is_left(
    low: float, high: float, margin: float, kept: bool
) -> None:
    assert Effect((low + high) / 2, low, high, 3).keeps(margin) is kept


def test_a_twentieth_of_the_error_may_be_lost() -> None:
    correct = np.tile([1.0, 1.0, 1.0, 1.0, 0.0], (3, 10))
    assert allowed_loss("accuracy", correct) == pytest.approx(0.01)
    assert in_unit("accuracy", correct, 0.01) == pytest.approx(0.01)
    squared = np.full((3, 10), -16.0)  # an RMSE of 4
    assert in_unit("rmse", squared, allowed_loss("rmse", squared)) == pytest.approx(0.025 * 4)
    assert allowed_loss("accuracy", np.ones((3, 10))) == 0.0


def test_more_seeds_are_asked_for_only_where_they_may_still_keep_a_smaller_model() -> None:
    rng = np.random.default_rng(0)
    asked: list[int] = []

    def gains(loss: float) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
        before = rng.normal(size=(7, 400))
        after = before + rng.normal(scale=0.1, size=(7, 1)) - loss

        def some(count: int) -> tuple[np.ndarray, np.ndarray]:
            asked.append(count)
            return before[:count], after[:count]

        return some

    judge("mae", gains(0.0), margin=10.0)  # kept at once
    assert asked == [3]
    asked.clear()
    judge("mae", gains(10.0), margin=0.01)  # out of reach
    assert asked == [3]


def test_what_a_seed_has_made_of_a_model_is_common_to_both_sides() -> None:
    rng = np.random.default_rng(0)
    own = rng.normal(scale=5.0, size=(3, 1)) + rng.normal(size=(3, 500))
    found = compare_paired("mae", own - 0.1 - rng.normal(scale=0.1, size=own.shape), own)
    assert found.gain == pytest.approx(0.1, abs=0.02)
    assert found.high - found.low < 0.2
    assert compare("mae", own - 0.1, own).high > 1.0


def test_a_smaller_model_that_is_perfect_too_gets_its_other_seeds() -> None:
    perfect = np.ones((3, 50))
    assert promising(perfect, perfect[0], loss=0.0)
    assert not promising(perfect, perfect[0])
    assert promising(np.full((3, 50), 0.8), np.full(50, 0.79), loss=0.02)
    assert not promising(np.full((3, 50), 0.8), np.full(50, 0.77), loss=0.02)
