"""A rate that was spent too early, from curves alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_recipe.schedules import schedule

EPOCHS = 40


def trained(rates: np.ndarray, pace: float = 0.15, noise: float = 0.003) -> list[float]:
    """Loss of a model that learns in proportion to the rate."""
    rng = np.random.default_rng(0)
    learnt = (np.cumsum(rates) - rates / 2) / rates.max()
    return list(0.1 + 2.0 * np.exp(-pace * learnt) + rng.normal(scale=noise, size=len(rates)))


def exponential(after: float) -> np.ndarray:
    """Falls to a hundredth in so many epochs."""
    return 0.01 ** (np.arange(EPOCHS) / after)


COSINE = 0.5 + 0.5 * np.cos(np.pi * (np.arange(EPOCHS) + 0.5) / EPOCHS)
WARM = np.minimum(np.arange(1, EPOCHS + 1) / 5, 1.0)


@pytest.mark.parametrize("after", [1, 2, 4, 8, 12])
def test_a_rate_that_is_spent_while_the_loss_falls_is_told(after: int) -> None:
    rates = exponential(after)
    found = schedule(rates, trained(rates))
    assert (found.severity, found.cause) == ("warning", "schedule")
    assert f"after {after + 1} of 40 epochs" in found.message


@pytest.mark.parametrize(
    ("rates", "pace"),
    [
        (np.ones(EPOCHS), 0.15),
        (COSINE, 0.05),
        (np.linspace(1, 0, EPOCHS), 0.05),
        (WARM * COSINE, 0.05),
        (np.where(np.arange(EPOCHS) < 25, 1.0, 0.001), 0.5),  # spent when all was learnt
        (exponential(38), 0.05),
    ],
)
def test_a_rate_that_lasts_or_has_done_its_work_is_fine(rates: np.ndarray, pace: float) -> None:
    found = schedule(rates, trained(rates, pace))
    assert (found.severity, found.cause) == ("ok", "schedule"), found


def test_a_rate_that_comes_back_is_not_spent() -> None:
    rates = np.concatenate([exponential(8)[:20], np.ones(20)])
    assert schedule(rates, trained(rates)).severity == "ok"


def test_a_loss_that_jumps_about_is_not_falling() -> None:
    rates = exponential(8)
    jumps = np.random.default_rng(1).normal(1.0, 0.3, EPOCHS)
    assert schedule(rates, list(jumps)).severity == "ok"


def test_a_loss_that_is_no_number_is_another_matter() -> None:
    assert schedule(exponential(4), [float("nan")] * EPOCHS).severity == "ok"


@given(st.lists(st.tuples(st.floats(0, 1e3), st.floats(0, 1e6)), max_size=60), st.floats(1e-3, 1e3))
def test_any_curves_are_judged_and_units_do_not_matter(points: list[tuple[float, float]], factor: float) -> None:
    rates, losses = [r for r, _ in points], [v for _, v in points]
    found = schedule(rates, losses)
    assert found.severity in ("ok", "warning")
    if len(points) > 1:  # not decided by rounding
        ones = [1.0] * len(points)
        assert schedule([factor * r for r in ones], losses).severity == "ok"


def test_curves_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="Received 2 and 3"):
        schedule([1.0, 1.0], [1.0, 1.0, 1.0])
