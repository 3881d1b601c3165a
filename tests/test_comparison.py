"""Runs side by side: paired where the examples are the same, unpaired and said so where they are not."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rich.console
from typer.testing import CliRunner

from keras_recipe.checkpoint import write_arrays
from keras_recipe.cli import app
from keras_recipe.compare import compare_intervals, compare_models, score_interval
from keras_recipe.comparison import compare_runs
from keras_recipe.core.config import Config
from keras_recipe.core.errors import RecipeError
from keras_recipe.core.journal import Journal
from keras_recipe.core.records import OUTCOMES, Evaluation, Objective, Run
from keras_recipe.views.comparison import write

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A finished run of 400 test examples, of which the model gets those wrong whose numbers are given."""

    def made(name: str, wrong: range, *, judged: str = "d1", dropout: float | None = None, **changes: Any) -> Path:
        directory = tmp_path / name
        directory.mkdir()
        config = Config("mlp(width=8)").with_args("model", dropout=dropout)
        problem = {
            "name": "points",
            "kind": "vector",
            "task": "multiclass",
            "classes": ["a", "b"],
            "sizes": {"test": 400},
        }
        run = Run("run", "f1", problem, Objective("accuracy", True), 0, 60.0, {"keras": "3.15"}, {"model": None})
        gains = np.ones(400)
        gains[wrong] = 0.0
        low, high, method = score_interval("accuracy", gains)
        both = {"validation": judged, "test": judged}
        end = Evaluation("evaluation", "t", dict(config.leaves()), gains.mean(), low, high, method, gains.mean(), {},
                         400, None, 0.0, 1.0, judged=both)  # fmt: skip
        journal = Journal(directory)
        journal.append(replace(run, **changes))
        journal.append(end)
        journal.close()
        write_arrays(directory / OUTCOMES, {"validation": gains, "test": gains})
        return directory

    return made


def shown(*directories: Path) -> str:
    out = io.StringIO()
    write(rich.console.Console(file=out, width=300, color_system=None), compare_runs(directories))
    return out.getvalue().replace("\u00a0", " ")


def test_the_same_examples_are_compared_one_by_one_which_tells_more(make: Make) -> None:
    a, b = make("a", range(40)), make("b", range(32), dropout=0.2)
    found = compare_runs([a, b])
    paired = found.contrasts[0]
    assert (paired.split, paired.paired, paired.verdict) == ("test", True, "better")
    assert paired.gain == pytest.approx(0.02)
    assert 0 < paired.low < 0.02 < paired.high
    (unpaired,) = compare_runs([a, make("c", range(32), judged="d2")]).contrasts
    assert (unpaired.paired, unpaired.verdict) == (False, "not distinguishable")
    assert unpaired.high - unpaired.low > 2 * (paired.high - paired.low)
    assert found.config == {"model.dropout": [None, 0.2]}
    assert found.data == {}


def test_other_data_is_said_and_so_is_that_scores_are_unpaired(make: Make) -> None:
    a, b = make("a", range(40)), make("b", range(300), judged="d2", fingerprint="f2")
    text = shown(a, b)
    assert "unpaired: the test splits hold different examples or labels" in text
    assert "fingerprint  f1 → f2" in text
    assert f"{b} is worse than {a}: −65.00 points" in text


def test_a_run_without_its_record_of_outcomes_is_compared_unpaired(make: Make) -> None:
    a, b = make("a", range(40)), make("b", range(30))
    (b / OUTCOMES).write_bytes(b"PK broken")
    (contrast,) = compare_runs([a, b]).contrasts
    assert not contrast.paired
    assert OUTCOMES in contrast.why


