"""Numbers and names as a person reads them."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from keras_recipe.views import charts, labels, units

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("value", "said"),
    [(50_496.3, "50,496"), (84.312, "84.31"), (1.5, "1.500"), (0.01234, "0.0123"), (0, "0"), (1.2e-7, "1.2e-7"),
     (-812.0, "−812.0"), (math.nan, "not a number"), (-math.inf, "−∞")],
)  # fmt: skip
def test_numbers_have_sensible_digits(value: float, said: str) -> None:
    assert units.number(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.42, "0.42 s"), (8.25, "8.2 s"), (9.97, "10 s"), (59.7, "1 min"), (72, "1 min 12 s"), (7500, "2 h 05 min")],
)
def test_seconds_are_said_in_the_unit_that_fits(value: float, said: str) -> None:
    assert units.seconds(value).replace(NBSP, " ") == said


def test_large_splits_carry_another_digit(build: SimpleNamespace) -> None:
    problem = build.run().problem | {"sizes": {"train": 50_000, "validation": 10_000, "test": 10_000}}
    assert units.Units.of(build.run(problem=problem)).score(0.93456) == f"93.46{NBSP}%"
    assert units.Units.of(build.run()).score(0.93456) == f"93.5{NBSP}%"


def test_another_builder_is_one_difference_whatever_its_arguments() -> None:
    before, after = (
        {"model": "mlp", "model.width": 64, "epochs": 30},
        {"model": "resnet", "model.depth": 8, "epochs": 30},
    )
    assert labels.differences(before, after) == {"model": ["mlp", "resnet"]}


def test_folder_names_are_safe_on_every_file_system() -> None:
    name = labels.folder({"model": "../a:b", "model.path": "C:\\x y/" + "z" * 80}, None)
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")
    assert not name.startswith(".")
    assert len(name) <= 40


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.91, 0.9345), (-3e5, 2e6), (1e-7, 3e-7)])
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    ticks = charts.nice(low, high, 4)
    assert 2 <= len(ticks) <= 6
    assert all(low <= t <= high for t in ticks)


def test_an_axis_of_decisions_always_shows_zero(build: SimpleNamespace) -> None:
    decisions = [build.decision("s", "m", build.small, build.large, (0.05, 0.04, 0.06), True)]
    axis, span = charts.decision_axis(decisions)
    assert 0 < axis.zero < span(decisions[0]).low < span(decisions[0]).mid < span(decisions[0]).high < 100


def test_one_wild_candidate_does_not_flatten_the_others(build: SimpleNamespace) -> None:
    figures = [(0.01, -0.01, 0.03), (0.0, -0.02, 0.02), (-0.5, -0.9, -0.1)]
    decisions = [build.decision("s", f"m{i}", build.small, build.large, f, False) for i, f in enumerate(figures)]
    _, span = charts.decision_axis(decisions)
    assert span(decisions[0]).high - span(decisions[0]).low > 20
    assert span(decisions[2]).cut_low


def test_curves_of_long_trainings_stay_light(build: SimpleNamespace) -> None:
    chart = charts.loss_curves(build.trial("overfit", build.small, 0, 0.9, epochs=5000))
    assert chart is not None
    assert all(len(line.points.split()) <= charts.MOST_POINTS + 1 for line in chart.lines)
