"""The whole recipe on toy problems, and what it says when it cannot go on."""

from __future__ import annotations

import dataclasses
import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_recipe import checkpoint, exported, objectives, recipe, watch
from keras_recipe.checks import CHECKS
from keras_recipe.core import journal as journals
from keras_recipe.core.errors import RecipeError
from keras_recipe.core.journal import read
from keras_recipe.core.records import CheckRun, Finding, Plan, Trial
from keras_recipe.data import load
from keras_recipe.data.toys import blobs as make_blobs
from keras_recipe.job import Job
from keras_recipe.problem import Problem
from keras_recipe.recipe import Recipe, Result
from keras_recipe.stages import Blocked, overfit

Finished = Callable[[str], tuple[Problem, Result]]
SMALL = "mlp(depth=1, width=8)"
ROOT = Path(__file__).parent.parent


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No new process for the proof of the exported file, which has tests of its own."""
    monkeypatch.setattr(exported, "verify", lambda path, problem, expected: 0.0)


@pytest.mark.parametrize("name", ["stripes", "blobs", "binary", "line", "table"])
def test_a_run_leaves_score_model_report_and_logs(name: str, finished: Finished) -> None:
    problem, result = finished(name)
    end = result.evaluation
    assert end.low <= result.score <= end.high
    assert result.interval == (end.low, end.high)
    assert end.examples == len(problem.test)
    assert end.verified < 1e-4
    assert "<html" in result.report.read_text()
    assert list(result.tensorboard.rglob("*tfevents*"))
    rows = (result.directory / "split.csv").read_text().splitlines()
    assert len(rows) == 1 + len(problem.train) + len(problem.validation) + len(problem.test)
    assert {row.split(",")[0] for row in rows} == {"split", "train", "validation", "test"}


@pytest.mark.parametrize("name", ["stripes", "blobs", "binary", "line", "table"])
def test_the_loaded_model_reaches_the_recorded_score_on_raw_inputs(name: str, finished: Finished) -> None:
    problem, result = finished(name)
    raw = exported.raw_inputs(np.asarray(problem.test.x[np.arange(len(problem.test))]), problem.signature)
    predicted = exported.predict(result.model, raw)
    score = objectives.score(problem.objective.metric, problem.test.y, predicted)
    assert score == pytest.approx(result.score, rel=1e-4)


def test_a_run_beats_the_dumb_baseline(finished: Finished) -> None:
    for name in ("stripes", "blobs", "binary"):
        end = finished(name)[1].evaluation
        assert end.score > end.baselines["majority"]
    end = finished("line")[1].evaluation
    assert end.score < end.baselines["mean"]


class Counted:
    """Rows that count how often they are read."""

    def __init__(self, x: np.ndarray) -> None:
        self._x, self.reads = x, 0
        self.shape, self.dtype = x.shape, x.dtype

    def __len__(self) -> int:
        return len(self._x)

    def __getitem__(self, rows: Any) -> np.ndarray:
        self.reads += 1
        return self._x[rows]


@pytest.mark.usefixtures("quick")
def test_no_model_sees_the_test_split_and_nobody_its_labels_before_the_end(
    stripes: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs, labels = Counted(np.asarray(stripes.test.x)), Counted(stripes.test.y)
    problem = dataclasses.replace(stripes, test=dataclasses.replace(stripes.test, x=inputs, y=labels))
    reads = []

    def finish(*args: Any) -> Any:
        reads.append((inputs.reads, labels.reads))
        problem.test.__dict__["y"] = stripes.test.y
        return original(*args)

    original = recipe.finish
    monkeypatch.setattr(recipe, "finish", finish)
    Recipe(problem, tmp_path, 300.0, model="small_cnn(width=4)", moves=("dropout",)).run()
    assert reads == [(1, 0)]  # once, by the survey, which looks for copies of training examples
    assert inputs.reads > 1


@pytest.fixture
def blocking() -> Iterator[None]:
    """A check that finds an error."""

    def always_wrong(job: Job) -> Iterator[Finding]:
        """Finds an error wherever it looks."""
        yield Finding("error", "data", "everything is wrong", "something right", "nothing", "start again")

    list(CHECKS)  # all that there are are found before one more is added
    known = dict(CHECKS._functions), dict(CHECKS._places)
    CHECKS.staged("baseline", order=1)(always_wrong)
    yield
    CHECKS._functions, CHECKS._places = known


@pytest.mark.usefixtures("blocking")
def test_an_error_finding_stops_the_run_and_the_report_says_why(blobs: Problem, tmp_path: Path) -> None:
    with pytest.raises(Blocked, match="everything is wrong") as blocked:
        Recipe(blobs, tmp_path, 300.0, model=SMALL).run()
    assert blocked.value.stage == "baseline"
    assert "everything is wrong" in (tmp_path / "report.html").read_text()
    assert not any(isinstance(r, Trial) for r in journals.read(tmp_path))
    assert not (tmp_path / "model.keras").exists()
    with pytest.raises(Blocked):  # a rerun does not pass it either
        Recipe(blobs, tmp_path, 300.0, model=SMALL).run()


def begun(problem: Problem, directory: Path) -> bytes:
    """A run directory with the first record, and its content."""
    with Recipe(problem, directory, model=SMALL).study():
        return (directory / journals.FILE).read_bytes()


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("data, split or objective", {"problem": make_blobs(seed=1)}),
        ("seed", {"seed": 1}),
        ("settings", {"moves": ("dropout",)}),
    ],
)
def test_a_directory_of_another_run_is_refused_and_left_alone(
    what: str, change: dict[str, Any], blobs: Problem, tmp_path: Path
) -> None:
    content = begun(blobs, tmp_path)
    with pytest.raises(RecipeError, match=rf"(?s)\({what}: .*--fresh"):
        Recipe(**{"problem": blobs, "directory": tmp_path, "model": SMALL} | change).run()
    assert (tmp_path / journals.FILE).read_bytes() == content
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model": "smal_cnn()"}, "'small_cnn', the nearest"),
        ({"model": "mlp(widht=3)"}, "'width', the nearest"),
        ({"moves": ("dropuot",)}, "'dropout', the nearest"),
        ({"budget": 1.0}, "larger --budget"),
    ],
)
def test_a_wrong_setting_is_told_before_anything_is_written(
    change: dict[str, Any], told: str, blobs: Problem, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=told):
        Recipe(blobs, tmp_path / "run", **change).run()
    assert not (tmp_path / "run").exists()


def test_a_directory_that_cannot_be_made_is_told(blobs: Problem, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecipeError, match=r"(?s)file/run.*--out"):
        Recipe(blobs, tmp_path / "file" / "run").run()


def test_a_budget_that_holds_no_epoch_says_so_and_keeps_what_was_done(blobs: Problem, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"model": SMALL, "moves": ()}
    with Recipe(blobs, tmp_path, 20.0, **settings).study() as study:
        study.journal.credit(19.0)
        study.plan("overfit", "time is up", lambda: (1, "because"))
    with pytest.raises(RecipeError, match="larger --budget"):
        Recipe(blobs, tmp_path, 20.0, **settings).run()
    assert len(journals.read(tmp_path)) > 5
    assert (tmp_path / "report.html").is_file()


def full(*args: Any, **kwargs: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("where", "name"), [(os, "fsync"), (checkpoint, "write_arrays"), (exported, "export"), (watch, "write_views")]
)
def test_a_full_disk_is_told_and_the_rerun_goes_on(
    where: Any, name: str, blobs: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Recipe(blobs, tmp_path, 300.0, model=SMALL, moves=())
    with monkeypatch.context() as disk:
        disk.setattr(where, name, full)
        with pytest.raises(RecipeError, match=r"No space left.*\nTo do: make room"):
            run.run()
    recorded = journals.read(tmp_path)
    assert run.run().model_path.is_file()
    assert journals.read(tmp_path)[: len(recorded)] == recorded


@pytest.mark.usefixtures("quick")
def test_a_ladder_may_come_back_to_a_model_whose_weights_were_forgotten(
    blobs: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "regularize", lambda study, config, moves: config.replace(model=SMALL))
    monkeypatch.setattr(recipe, "overfit", climbed := Climb())
    result = Recipe(blobs, tmp_path, 300.0).run()
    assert result.evaluation.config["model.width"] == 8
    assert climbed.forgotten


class Climb:
    """A stage that tries a small model, forgets its weights, and takes a larger one."""

    forgotten = False

    def __call__(self, study: Any, config: Any) -> Any:
        small = config.replace(model=SMALL, epochs=3)
        trial = study.trials("overfit", [(small, 0)])[0]
        study.forget_weights([trial])
        self.forgotten = not (study.folder(trial.key) / "weights.npz").exists()
        return small.replace(model="mlp(depth=1, width=32)")


@pytest.mark.usefixtures("quick")
def test_a_budget_is_kept_and_what_it_cut_off_is_recorded(
    blobs: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overfit, "EPOCHS", (10, 10**7))
    monkeypatch.setattr(overfit, "STEPS", 10**9)
    budget, began = 30.0, time.monotonic()
    Recipe(blobs, tmp_path, budget).run()
    assert time.monotonic() - began < 1.1 * budget
    skips = [r for r in journals.read(tmp_path) if isinstance(r, Plan) and r.key.startswith("skip/")]
    assert any("budget" in r.reason for r in skips)


def test_the_package_need_not_be_installed_nor_be_the_working_directory(tmp_path: Path) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from keras_recipe import Recipe
from keras_recipe.data.toys import blobs
print(Recipe(blobs(), "run", 300.0, model={SMALL!r}, moves=()).run().evaluation.verified < 1e-4)
"""
    (tmp_path / "script.py").write_text(script)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "True", done.stderr[-2000:]


