from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from keras_recipe.core.cells import ACTIVE, guarded, table_of, unguarded


@given(st.text())
def test_every_cell_comes_back(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell


@given(st.sampled_from(ACTIVE), st.text(min_size=1))
def test_no_cell_is_a_formula(first: str, rest: str) -> None:
    cell = guarded(first + rest)
    assert cell[0] == "'" or cell[0] not in ACTIVE or float(cell) is not None


def test_numbers_stay_as_they_are() -> None:
    assert [guarded(cell) for cell in ("-1", "+2.5", "=1+1", "plain", "")] == ["-1", "+2.5", "'=1+1", "plain", ""]


def test_the_commonest_delimiter_of_the_first_line_counts() -> None:
    text = "a;b\n1,5;x\n"
    reader = table_of(io.StringIO(text))
    assert isinstance(reader, csv.DictReader)
    assert list(reader) == [{"a": "1,5", "b": "x"}]
