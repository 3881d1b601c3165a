"""suspects.csv: a line an example, and what the user wrote stays."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from keras_recipe.core.journal import Journal
from keras_recipe.core.records import SUSPECTS, CheckRun, Finding, Objective, Record, Run, Suspect, from_json, to_json
from keras_recipe.views.suspects import write_suspects

Write = Callable[..., Path]


def check(*suspects: Suspect) -> CheckRun:
    findings = (Finding("warning", "labels", "look", suspects=suspects),)
    return CheckRun("check/inspect/labels", "inspect", "labels", "Looks.", findings, 0.1)


@pytest.fixture
def recorded(tmp_path: Path) -> Write:
    """A run directory with these suspects in its journal."""

    def write(*suspects: Suspect) -> Path:
        (tmp_path / "journal.jsonl").unlink(missing_ok=True)
        journal = Journal(tmp_path)
        journal.append(Run("run", "f", {}, Objective("accuracy", True), 0, 0.0, {}, {"only": "inspect"}))
        journal.append(check(*suspects))
        journal.close()
        return tmp_path

    return write


def lines(directory: Path) -> list[dict[str, str]]:
    with (directory / SUSPECTS).open(newline="") as file:
        return list(csv.DictReader(file))


def decided(directory: Path, example: str) -> tuple[str, str]:
    """Action and label of an example."""
    return next((line["action"], line["likely"]) for line in lines(directory) if line["example"] == example)


A = Suspect("train", 'a "quoted", name', "cat", "dog", 0.7, "a model disagrees")
B = Suspect("train", "b", "cat", "", 0.9, "duplicate of c")
C = Suspect("train", "b", "cat", "dog", 0.8, "a model disagrees")


def test_one_line_an_example_the_surest_first(recorded: Write) -> None:
    directory = recorded(A, B, C)
    write_suspects(directory)
    assert [(line["example"], line["likely"], line["reason"]) for line in lines(directory)] == [
        ("b", "dog", "duplicate of c (0.90); a model disagrees (0.80)"),
        ('a "quoted", name', "dog", "a model disagrees"),
    ]


def test_what_the_user_wrote_stays(recorded: Write) -> None:
    directory = recorded(A, B)
    path = write_suspects(directory)
    assert path is not None
    edited = path.read_text().replace("\n,train,b,cat,,", "\nfix,train,b,cat,bird,")
    path.write_text(edited)
    write_suspects(recorded(A, B))
    assert decided(directory, "b") == ("fix", "bird")
    write_suspects(recorded(A))  # fixed, it is suspected no more; the decision must not be lost
    assert decided(directory, "b") == ("fix", "bird")


def test_a_fixed_label_is_still_called_by_its_first_name(recorded: Write) -> None:
    path = write_suspects(recorded(A))
    assert path is not None
    path.write_text(path.read_text().replace("\n,train", "\nfix,train"))
    fixed = Suspect("train", A.example, "dog", "cat", 0.6, "a model disagrees")
    directory = recorded(fixed)  # looked at again with the edits applied
    write_suspects(directory)
    assert [(line["given"], line["likely"]) for line in lines(directory)] == [("cat", "dog")]


def test_without_suspects_there_is_no_file(recorded: Write) -> None:
    assert write_suspects(recorded(A)) is not None
    assert write_suspects(recorded()) is None
    assert not (recorded() / SUSPECTS).exists()


def test_suspects_and_tables_survive_the_journal() -> None:
    from keras_recipe.core.records import Table

    finding = Finding("ok", "x", "m", table=Table(("a",), ((1,), (None,)), "a"), suspects=(A,))
    record: Record = CheckRun("k", "inspect", "c", "C.", (finding,), 1.0)
    assert from_json(to_json(record)) == record
