"""Labels that are probably wrong are ranked first."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from keras_recipe.core.records import Finding
from keras_recipe.data import load
from keras_recipe.problem import Problem

Look = Callable[..., list[Finding]]
Alarms = Callable[[list[Finding]], set[str]]


def clouds(wrong: int, n: int = 300) -> tuple[Problem, set[str]]:
    """Three clouds of points; the labels of the first `wrong` are exchanged. Ids are row numbers of the source."""
    generator = np.random.default_rng(0)
    y = np.arange(n) % 3
    x = np.eye(3)[y] * 4 + generator.normal(scale=0.5, size=(n, 3))
    given = y.copy()
    given[:wrong] = (y[:wrong] + 1) % 3
    return load((x.astype("float32"), given)), {str(i) for i in range(wrong)}


def test_wrong_labels_come_first_with_the_right_one(look: Look, alarms: Alarms) -> None:
    problem, wrong = clouds(20)
    wrong -= set(problem.test.ids)
    findings = look("label_errors", problem)
    assert alarms(findings) == {"labels"}
    suspects = findings[0].suspects
    assert {s.example for s in suspects} <= wrong
    assert len(suspects) >= 0.8 * len(wrong)
    assert all(s.likely == str(int(s.example) % 3) for s in suspects)
    assert all(a.confidence >= b.confidence for a, b in itertools.pairwise(suspects))


def test_right_labels_raise_no_alarm(look: Look, alarms: Alarms) -> None:
    assert not alarms(look("label_errors", clouds(0)[0]))


def test_nobody_looks_at_the_labels_of_the_test_split(look: Look) -> None:
    assert not any(s.split == "test" for s in look("label_errors", clouds(60)[0])[0].suspects)


def test_a_slip_of_the_decimal_point_in_a_target_is_suspected(look: Look) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(300, 2)).astype("float32")
    y = x[:, 0] * 3 + 20.5
    y[7] *= 10
    problem = load((x, y), seed=3)
    assert "7" not in problem.test.ids
    findings = look("label_errors", problem)
    assert findings[0].suspects[0].example == "7"
    assert findings[0].severity == "info"


def test_a_class_of_two_examples_is_passed_over(look: Look, alarms: Alarms) -> None:
    problem, _ = clouds(0)
    x, y = problem.train.x[:], problem.train.y
    few = np.concatenate([np.flatnonzero(y != 2), np.flatnonzero(y == 2)[:1]])
    parts = {"validation": (problem.validation.x, problem.validation.y * (problem.validation.y < 2))}
    assert not alarms(look("label_errors", load((x[few], y[few]), test=parts["validation"], **parts)))


def test_a_model_that_knows_nothing_judges_nobody(look: Look, alarms: Alarms) -> None:
    generator = np.random.default_rng(0)
    noise = load((generator.normal(size=(300, 4)).astype("float32"), generator.integers(0, 3, 300)))
    findings = look("label_errors", noise)
    assert not alarms(findings)
    assert not any(f.suspects for f in findings)
    assert "knows too little" in findings[0].message
