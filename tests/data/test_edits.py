"""The user's verdict on suspects: labels fixed, examples dropped, everything else where it was."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from keras_recipe.core.errors import RecipeError
from keras_recipe.data import load
from keras_recipe.data.edits import read_edits
from keras_recipe.problem import Problem

COLUMNS = ("action", "split", "example", "given", "likely", "confidence", "reason")


def table(path: Path, *lines: tuple[str, ...]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *(line + ("",) * (7 - len(line)) for line in lines)])
    return path


@pytest.fixture
def points() -> tuple[np.ndarray, np.ndarray]:
    return np.arange(120, dtype="float32").reshape(60, 2), np.array(["cat", "dog"])[np.arange(60) % 2]


def labels(problem: Problem) -> dict[str, tuple[str, str]]:
    """Id to split and label."""
    splits = {n: getattr(problem, n) for n in ("train", "validation", "test")}
    return {i: (n, problem.label(y)) for n, s in splits.items() for i, y in zip(s.ids, s.y, strict=True)}


def test_labels_are_fixed_and_examples_dropped_and_nothing_else(points: tuple, tmp_path: Path) -> None:
    before = load(points)
    known = labels(before)
    edits = table(
        tmp_path / "suspects.csv",
        ("fix", known["4"][0], "4", "cat", "dog"),
        ("drop", known["7"][0], "7", "dog", ""),
        ("keep", known["8"][0], "8", "cat", "dog"),
        ("", known["9"][0], "9", "dog", "cat"),
    )
    after = load(points, edits=edits)
    expected = {i: v for i, v in known.items() if i != "7"} | {"4": (known["4"][0], "dog")}
    assert labels(after) == expected
    assert after.fingerprint != before.fingerprint
    told = next(f for f in after.findings if f.cause == "edited")
    assert told.evidence == {"fix": 1, "drop": 1}
    for split in (after.train, after.validation, after.test):
        assert np.array_equal(split.x[:][:, 0], [2.0 * int(i) for i in split.ids])  # inputs go with their labels


def test_rows_of_a_given_part_are_told_by_their_split(points: tuple, tmp_path: Path) -> None:
    edits = table(tmp_path / "s.csv", ("fix", "test", "0", "cat", "dog"))
    problem = load(points, test=(points[0][:10], points[1][:10]), edits=edits)
    test = dict(zip(problem.test.ids, problem.test.y, strict=True))
    assert problem.label(test["0"]) == "dog"
    assert problem.label(test["2"]) == "cat"
    assert all(label == ("cat", "dog")[int(i) % 2] for i, (split, label) in labels(problem).items() if split != "test")


def test_a_target_of_a_regression_is_fixed(tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).normal(size=(40, 2)), np.linspace(0, 1, 40)
    problem = load((x, y), edits=table(tmp_path / "s.csv", ("fix", "train", "3", "whatever", "7.5")))
    assert 7.5 in np.concatenate([problem.train.y, problem.validation.y, problem.test.y])


def test_files_that_cannot_be_decoded_are_left_out(tmp_path: Path) -> None:
    for number in range(30):
        path = tmp_path / "photos" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20), (number * 8, 0, 0)).save(path)
    (tmp_path / "photos/a/4.png").write_bytes(b"no picture")
    edits = table(tmp_path / "s.csv", ("drop", "train", "a/4.png", "", ""))
    problem = load(tmp_path / "photos", edits=edits)
    assert len(labels(problem)) == 29
    assert (tmp_path / "photos/a/4.png").read_bytes() == b"no picture"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (("fxi", "train", "4", "cat", "dog"), "'fix', the nearest"),
        (("fix", "train", "4", "cat", "dgo"), "'dog', the nearest"),
        (("fix", "train", "4", "dog", "cat"), "as when it was suspected"),
        (("drop", "train", "4000", "cat", ""), "which is not there"),
    ],
)
def test_what_does_not_fit_the_data_is_told_with_its_line(
    line: tuple[str, ...], told: str, points: tuple, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=r"line 2") as error:
        load(points, edits=table(tmp_path / "s.csv", line))
    assert told in str(error.value)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00"])
def test_another_file_is_refused(content: bytes, points: tuple, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_bytes(content)
    with pytest.raises(RecipeError, match=r"suspects\.csv"):
        load(points, edits=tmp_path / "s.csv")


@given(st.lists(st.tuples(st.sampled_from(["fix", "drop", "keep", "", "FIX "]), st.text(max_size=8)), max_size=6))
def test_what_is_written_is_read(lines: list[tuple[str, str]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        edits = read_edits(
            table(Path(folder) / "s.csv", *((a, "train", str(i), t, "x") for i, (a, t) in enumerate(lines)))
        )
    wanted = [(a.strip().lower(), str(i)) for i, (a, _) in enumerate(lines) if a.strip().lower() in ("fix", "drop")]
    assert [(e.action, e.example) for e in edits] == wanted


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_spreadsheet_may_save_with_its_own_delimiter(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "suspects.csv"
    lines = [["action", "split", "example", "given", "likely"], ["drop", "train", "a b.png", "cat", ""]]
    path.write_text("\n".join(delimiter.join(line) for line in lines), encoding="utf-8-sig")
    assert [(e.action, e.example) for e in read_edits(path)] == [("drop", "a b.png")]


def test_two_decisions_about_one_example_are_refused_and_one_said_twice_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "suspects.csv"
    head = "action,split,example,given,likely\n"
    path.write_text(head + "drop,train,7,a,\ndrop,train,7,a,\n")
    assert len(read_edits(path)) == 1
    path.write_text(head + "drop,train,7,a,\nkeep,train,7,a,\n")
    with pytest.raises(RecipeError, match="lines 2 and 3"):
        read_edits(path)
