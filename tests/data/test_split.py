from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keras_recipe.core.errors import RecipeError
from keras_recipe.data import split

SHARES = st.sampled_from([{"test": 0.15, "validation": 0.15}, {"validation": 0.2}, {"test": 0.3, "validation": 0.05}])
SEEDS = st.integers(0, 2**32 - 1)


def assert_partition(parts: dict[str, np.ndarray], n: int, shares: dict[str, float]) -> None:
    assert set(parts) == {"train", *shares}
    assert all(len(rows) for rows in parts.values())
    np.testing.assert_array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(n))


@given(st.lists(st.integers(3, 60), min_size=2, max_size=6), SHARES, SEEDS)
def test_stratified_keeps_each_class_within_one_example_of_its_share(
    counts: list[int], shares: dict[str, float], seed: int
) -> None:
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    parts = split.stratified(y, tuple(map(str, range(len(counts)))), shares, seed)
    assert_partition(parts, len(y), shares)
    for part, share in shares.items():
        drawn = np.bincount(y[parts[part]], minlength=len(counts))
        assert (drawn >= 1).all()
        assert (np.abs(drawn - share * np.array(counts)) <= 1).all()
    assert (np.bincount(y[parts["train"]], minlength=len(counts)) >= 1).all()


@given(SHARES, SEEDS, st.integers(10, 200))
def test_the_same_seed_gives_the_same_split(shares: dict[str, float], seed: int, n: int) -> None:
    y = np.arange(n) % 2
    first, second = (split.stratified(y, ("a", "b"), shares, seed) for _ in range(2))
    assert all((first[part] == second[part]).all() for part in first)


def test_another_seed_gives_another_split() -> None:
    y = np.arange(100) % 2
    one, two = (split.stratified(y, ("a", "b"), {"test": 0.2}, seed)["test"] for seed in (0, 1))
    assert set(one) != set(two)


def test_sizes_follow_the_shares_even_with_many_small_classes() -> None:
    y = np.repeat(np.arange(50), 10)
    parts = split.stratified(y, tuple(map(str, range(50))), {"test": 0.15, "validation": 0.15}, 0)
    assert [len(parts[p]) for p in ("train", "validation", "test")] == [350, 75, 75]


def test_training_rows_are_in_random_order() -> None:
    y = np.repeat([0, 1], 100)
    assert len(set(y[split.stratified(y, ("a", "b"), {"test": 0.1}, 0)["train"][:20]])) == 2


@given(st.integers(3, 300), SHARES, SEEDS)
def test_a_random_split_is_a_partition_of_the_right_sizes(n: int, shares: dict[str, float], seed: int) -> None:
    parts = split.shuffled(n, shares, seed)
    assert_partition(parts, n, shares)
    assert all(abs(len(parts[part]) - share * n) <= 1 for part, share in shares.items())


@given(st.lists(st.integers(0, 30), min_size=10, max_size=200), SHARES, SEEDS)
def test_groups_never_straddle_parts(groups: list[int], shares: dict[str, float], seed: int) -> None:
    assume(len(set(groups)) > len(shares))
    values = np.array(groups)
    parts = split.by_groups(values, None, shares, seed)
    assert_partition(parts, len(groups), shares)
    members = [set(values[rows]) for rows in parts.values()]
    assert sum(map(len, members)) == len(set(groups))


def test_groups_keep_sizes_and_classes_near_their_shares() -> None:
    groups = np.repeat(np.arange(60), 10)
    y = (groups % 3 == 0).astype(int)
    parts = split.by_groups(groups, y, {"test": 0.2, "validation": 0.2}, 0)
    for part in ("test", "validation"):
        assert len(parts[part]) == 120
        assert abs(y[parts[part]].mean() - 1 / 3) < 0.1


def test_groups_that_leave_a_class_out_of_training_are_refused_or_avoided() -> None:
    groups = np.array([0] * 10 + [1] * 10 + [2] * 10)
    with pytest.raises(RecipeError, match="each class in the training part"):
        split.by_groups(groups, groups, {"test": 0.3, "validation": 0.3}, 0)


@given(st.lists(st.integers(-50, 50), min_size=3, max_size=100), SHARES)
def test_time_order_trains_on_the_past_and_tests_on_the_future(times: list[int], shares: dict[str, float]) -> None:
    values = np.array(times)
    parts = split.by_time(values, shares)
    assert_partition(parts, len(times), shares)
    order = [values[parts[p]] for p in ("train", "validation", "test") if p in parts]
    assert (np.diff(np.concatenate(order)) >= 0).all()


def test_too_few_examples_of_a_class_are_named_with_their_counts() -> None:
    with pytest.raises(RecipeError, match=r"'rare' \(2\)"):
        split.stratified(np.array([0] * 10 + [1] * 2), ("often", "rare"), {"test": 0.15, "validation": 0.15}, 0)


@pytest.mark.parametrize("shares", [{"test": 0.0}, {"test": 1.0}, {"test": -0.1}, {"test": 0.5, "validation": 0.5}])
def test_shares_that_leave_nothing_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(RecipeError, match="share"):
        split.check_fractions(shares)


def test_fewer_rows_or_groups_than_parts_are_refused() -> None:
    shares = {"test": 0.2, "validation": 0.2}
    for attempt in (
        lambda: split.shuffled(2, shares, 0),
        lambda: split.by_time(np.arange(2), shares),
        lambda: split.by_groups(np.array([1, 1, 2]), None, shares, 0),
    ):
        with pytest.raises(RecipeError, match="at least 3"):
            attempt()