@pytest.mark.usefixtures("quick")
def test_callbacks_of_the_user_see_every_trial(blobs: Problem, tmp_path: Path) -> None:
    epochs: list[int] = []

    class Seen(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            epochs.append(epoch)

    Recipe(blobs, tmp_path, 300.0, model=SMALL, moves=(), callbacks=lambda: [Seen()]).run()
    trials = journals.select(journals.read(tmp_path), Trial)
    assert len(epochs) == sum(t.epochs for t in trials)


def test_training_leaves_suspects_and_skips_long_checks_when_time_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keras_recipe.stages import examine as stage

    monkeypatch.setattr(stage, "LONG_SHARE", 0.0)
    monkeypatch.setattr(stage, "LONG", tuple(name for name in stage.LONG if name != "duplicates"))
    generator = np.random.default_rng(0)
    x = np.concatenate([generator.normal(size=(90, 3)), np.zeros((6, 3))]).astype("float32")
    Recipe(load((x, (x[:, 0] > 0).astype("int64"))), tmp_path, 60.0, model="mlp(width=16)", moves=(), signals={}).run()
    records = read(tmp_path)
    skipped = {r.name for r in records if isinstance(r, Plan) and r.key.startswith("skip/")}
    assert skipped == set(stage.LONG)
    assert not skipped & {r.check for r in records if isinstance(r, CheckRun)}
    assert (tmp_path / "suspects.csv").is_file()


def test_moves_with_a_minus_before_them_are_left_out(blobs: Problem, tmp_path: Path) -> None:
    chosen = Recipe(blobs, tmp_path, moves=("-flip_picture", "-ensemble")).chosen
    assert chosen is not None
    assert not {"flip_picture", "ensemble"} & {*chosen}
    assert {"mix_up", "learning_curve", "cool_down"} <= {*chosen}
    assert Recipe(blobs, tmp_path).chosen is None
    assert Recipe(blobs, tmp_path, moves=("dropout",)).chosen == ["dropout"]
    for moves, said in ((("-flop_picture",), "flip_picture"), (("dropout", "-mix_up"), "one kind")):
        with pytest.raises(RecipeError, match=said):
            Recipe(blobs, tmp_path, moves=moves).check()
