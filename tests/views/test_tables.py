"""Tables of findings: in the report, in TensorBoard's text, on the console."""

from __future__ import annotations

import io
from pathlib import Path

import rich.console

from keras_recipe.core.journal import Journal
from keras_recipe.core.records import CheckRun, Finding, Objective, Run, Table
from keras_recipe.views.console import Console
from keras_recipe.views.report import write_report
from keras_recipe.views.tables import bar, cells, numeric
from keras_recipe.views.tensorboard import _data

NASTY = "<script>|[red]"
TABLE = Table(("class", "examples"), ((NASTY, 4), ("rose", 2), ("none", None)), bars="examples")
LONG = Table(("n",), tuple((i,) for i in range(70)))


def run(*tables: Table) -> CheckRun:
    findings = tuple(Finding("info", "data", f"table {i}", table=t) for i, t in enumerate(tables))
    return CheckRun("check/inspect/label_balance", "inspect", "label_balance", "Counts.", findings, 0.1)


def page(directory: Path, *tables: Table) -> str:
    journal = Journal(directory)
    problem = {"name": "p", "kind": "table", "task": "binary", "classes": [], "sizes": {}, "split_by": "", "loss": ""}
    journal.append(Run("run", "f", problem, Objective("accuracy", True), 0, 0.0, {}, {"only": "inspect"}))
    journal.append(run(*tables))
    journal.close()
    return write_report(directory).read_text()


def test_numbers_have_bars_and_gaps_a_dash() -> None:
    rows = cells(TABLE)
    assert [row[1].share for row in rows] == [1.0, 0.5, None]
    assert rows[2][1].text == "–"
    assert numeric(TABLE) == [False, True]
    assert (bar(0), bar(1), len(bar(0.5))) == ("", "█" * 12, 6)


def test_the_report_shows_tables_escaped_and_folds_long_ones(tmp_path: Path) -> None:
    text = page(tmp_path, TABLE, LONG)
    assert "&lt;script&gt;|[red]" in text
    assert "<script>" not in text
    assert "58\u00a0more rows" in text
    assert 'rect width="50.00%"' in text


def test_a_look_at_the_data_is_no_unfinished_run(tmp_path: Path) -> None:
    text = page(tmp_path, TABLE)
    assert "Nothing that training would refuse" in text
    assert "Not finished" not in text


def test_tensorboard_gets_the_table_as_text() -> None:
    text = _data(TABLE)
    assert "&lt;script&gt;" in text
    assert "█" in text
    assert text.count("\n") == 4
    assert _data(LONG).endswith("and 20 more")


def test_the_console_shows_the_first_rows_where_it_is_asked_to() -> None:
    out = io.StringIO()
    for shown in (True, False):
        console = Console(0.0, lambda: 0.0, tables=shown, output=rich.console.Console(file=out, width=60))
        console.record(run(TABLE, LONG))
        console.close()
        text = out.getvalue()
        assert (NASTY in text) is shown
        assert ("62\u00a0rows more" in text) is shown
        assert max(map(len, text.splitlines())) <= 60
        out.truncate(0)
        out.seek(0)