def test_seed_versions_and_settings_that_differ_are_told_apart_from_data_and_config(make: Make) -> None:
    a, b = make("a", range(40)), make("b", range(40), seed=1, versions={"keras": "3.16"}, settings={"model": "mlp"})
    found = compare_runs([a, b])
    assert found.run == {"seed": [0, 1], "keras": ["3.15", "3.16"], "model": [None, "mlp"]}
    assert found.contrasts[0].verdict == "not distinguishable"
    assert found.contrasts[0].low < 0 < found.contrasts[0].high, "equal on these examples is not equal on all"


def test_any_number_of_runs_is_held_against_the_first(make: Make) -> None:
    a, b, c = make("a", range(40)), make("b", range(20)), make("c", range(80))
    found = compare_runs([a, b, c])
    assert [(c.directory[-1], c.verdict) for c in found.contrasts if c.split == "test"] == [
        ("b", "better"),
        ("c", "worse"),
    ]
    assert found.worse
    assert not compare_runs([a, b]).worse


def test_scores_of_different_metrics_are_not_compared(make: Make) -> None:
    a, b = make("a", range(40)), make("b", range(40), objective=Objective("log_loss", False))
    found = compare_runs([a, b])
    assert found.contrasts == ()
    assert "different metrics" in found.notes[0]
    assert found.data["metric"] == ["accuracy", "log_loss"]


def test_a_run_that_is_not_finished_has_no_test_score(make: Make, tmp_path: Path) -> None:
    a = make("a", range(40))
    (tmp_path / "b").mkdir()
    lines = (a / "journal.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "b" / "journal.jsonl").write_text(lines[0])
    text = shown(a, tmp_path / "b")
    assert "b is not finished: it has no test score" in text
    assert "not read" in text


def test_the_command_says_by_its_status_whether_a_run_is_worse(make: Make, tmp_path: Path) -> None:
    def call(*arguments: object) -> tuple[int, str, str]:
        done = CliRunner().invoke(app, ["compare", *map(str, arguments)])
        return done.exit_code, done.stdout, done.stderr

    a, b = make("a", range(40)), make("b", range(80))
    assert call(a, b)[0] == 1
    assert call(b, a)[0] == 0
    status, out, _ = call(a, b, "--json")
    values = json.loads(out)
    assert status == 1
    assert values["worse"] is True
    assert values["contrasts"][0]["verdict"] == "worse"
    assert values["contrasts"][0]["paired"] is True
    for arguments in ((a,), (a, tmp_path)):
        status, out, errors = call(*arguments)
        assert (status, out) == (2, "")
        assert all(word in errors for word in ("Expected ", "Received ", "To do: "))


def test_fewer_than_two_runs_are_refused(make: Make) -> None:
    with pytest.raises(RecipeError, match="two run directories or more"):
        compare_runs([make("a", range(4))])


def test_names_of_the_data_are_text(make: Make) -> None:
    a = make("a", range(40))
    b = make("b", range(40), problem={"name": "[red]x[/red]\x1b[2J", "classes": []})
    assert "[red]x[/red] [2J" in shown(a, b)


@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_the_paired_interval_covers_the_truth(rate: float) -> None:
    """Two models of equal accuracy: the interval leaves 0 out in about 5 % of the draws."""
    rng = np.random.default_rng(0)
    missed = 0
    for _ in range(600):
        a, b = (rng.random((2, 300)) > rate).astype(float)
        found = compare_models("accuracy", a, b)
        missed += found.better or found.worse
    assert missed / 600 <= 0.07


def test_an_interval_of_a_difference_turns_round_with_its_sides_and_its_direction() -> None:
    a, b = (0.9, 0.87, 0.92), (0.95, 0.93, 0.96)
    there, back = compare_intervals(a, b, 1), compare_intervals(b, a, 1)
    assert (there.gain, there.low, there.high) == pytest.approx((-back.gain, -back.high, -back.low))
    assert there.low == pytest.approx(0.05 - np.hypot(0.02, 0.02))
    error = compare_intervals(a, b, -1)
    assert (error.gain, error.low, error.high) == pytest.approx((-there.gain, -there.high, -there.low))
