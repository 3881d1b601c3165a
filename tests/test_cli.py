"""The command line, as a user types it."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from keras_recipe import exported
from keras_recipe.cli import app
from keras_recipe.core.journal import FILE, Journal, read, select
from keras_recipe.core.records import CheckRun, Run, Trial
from keras_recipe.problem import Problem
from keras_recipe.recipe import Result as RunResult

Finished = Callable[[str], tuple[Problem, RunResult]]
ROOT = Path(__file__).parent.parent
SHORT = ("--model", "mlp(depth=1, width=8)", "--moves", "", "--workers", "1")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def points(blobs: Problem, tmp_path: Path) -> Path:
    """An .npz of the blobs."""
    x = np.concatenate([s.x[:] for s in (blobs.train, blobs.validation, blobs.test)])
    y = np.concatenate([s.y for s in (blobs.train, blobs.validation, blobs.test)])
    np.savez(tmp_path / "points.npz", x=x, y=y)
    return tmp_path / "points.npz"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No new process for the proof of the exported file, which has tests of its own."""
    monkeypatch.setattr(exported, "verify", lambda path, problem, expected: 0.0)


def test_help_shows_the_commands() -> None:
    told = call("--help")
    assert told.exit_code == 0
    for command in ("train", "inspect", "predict", "report", "compare", "list"):
        assert command in told.output


def test_list_names_backbones_with_their_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mobilenet_v2_0.35_224_notop.weights.h5").touch()
    for name, value in (("KERAS_RECIPE_WEIGHTS", tmp_path), ("KERAS_HOME", tmp_path), ("COLUMNS", 120)):
        monkeypatch.setenv(name, str(value))
    lines = call("list", "models").output.splitlines()
    rows = {line.split()[0]: line for line in lines if line.startswith(("keras_", "applications:"))}
    assert len(rows) == 133
    assert "2,257,984" in rows["applications:MobileNetV2"]
    assert "(alpha=0.35)" in rows["applications:MobileNetV2"]
    assert "downloaded when first used" in rows["keras_cv:resnet50_v2_imagenet"]
    assert "none published" in rows["keras_cv:resnet50_v2"]


def test_list_names_moves_in_the_order_in_which_they_are_tried() -> None:
    told = call("list", "moves").output
    first = (
        "regularize",
        "larger_pictures",
        "shift_picture",
        "dropout",
        "larger_model",
        "squeeze",
        "leave_it_training",
    )
    places = [told.index(name) for name in first]
    assert places == sorted(places)


def test_list_names_models_with_their_arguments() -> None:
    told = call("list", "models").output
    assert "small_cnn" in told
    assert "width=" in told
    assert "dropout" in call("list").output
    wrong = call("list", "modles")
    assert wrong.exit_code == 2
    assert "'models', the nearest" in wrong.output


@pytest.mark.usefixtures("quick")
def test_train_with_json_prints_one_object_and_a_rerun_the_same(points: Path, tmp_path: Path) -> None:
    arguments = ("train", points, "--out", tmp_path / "run", "--json", *SHORT)
    first = call(*arguments)
    assert first.exit_code == 0, first.output
    values = json.loads(first.stdout)
    assert values["low"] <= values["score"] <= values["high"]
    assert Path(values["model"]).is_file()
    assert Path(values["report"]).is_file()
    (run,) = select(read(tmp_path / "run"), Run)
    typed = shlex.split(run.command)
    assert typed[:5] == ["python", "-m", "keras_recipe", "train", str(points)]
    given = dict(itertools.pairwise(typed[5:]))
    assert given["--out"] == str(tmp_path / "run")
    assert given["--model"] == "mlp(depth=1, width=8)"
    assert given["--moves"] == ""
    assert not {"--json", "--budget", "--seed"} & set(typed), "what was not given, or changes nothing"
    again = call(*arguments)
    assert json.loads(again.stdout) == values
    assert "reused" in again.stderr


