from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from keras_recipe.core.errors import RecipeError
from keras_recipe.data import load
from keras_recipe.data.columns import WORDS, encode, learn_columns
from keras_recipe.problem import Signature

Table = Callable[..., Path]


def rows(*cells: str, header: str = "size,colour,y", n: int = 30) -> str:
    """A table of n rows; the given lines replace the first ones."""
    lines = [f"{i},{('red', 'blue')[i % 2]},{('no', 'yes')[i % 3 > 0]}" for i in range(n)]
    return "\n".join(([header] if header else []) + list(cells) + lines[len(cells) :])


def findings(problem: Any, cause: str) -> list[Any]:
    return [f for f in problem.findings if f.cause == cause]


def test_a_table_is_encoded_as_its_columns_say(table: Table) -> None:
    problem = load(table(rows()))
    number, word = problem.signature.columns
    assert (problem.signature.kind, problem.signature.target, problem.signature.classes) == (
        "table",
        "y",
        ("no", "yes"),
    )
    assert word.vocabulary == ("blue", "red")
    sizes = np.array([float(i) for i in problem.train.ids])
    assert number.mean == pytest.approx(sizes.mean())
    assert number.scale == pytest.approx(sizes.std())
    np.testing.assert_allclose(problem.train.x[:][:, 0], (sizes - sizes.mean()) / sizes.std(), rtol=1e-5, atol=1e-6)
    odd = sizes % 2 == 1
    np.testing.assert_array_equal(problem.train.x[:][:, 1:], np.stack([odd, ~odd, np.zeros_like(odd)], axis=1))
    assert problem.train.x.dtype == np.float32


def test_statistics_and_words_come_from_the_training_part_only(table: Table) -> None:
    test = table("size,colour,y\n1000000,green,no\n2000000,red,yes", "test.csv")
    problem = load(table(rows()), test=test)
    number, word = problem.signature.columns
    assert number.mean < 30
    assert word.vocabulary == ("blue", "red")
    np.testing.assert_array_equal(problem.test.x[:][:, 1:], [[0, 0, 1], [0, 1, 0]])
    assert abs(problem.train.x[:][:, 0].mean()) < 1e-6
    assert problem.train.x[:][:, 0].std() == pytest.approx(1, abs=1e-5)


def test_missing_cells_are_marked_and_reported(table: Table) -> None:
    text = rows("?,red,no", ",blue,yes", "NaN,?,yes", "3, ,no")
    problem = load(table(text), test=table("size,colour,y\n,?,no", "test.csv"), validation=0.1)
    number, word = problem.signature.columns
    assert number.missing
    assert word.vocabulary is not None
    assert "" in word.vocabulary
    assert problem.test.x[:].tolist() == [[0, 1, 1, 0, 0, 0]]
    [finding] = findings(problem, "missing")
    assert finding.severity == "info"
    assert set(finding.evidence["missing"]) == {"size", "colour"}


def test_numbers_missing_outside_training_become_the_mean() -> None:
    columns, _ = learn_columns(pd.DataFrame({"a": [1.0, 2.0, 3.0]}))
    assert encode(columns, pd.DataFrame({"a": [np.nan, 2.0]})).tolist() == [[0.0], [0.0]]


def test_rare_words_of_a_rich_column_share_one_input() -> None:
    words = [f"w{i:03}" for i in range(150) for _ in range(2 if i < 60 else 3)]
    columns, found = learn_columns(pd.DataFrame({"a": words}))
    assert columns[0].vocabulary == tuple(f"w{i:03}" for i in [*range(10), *range(60, 150)])
    assert len(columns[0].vocabulary) == WORDS
    encoded = encode(columns, pd.DataFrame({"a": ["w010", "w149", "new"]}))
    assert encoded.argmax(axis=1).tolist() == [100, 99, 100]
    assert [f.cause for f in found] == ["vocabulary"]


def test_columns_that_name_rows_are_dropped_with_a_warning(table: Table) -> None:
    lines = [f"person {i},{i % 7},{i % 2}" for i in range(30)]
    problem = load(table("name,a,y\n" + "\n".join(lines)))
    assert [c.name for c in problem.signature.columns] == ["a"]
    [finding] = findings(problem, "id")
    assert (finding.severity, finding.evidence["columns"]) == ("warning", ["name"])


def test_constant_columns_and_row_numbers_are_warned_of(table: Table) -> None:
    problem = load(table("id,c,a,y\n" + "\n".join(f"{i},5,{i % 7},{i % 2}" for i in range(60))))
    assert {(f.cause, *f.evidence["columns"]) for f in problem.findings} == {("constant", "c"), ("id", "id")}
    assert (problem.train.x[:][:, 1] == 0).all()
    assert problem.signature.columns[1].scale == 1


def test_a_file_without_header_gets_numbered_columns(table: Table) -> None:
    problem = load(table(rows(header="")), target=2)
    assert [c.name for c in problem.signature.columns] == ["0", "1"]
    assert problem.signature.target == "2"


