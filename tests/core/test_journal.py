from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_recipe.core import journal as journals
from keras_recipe.core.errors import RecipeError
from keras_recipe.core.journal import Journal
from keras_recipe.core.records import CheckRun, Finding, Objective, Plan, Run


def plans(count: int) -> list[Plan]:
    return [Plan(f"plan/{i}", "overfit", f"name {i} é", [i, "x"], "because\nof this") for i in range(count)]


def written(directory: Path, count: int) -> bytes:
    journal = Journal(directory)
    for plan in plans(count):
        journal.append(plan)
    journal.close()
    return journal.path.read_bytes()


def test_records_are_read_as_they_were_written(tmp_path: Path) -> None:
    run = Run("run", "f", {"name": "x"}, Objective("rmse", False), 3, 60.0, {"keras": "3"}, {"moves": None})
    check = CheckRun("c", "inspect", "ranges", "Looks.", (Finding("warning", "data", "m", evidence={"a": [1.5]}),), 0.1)
    journal = Journal(tmp_path)
    journal.append(run)
    journal.append(check)
    journal.close()
    assert journals.read(tmp_path) == [run, check]


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 1))
def test_wherever_a_write_is_torn_the_whole_records_before_it_stay(
    tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    directory = tmp_path_factory.mktemp("torn")
    content = written(directory, 4)
    cut = round(share * len(content))
    os.truncate(directory / journals.FILE, cut)
    whole = content[:cut].count(b"\n")
    assert journals.read(directory) == plans(whole)
    reopened = Journal(directory)
    assert list(reopened) == plans(whole)
    for plan in plans(4)[whole:]:
        reopened.append(plan)
    reopened.close()
    assert journals.read(directory) == plans(4)


def test_a_line_broken_in_the_middle_is_told_and_not_dropped(tmp_path: Path) -> None:
    content = written(tmp_path, 3)
    (tmp_path / journals.FILE).write_bytes(content.replace(b'"plan/1"', b"plan/1"))
    with pytest.raises(RecipeError, match="line 2"):
        Journal(tmp_path)


def test_two_writers_are_refused(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    with pytest.raises(RecipeError, match="another process"):
        Journal(tmp_path)
    first.close()
    Journal(tmp_path).close()


def test_a_key_is_written_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(plans(1)[0])
    with pytest.raises(ValueError, match="already"):
        journal.append(plans(1)[0])
    journal.close()


def test_a_record_of_another_kind_is_not_returned(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(plans(1)[0])
    assert journal.get(Plan, "plan/0") == plans(1)[0]
    assert journal.get(Plan, "plan/9") is None
    with pytest.raises(TypeError, match="Plan"):
        journal.get(Run, "plan/0")
    journal.close()


def test_time_of_earlier_processes_counts(tmp_path: Path) -> None:
    written(tmp_path, 1)
    path = tmp_path / journals.FILE
    line = json.loads(path.read_text())
    path.write_text(json.dumps(line | {"elapsed": 100.0}) + "\n")
    journal = Journal(tmp_path)
    journal.credit(20.0)
    assert 120 <= journal.elapsed < 121
    journal.close()


def test_a_full_disk_leaves_no_half_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = written(tmp_path, 1)
    journal = Journal(tmp_path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        journal.append(plans(2)[1])
    assert journal.path.read_bytes() == content
    assert journal.get(Plan, "plan/1") is None
    journal.close()


def test_a_directory_without_a_journal_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"journal\.jsonl"):
        journals.read(tmp_path)
