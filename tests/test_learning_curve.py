"""The law is found where it holds, and the interval says how well."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from keras_recipe import learning_curve

SIZES = [125, 250, 500, 1000]


def judged(law: tuple[float, float, float], seed: int, examples: int = 300, spread: float = 0.08) -> list[np.ndarray]:
    """Right and wrong answers of three models a point, whose errors follow the law but for seeds and examples."""
    generator, (c, a, b) = np.random.default_rng(seed), law
    hardness = generator.normal(size=examples)
    points = []
    for n in SIZES:
        error = (c + a * n**-b) * np.exp(spread * generator.normal(size=(3, 1)) - spread**2 / 2)
        own = np.sqrt(0.6) * hardness + np.sqrt(0.4) * generator.normal(size=(3, examples))
        points.append((own > norm.ppf(np.clip(error, 1e-6, 0.99))).astype(float))
    return points


@given(st.floats(0, 0.3), st.floats(0.01, 0.5), st.floats(0.1, 1.5), st.sampled_from([1.0, 1000.0]))
@settings(max_examples=50, deadline=None)
def test_known_laws_are_found(c: float, a: float, b: float, scale: float) -> None:
    n = np.array(SIZES, float)
    errors = scale * (c + a * (n / n[-1]) ** -b)
    law = learning_curve.power_law(n, errors[None], np.ones(4))
    true = scale * a * (1 - 2**-b)
    assert law.error(1000)[0] == pytest.approx(errors[-1], rel=0.04)
    assert (law.error(1000) - law.error(2000))[0] == pytest.approx(true, rel=0.15, abs=0.01 * errors[-1])
    assert law.a[0] >= 0
    assert law.c[0] >= 0


@given(st.lists(st.floats(0, 10), min_size=4, max_size=4), st.lists(st.floats(0.1, 10), min_size=4, max_size=4))
@settings(max_examples=100, deadline=None)
def test_whatever_the_errors_no_other_law_of_the_grid_fits_better(errors: list[float], weights: list[float]) -> None:
    from scipy.optimize import nnls

    n, y, w = np.array(SIZES, float), np.array(errors), np.array(weights)
    law = learning_curve.power_law(n, y[None], w)
    fitted = np.array([law.error(size)[0] for size in n])
    root = np.sqrt(w)
    best = min(
        nnls(np.stack([root, root * (n / n[-1]) ** -b], axis=1), root * y)[1] ** 2 for b in learning_curve.EXPONENTS
    )
    assert float(w @ (fitted - y) ** 2) == pytest.approx(best, rel=1e-5, abs=1e-8)


def test_a_curve_that_is_flat_promises_nothing() -> None:
    gain, low, high = learning_curve.fit("accuracy", SIZES, judged((0.1, 0.0, 0.5), 0, 3000), 0).gain(2.0)
    assert 0 <= low <= gain < 0.002
    assert high < 0.006


def test_scores_that_fall_with_more_data_promise_nothing() -> None:
    points = judged((0.05, 3.0, 0.5), 0)[::-1]
    assert learning_curve.fit("accuracy", SIZES, points, 0).gain(2.0)[0] == pytest.approx(0.0, abs=1e-9)


def test_a_steep_curve_promises_what_it_brings() -> None:
    law = 0.05, 3.0, 0.5
    gain, low, high = learning_curve.fit("accuracy", SIZES, judged(law, 1, 3000), 0).gain(2.0)
    true = 3 * (1000**-0.5 - 2000**-0.5)
    assert low <= true <= high
    assert gain == pytest.approx(true, rel=0.5)
    assert low > 0


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    laws = [(0.0, 2.0, 0.4), (0.05, 3.0, 0.5), (0.1, 0.0, 0.5), (0.02, 20.0, 0.9)]
    found = []
    for number in range(60):
        _, a, b = law = laws[number % len(laws)]
        true = a * (1000**-b - 2000**-b)
        _, low, high = learning_curve.fit("accuracy", SIZES, judged(law, number), number).gain(2.0)
        found.append(low - 1e-9 <= true <= high + 1e-9)
    assert np.mean(found) >= 0.85


def test_a_coarse_curve_covers_the_truth_as_often_and_says_less() -> None:
    laws = [(0.0, 2.0, 0.4), (0.05, 3.0, 0.5), (0.02, 20.0, 0.9)]
    found, widths = [], []
    for number in range(60):
        _, a, b = law = laws[number % len(laws)]
        true = a * (1000**-b - 2000**-b)
        fine = judged(law, number)
        coarse = [fine[1][:1], fine[2][:1], fine[3]]
        spans = [
            learning_curve.fit("accuracy", sizes, points, number).gain(2.0)[1:]
            for sizes, points in ((SIZES, fine), (SIZES[1:], coarse))
        ]
        widths.append([high - low for low, high in spans])
        found.append(spans[1][0] - 1e-9 <= true <= spans[1][1] + 1e-9)
    assert np.mean(found) >= 0.85
    wide_fine, wide_coarse = np.mean(widths, axis=0)
    assert wide_coarse > 1.15 * wide_fine


def test_an_interval_that_ignores_seeds_or_examples_would_be_narrower() -> None:
    def width(examples: int, spread: float) -> float:
        _, low, high = learning_curve.fit("accuracy", SIZES, judged((0.05, 3.0, 0.5), 3, examples, spread), 0).gain(2.0)
        return high - low

    assert width(150, 0.02) > 1.3 * width(5000, 0.02)
    assert width(5000, 0.3) > 1.3 * width(5000, 0.02)


def test_errors_are_in_the_unit_of_the_metric() -> None:
    generator = np.random.default_rng(0)
    points = [-((s * generator.normal(size=(3, 2000))) ** 2) for s in (2000, 1600, 1300, 1100)]
    fitted = learning_curve.fit("rmse", SIZES, points, 0)
    assert fitted.errors == pytest.approx([2000, 1600, 1300, 1100], rel=0.05)
    assert (fitted.low < fitted.errors).all()
    assert (fitted.errors < fitted.high).all()
    gain, low, high = fitted.gain(2.0)
    assert low < gain < high
    assert 50 < gain < 300


def test_the_same_seed_gives_the_same_interval_within_a_second() -> None:
    points = judged((0.05, 3.0, 0.5), 0, 10_000)
    began = time.process_time()
    first = learning_curve.fit("accuracy", SIZES, points, 5).gain(2.0)
    assert time.process_time() - began < 1.0
    assert learning_curve.fit("accuracy", SIZES, points, 5).gain(2.0) == first


def test_too_little_to_fit_is_refused() -> None:
    points = judged((0.05, 3.0, 0.5), 0)
    with pytest.raises(ValueError, match="three points"):
        learning_curve.fit("accuracy", SIZES[:2], points[:2], 0)
    with pytest.raises(ValueError, match="two seeds"):
        learning_curve.fit("accuracy", SIZES, [p[:1] for p in points], 0)