@pytest.mark.parametrize("delimiter", [";", "\t", ", ", " , "])
def test_other_delimiters_and_blanks_are_understood(table: Table, delimiter: str) -> None:
    problem = load(table(rows().replace(",", delimiter)))
    assert [c.name for c in problem.signature.columns] == ["size", "colour"]
    assert problem.signature.columns[1].vocabulary == ("blue", "red")


def test_words_keep_their_writing(table: Table) -> None:
    lines = [f"{('True', 'TRUE', 'NA')[i % 3]},{i % 2}" for i in range(30)]
    [column] = load(table("flag,y\n" + "\n".join(lines))).signature.columns
    assert column.vocabulary == ("NA", "TRUE", "True")


def test_a_column_means_the_same_in_every_file(table: Table) -> None:
    train = table("code,y\n" + "\n".join(f"{('1', 'x')[i % 2]},{i % 2}" for i in range(30)))
    problem = load(train, test=table("code,y\n1,0\n1,1", "test.csv"))
    assert problem.signature.columns[0].vocabulary == ("1", "x")
    assert problem.test.x[:].tolist() == [[1, 0, 0], [1, 0, 0]]


def test_group_and_time_columns_are_no_inputs(table: Table) -> None:
    lines = [f"2024-01-{1 + i % 28:02},{i % 7},p{i // 3},{i % 2}" for i in range(60)]
    path = table("day,a,person,y\n" + "\n".join(lines))
    problem = load(path, groups="person")
    assert [c.name for c in problem.signature.columns] == ["day", "a"]
    members = [{int(i) // 3 for i in s.ids} for s in (problem.train, problem.validation, problem.test)]
    assert sum(map(len, members)) == 20
    by_day = load(path, time="day")
    days = [[int(i) % 28 for i in s.ids] for s in (by_day.train, by_day.validation, by_day.test)]
    assert max(days[0]) <= min(days[1])
    assert max(days[1]) <= min(days[2])


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (rows("12,red,no", "12cm,red,no"), {}, "column 'size'.\nReceived '12cm' in row 1 "),
        (rows("inf,red,no"), {}, r"'size'.\nReceived infinity in 1 rows \(0"),
        (rows("1,red,"), {}, r"1 missing in .*table\.csv \(row '0'"),
        (rows(), {"target": "colours"}, "'colour', the nearest"),
        (rows(header="size,colour,z"), {}, "size, colour, z"),
        (rows(header="label,colour,y"), {}, "exactly one column"),
        (rows("1,red,no,4"), {}, "table.csv"),
        ("", {}, "table.csv"),
        ("a,y\n", {}, "no rows"),
        (rows(), {"groups": "person"}, "'person'"),
        ("name,y\n" + "\n".join(f"person {i},{i % 2}" for i in range(30)), {}, "name the rows"),
    ],
)
def test_unsuitable_tables_are_refused(table: Table, text: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load(table(text), **options)


def test_text_in_a_numeric_column_of_the_test_part_is_named(table: Table) -> None:
    with pytest.raises(RecipeError, match=r"'size'\.\nReceived 'big' in row 0"):
        load(table(rows()), test=table("size,colour,y\nbig,red,no", "test.csv"))


def test_a_column_that_the_test_part_lacks_is_named(table: Table) -> None:
    with pytest.raises(RecipeError, match="without colour"):
        load(table(rows()), test=table("size,y\n1,no", "test.csv"))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(b"\xff\xfe\x00\x01,y\n\x80,1")
    with pytest.raises(RecipeError, match="UTF-8"):
        load(tmp_path / "table.csv")


def test_the_signature_survives_json(table: Table) -> None:
    import json

    signature = load(table(rows("?,red,no"))).signature
    assert Signature.from_json(json.loads(json.dumps(dataclasses.asdict(signature)))) == signature


def test_decimal_commas_are_read_where_semicolons_set_cells_apart(table: Callable[..., Path]) -> None:
    rows = "\n".join(f"{i},5;{i * 2},25;{'ab'[i % 2]}" for i in range(30))
    problem = load(table("height;weight;label\n" + rows))
    assert [c.name for c in problem.signature.columns] == ["height", "weight"]
    assert all(c.vocabulary is None for c in problem.signature.columns)
    assert float(problem.train.raw["height"].min()) % 1 == 0.5  # type: ignore[index]


def test_columns_of_one_name_are_told(table: Callable[..., Path]) -> None:
    rows = "\n".join(f"{i},{i % 7},{'ab'[i % 2]}" for i in range(30))
    found = [f for f in load(table("a,a,label\n" + rows)).findings if f.cause == "columns"]
    assert found[0].evidence["columns"] == ["a"]
    headless = load(table("\n".join(f"{i % 2},{i % 2},{i % 3},{'ab'[i % 2]}" for i in range(1, 40))), target="3")
    assert not [f for f in headless.findings if f.cause == "columns"]