@pytest.mark.usefixtures("quick")
def test_the_last_lines_say_the_score_and_where_everything_is(points: Path, tmp_path: Path) -> None:
    told = call("train", points, "--out", tmp_path / "run", *SHORT)
    assert told.exit_code == 0, told.output
    for words in ("test accuracy", "interval", "model.keras", "report.html", "tensorboard"):
        assert words in told.stdout
    quiet = call("train", points, "--out", tmp_path / "run", "--quiet", *SHORT)
    assert quiet.stderr == ""
    assert quiet.stdout == told.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("train", "nowhere/"), "nowhere"),
        (("train", "digist"), "'digits', the nearest"),
        (("train", "digits", "--budget", "5x"), "duration"),
        (("train", "digits", "--budget", "1s"), "larger --budget"),
        (("train", "digits", "--moves", "dropuot"), "'dropout', the nearest"),
        (("train", "digits", "--model", "mlpp"), "'mlp', the nearest"),
        (("train", "digits", "--metric", "acuracy"), "'accuracy', the nearest"),
        (("inspect", "digist"), "'digits', the nearest"),
        (("report", "."), FILE),
        (("predict", ".", "x.npz"), "finish first"),
    ],
)
def test_bad_input_is_told_with_status_2_and_no_traceback(
    arguments: tuple[str, ...], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call(*arguments)
    assert done.exit_code == 2
    for words in ("Expected ", "Received ", "To do: ", told):
        assert words in done.stderr
    assert "Traceback" not in done.output
    assert done.stdout == ""
    assert not list(tmp_path.rglob(FILE))


def test_predict_writes_a_table(finished: Finished, tmp_path: Path) -> None:
    problem, result = finished("blobs")
    np.savez(tmp_path / "new.npz", x=problem.test.x[:4])
    done = call("predict", result.directory, tmp_path / "new.npz", "--out", tmp_path / "out.csv")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out.csv").read_text().splitlines()[0] == "row,prediction,0,1,2"
    assert "4 predictions" in done.stderr


def test_report_is_written_again(finished: Finished) -> None:
    _, result = finished("line")
    content = result.report.read_text()
    result.report.unlink()
    done = call("report", result.directory)
    assert done.exit_code == 0
    assert done.stdout.strip() == str(result.report)
    assert result.report.read_text() == content


def test_inspect_shows_the_data_and_trains_nothing(tmp_path: Path, stripes: Problem) -> None:
    for row in range(30):
        folder = tmp_path / "photos" / f"kind{stripes.train.y[row]}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(stripes.train.x[row][..., 0]).save(folder / f"{row}.png")
    done = call("inspect", tmp_path / "photos", "--out", tmp_path / "look", "--json")
    assert done.exit_code == 0, done.output
    runs = json.loads(done.stdout)
    assert {"label_balance", "examples"} <= {r["check"] for r in runs["checks"]}
    assert (tmp_path / "look" / "artifacts" / "examples.png").is_file()
    assert {"journal.jsonl", "report.html", "tensorboard"} <= {p.name for p in (tmp_path / "look").iterdir()}
    assert not (tmp_path / "look" / "trials").exists()


@pytest.mark.usefixtures("quick")
def test_fresh_starts_over_and_keeps_what_is_not_the_recipes(points: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    arguments = ("train", points, "--out", run, "--quiet", *SHORT)
    assert call(*arguments).exit_code == 0
    (run / "notes.txt").write_text("mine")
    other = call(*arguments, "--seed", "1")
    assert other.exit_code == 2
    assert "--fresh" in other.stderr
    assert call(*arguments, "--seed", "1", "--fresh").exit_code == 0
    assert json.loads((run / FILE).read_text().splitlines()[0])["seed"] == 1
    assert (run / "notes.txt").read_text() == "mine"


@pytest.mark.usefixtures("quick")
def test_a_finished_run_goes_on_with_more_data(points: Path, blobs: Problem, tmp_path: Path) -> None:
    run, more = tmp_path / "run", tmp_path / "more.npz"
    x, y = np.asarray(blobs.train.x), blobs.train.y
    noise = np.random.default_rng(0).normal(scale=0.5, size=(3, *x.shape))
    np.savez(more, x=np.concatenate([x, *(x + noise)]).astype("float32"), y=np.tile(y, 4))
    arguments = ("train", points, "--out", run, "--json", *SHORT)
    assert call(*arguments).exit_code == 0
    before = len(read(run))
    gone_on = call(*arguments, "--more-data", more)
    assert gone_on.exit_code == 0, gone_on.output
    records = read(run)
    assert len(select(records, Run)) == 2
    (told,) = [c for c in select(records, CheckRun) if c.check == "more_data"]
    assert f"copies of examples that the data holds ({len(x)})" in told.findings[0].message
    tried = [t for t in select(records[before:], Trial) if t.config["more_data"]]
    assert {t.examples for t in tried} == {(4 * len(x)) // 32 * 32}
    assert "a second time" in (run / "report.html").read_text() or "not read again" in (run / "report.html").read_text()
    count = len(records)
    again = call(*arguments, "--more-data", more)
    assert json.loads(again.stdout) == json.loads(gone_on.stdout)
    assert len(read(run)) == count
    without = call(*arguments)
    assert without.exit_code == 2
    assert "--more-data" in without.stderr


@pytest.mark.usefixtures("quick")
def test_more_data_that_cannot_be_used_is_told_and_changes_nothing(points: Path, tmp_path: Path) -> None:
    run, more = tmp_path / "run", tmp_path / "more.npz"
    arguments = ("train", points, "--out", run, "--json", *SHORT)
    assert call(*arguments).exit_code == 0
    written = (run / FILE).read_bytes()
    np.savez(more, x=np.zeros((6, 5), "float32"), y=np.arange(6) % 3)
    for path in (more, tmp_path / "nowhere"):
        done = call(*arguments, "--more-data", path)
        assert done.exit_code == 2
        for words in ("Expected ", "Received ", "To do: "):
            assert words in done.stderr
        assert "Traceback" not in done.output
    assert (run / FILE).read_bytes() == written


def test_fresh_with_a_misspelt_option_loses_nothing(points: Path, tmp_path: Path) -> None:
    Journal(tmp_path).close()
    (tmp_path / "model.keras").write_text("of a long run")
    done = call("train", points, "--out", tmp_path, "--fresh", "--moves", "dropuot")
    assert done.exit_code == 2
    assert (tmp_path / "model.keras").exists()
    assert (tmp_path / FILE).exists()


def test_fresh_leaves_a_run_alone_that_is_being_written(points: Path, tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    done = call("train", points, "--out", tmp_path, "--fresh", *SHORT)
    journal.close()
    assert done.exit_code == 2
    assert "another process" in done.stderr
    assert (tmp_path / FILE).exists()


def test_help_list_and_report_do_not_import_tensorflow(finished: Finished) -> None:
    script = """
import sys
from keras_recipe.cli import app
for arguments in (["--help"], ["train", "--help"], ["list"], ["report", sys.argv[1]]):
    app(arguments, standalone_mode=False)
print([m for m in ("tensorflow", "keras", "sklearn", "pandas") if m in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(finished("line")[1].directory)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_python_m_keras_recipe_is_the_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "keras_recipe", "report", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.strip().startswith("Expected a run directory")
