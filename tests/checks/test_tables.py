"""Columns, leaks, drift, order and outliers of tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from keras_recipe.core.records import Finding
from keras_recipe.data import load
from keras_recipe.problem import Problem

Look = Callable[..., list[Finding]]
Alarms = Callable[[list[Finding]], set[str]]
ROWS = 2400


def people() -> pd.DataFrame:
    """Ages, incomes and towns that say something about the label."""
    generator = np.random.default_rng(0)
    age, income = generator.normal(45, 12, ROWS).round(1), generator.lognormal(10, 0.4, ROWS).round()
    town = generator.choice(["Rome", "Oslo", "Bern"], ROWS)
    label = np.where(age + 8 * (town == "Oslo") + generator.normal(0, 10, ROWS) > 48, "yes", "no")
    return pd.DataFrame({"age": age, "income": income, "town": town, "label": label})


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Problem]:
    """The table as a problem, with columns replaced or added."""

    def read(changes: dict[str, Any] | None = None, **options: Any) -> Problem:
        people().assign(**changes or {}).to_csv(tmp_path / "people.csv", index=False)
        return load(tmp_path / "people.csv", tolerant=True, **options)

    return read


CHECKS = ("columns", "single_column", "drift", "order", "unusual", "duplicates", "label_errors", "examples")


@pytest.mark.parametrize("check", CHECKS)
def test_a_healthy_table_raises_no_alarm(check: str, read: Callable[..., Problem], look: Look, alarms: Alarms) -> None:
    findings = look(check, read())
    assert findings
    assert not alarms(findings)


def test_columns_are_summed_up(read: Callable[..., Problem], look: Look) -> None:
    table = look("columns", read())[0].table
    assert table is not None
    rows = {row[0]: row for row in table.rows}
    assert rows["town"][1:4] == ("words", 0, 3)
    assert rows["age"][1:3] == ("number", 0)
    assert rows["age"][4] < rows["age"][5] < rows["age"][6]  # type: ignore[operator]


def nearly(value: Any, other: Any) -> list[Any]:
    return [other if i == 5 else value for i in range(ROWS)]


@pytest.mark.parametrize(
    ("check", "values", "cause"),
    [
        ("columns", nearly(0, 1), "constant"),
        ("columns", [str(i) if i % 2 else "many" for i in range(ROWS)], "mixed-types"),
        ("columns", [i % 97 if i % 50 else 9999 for i in range(ROWS)], "outliers"),
        ("single_column", ["x1" if label == "yes" else "x2" for label in people()["label"]], "leakage"),
        ("order", [f"2024-{1 + i // 200:02d}-{1 + i % 28:02d}" for i in range(ROWS)], "time-order"),
    ],
)
def test_a_bad_column_is_named(
    check: str, values: list[Any], cause: str, read: Callable[..., Problem], look: Look, alarms: Alarms
) -> None:
    findings = look(check, read({"odd": values}))
    assert alarms(findings) == {cause}
    assert any("odd" in f.message for f in findings if f.cause == cause)


def test_a_split_by_time_heeds_it(read: Callable[..., Problem], look: Look, alarms: Alarms) -> None:
    days = [f"2024-{1 + i // 200:02d}-{1 + i % 28:02d}" for i in range(ROWS)]
    assert not alarms(look("order", read({"odd": days}, time="odd")))


def test_sorted_labels_are_told(read: Callable[..., Problem], look: Look) -> None:
    sorted_rows = people().sort_values("label")
    findings = look("order", read({name: sorted_rows[name].to_numpy() for name in sorted_rows}))
    assert [(f.severity, f.cause) for f in findings] == [("info", "time-order")]


def test_other_units_in_the_validation_split_are_named(
    read: Callable[..., Problem], look: Look, alarms: Alarms, tmp_path: Path
) -> None:
    people().assign(income=people()["income"] / 1000).to_csv(tmp_path / "later.csv", index=False)
    findings = look("drift", read(validation=tmp_path / "later.csv"))
    assert alarms(findings) == {"drift"}
    assert findings[0].evidence["columns"] == ["income"]


def test_the_oddest_row_comes_first(read: Callable[..., Problem], look: Look) -> None:
    income = people()["income"].to_numpy().copy()
    problem = read()
    row = int(problem.train.ids[0])
    income[row] = 10 * income.max()
    table = look("unusual", read({"income": income}))[0].table
    assert table is not None
    assert table.rows[0][0] == str(row)


@pytest.mark.parametrize(("cell", "cause"), [("about forty", "mixed-types"), ("inf", "nan-data")])
def test_a_cell_that_training_would_refuse_is_an_error_with_its_row(
    cell: str, cause: str, read: Callable[..., Problem], look: Look
) -> None:
    ages = people()["age"].astype(str).tolist()
    ages[17] = cell
    error = next(f for f in look("reading", read({"age": ages})) if f.severity == "error")
    assert error.cause == cause
    assert "row 17" in error.message


def test_vectors_with_nan_are_an_error_and_other_checks_go_on(look: Look) -> None:
    x = np.random.default_rng(0).normal(size=(90, 4)).astype("float32")
    x[:20, 1] = np.nan
    problem = load((x, np.arange(90) % 3), tolerant=True)
    assert [f.severity for f in look("value_ranges", problem)] == ["error"]
    for check in ("columns", "single_column", "drift", "unusual", "duplicates", "label_errors", "examples"):
        look(check, problem)


def test_the_tail_of_a_distribution_is_no_placeholder(read: Callable[..., Problem], look: Look, alarms: Alarms) -> None:
    spent = np.random.default_rng(0).exponential(10, ROWS)
    spent[:40] = 3 * spent.max()  # wherever the split puts them, some are training rows
    assert alarms(look("columns", read({"spent": spent}))) == {"outliers"}
    spent[:40] = 5.0
    spent[40:42] = [spent.max() * 2.5, spent.max() * 2.5]
    assert not alarms(look("columns", read({"spent": spent.round(3)})))


def test_where_most_rows_are_alike_none_is_told_to_lie_apart(look: Look) -> None:
    x = np.zeros((200, 3), "float32")
    x[::50] = np.random.default_rng(0).normal(size=(4, 3))
    finding = look("unusual", load((x, np.arange(200) % 2)))[0]
    assert finding.severity == "ok"
