"""Whatever stops a run, the same command goes on, and ends as if nothing had happened."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_recipe import checkpoint, exported, training
from keras_recipe.core import journal as journals
from keras_recipe.core.config import Config
from keras_recipe.core.progress import Progress
from keras_recipe.core.records import Evaluation, Trial
from keras_recipe.problem import Problem
from keras_recipe.recipe import Recipe
from keras_recipe.study import Study

ROOT = Path(__file__).parent.parent
TIMES = ("seconds", "startup_seconds", "inherited_seconds", "elapsed")

DRIVER = '''
"""Trains digits: python driver.py DIRECTORY WORKERS WRITES. Dies by its own hand before its WRITES-th write."""
import os, pathlib, signal, sys

directory, workers, writes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
import tensorflow
import keras_recipe as kr
from keras_recipe import checkpoint
from keras_recipe.recipe import Recipe

checkpoint.EVERY_SECONDS = 0.0
problem = kr.load("digits")
left = [writes]

def mortal(call):
    def counted(*args):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args)
    return counted

os.fsync, pathlib.Path.replace = mortal(os.fsync), mortal(pathlib.Path.replace)
print("begins", flush=True)
recipe = Recipe(problem, directory, 3600.0, model="mlp(width=32)", moves=("dropout", "smaller_batch"), workers=workers)
print(recipe.run().score)
'''


@dataclass(frozen=True)
class Death:
    """When a process dies: so many seconds after its work begins, or before so many writes."""

    seconds: float = 0.0
    writes: int = 0


def timeless(value: Any) -> Any:
    """JSON values without those that tell time."""
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in TIMES}
    return [timeless(v) for v in value] if isinstance(value, list) else value


def records(directory: Path) -> list[Any]:
    lines = (directory / journals.FILE).read_text().splitlines()
    return [timeless(json.loads(line)) for line in lines]


def weights(path: Path) -> list[np.ndarray]:
    return [np.asarray(w) for w in keras.models.load_model(path, compile=False).get_weights()]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}


def run_driver(driver: Path, directory: Path, workers: int, death: Death | None) -> int:
    """Run to the end or to the death; the exit status."""
    writes = death.writes if death else 0
    command = [sys.executable, str(driver), str(directory), str(workers), str(writes)]
    with (
        (directory.parent / f"{directory.name}.log").open("a") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment()) as process,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        if death and death.seconds:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(death.seconds)
            process.kill()
        process.communicate()
        return process.returncode


@pytest.mark.slow
def test_a_run_killed_at_twenty_random_moments_ends_as_one_that_never_was(tmp_path: Path) -> None:
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER)
    chance = random.Random(0)
    killed = []

    def chain(name: str, workers: int, deaths: list[Death]) -> Path:
        directory = tmp_path / name
        for death in deaths:
            status = run_driver(driver, directory, workers, death)
            assert status in (0, -signal.SIGKILL), (tmp_path / f"{name}.log").read_text()[-2000:]
            killed.append(status == -signal.SIGKILL)
        assert run_driver(driver, directory, workers, None) == 0, (tmp_path / f"{name}.log").read_text()[-2000:]
        return directory

    def moments() -> list[Death]:
        # Early ones fall into the checks, the last ones into the export; a count of writes into checkpoints.
        times = [Death(seconds=chance.uniform(0.1, 4.0)) for _ in range(7)]
        return [*times[:5], *(Death(writes=chance.randint(1, 40)) for _ in range(3)), *times[5:]]

    with ThreadPoolExecutor(2) as both:
        one = both.submit(chain, "one", 1, moments())
        two = both.submit(chain, "two", 2, moments())
        whole = both.submit(chain, "whole", 1, [])
        directories = [one.result(), two.result(), whole.result()]
    assert sum(killed) >= 20
    x = np.random.default_rng(0).uniform(0, 16, (50, 8, 8, 1)).astype("float32")
    reference = records(directories[2])
    predicted = exported.predict(exported.load(directories[2] / "model.keras")[0], x)
    for directory in directories[:2]:
        assert records(directory) == reference
        assert np.array_equal(exported.predict(exported.load(directory / "model.keras")[0], x), predicted)
        assert not list(directory.rglob(".draft.*"))
        assert not list(directory.rglob("checkpoint.npz"))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No new process for the proof of the exported file, which has tests of its own."""
    monkeypatch.setattr(exported, "verify", lambda path, problem, expected: 0.0)


@pytest.mark.usefixtures("quick")
def test_one_and_two_workers_give_the_same_journal_and_model(blobs: Problem, tmp_path: Path) -> None:
    for workers in (1, 2):
        Recipe(
            blobs,
            tmp_path / str(workers),
            300.0,
            model="mlp(depth=1, dropout=0.1, width=16)",
            moves=("dropout", "early_stopping"),
            workers=workers,
        ).run()
    assert records(tmp_path / "1") == records(tmp_path / "2")
    pairs = zip(weights(tmp_path / "1" / "model.keras"), weights(tmp_path / "2" / "model.keras"), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.usefixtures("quick")
def test_the_same_command_on_a_finished_run_trains_nothing(
    blobs: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(blobs, tmp_path, 300.0, model="mlp(depth=1, width=8)", moves=())
    first = recipe.run()
    content = (tmp_path / journals.FILE).read_bytes()

    def train(*args: object, **kwargs: object) -> None:
        raise AssertionError("a finished run was trained again")

    monkeypatch.setattr(training, "run_trial", train)
    monkeypatch.setattr(exported, "export", train)
    again = recipe.run()
    assert again.evaluation == first.evaluation
    assert (tmp_path / journals.FILE).read_bytes() == content


def test_a_larger_budget_goes_on_with_the_same_run(blobs: Problem, tmp_path: Path) -> None:
    with Recipe(blobs, tmp_path, 100.0).study() as study:
        before = study.remaining
    with Recipe(blobs, tmp_path, 200.0).study() as study:
        assert study.remaining > before


def test_time_of_earlier_processes_counts_against_the_budget(blobs: Problem, tmp_path: Path) -> None:
    with Recipe(blobs, tmp_path, 100.0).study() as study:
        study.journal.credit(60.0)
        study.plan("overfit", "something", lambda: (1, "because"))
    with Recipe(blobs, tmp_path, 100.0).study() as study:
        assert study.remaining < 40


def test_time_of_a_trial_that_was_killed_counts_once(
    blobs: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "EVERY_SECONDS", 0.0)
    config = Config("mlp(depth=1, width=8)", epochs=5)

    def killed(study: Study) -> None:
        def stop(progress: Progress) -> None:
            if progress.done == 3:
                raise KeyboardInterrupt

        monkeypatch.setattr(study.listener, "progress", stop)
        study.trials("overfit", [(config, 0)])

    def process(number: int) -> None:
        with Recipe(blobs, tmp_path, 1000.0, workers=1).study() as study:
            study.journal.credit(100.0)
            if number:
                study.plan("overfit", "a record between", lambda: (1, "because"))
            killed(study)

    began = time.monotonic()
    for number in range(2):
        with pytest.raises(KeyboardInterrupt):
            process(number)
    with Recipe(blobs, tmp_path, 1000.0).study() as study:
        assert 200 < study.journal.elapsed < 200 + time.monotonic() - began


def test_a_trial_without_its_arrays_is_run_again_to_the_same_ones(study: Study) -> None:
    config = Config("mlp(depth=1, dropout=0.2, width=8)", epochs=3)
    trial = study.trials("overfit", [(config, 1)])[0]
    weights_before, predictions = study.weights(trial), study.predictions(trial)
    study.forget_weights([trial])
    (study.folder(trial.key) / "predictions.npz").unlink()
    assert all(np.array_equal(a, b) for a, b in zip(study.weights(trial), weights_before, strict=True))
    assert np.array_equal(study.predictions(trial), predictions)
    assert len(journals.select(list(study.journal), Trial)) == 1


@pytest.mark.usefixtures("quick")
def test_a_torn_record_and_half_written_files_do_no_harm(blobs: Problem, tmp_path: Path) -> None:
    recipe = Recipe(blobs, tmp_path, 300.0, model="mlp(depth=1, width=8)", moves=())
    first = recipe.run()
    path = tmp_path / journals.FILE
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][: len(lines[-1]) // 2])
    trial = next(r for r in journals.read(tmp_path) if isinstance(r, Trial))
    half = [tmp_path / "trials" / trial.key / ".draft.4711.npz", tmp_path / ".draft.4711.keras"]
    half.append(tmp_path / "tensorboard" / "final" / ".draft.4711")
    for torn in half:
        torn.write_bytes(b"half")
    (tmp_path / "model.keras").write_bytes(b"of a run before")
    again = recipe.run()
    assert timeless(again.evaluation.__dict__) == timeless(first.evaluation.__dict__)
    assert len(path.read_bytes().splitlines()) == len(lines)
    assert again.model.count_params() > 0
    assert not any(torn.exists() for torn in half)


def test_a_run_that_died_before_its_first_record_begins_as_new(blobs: Problem, tmp_path: Path) -> None:
    (tmp_path / journals.FILE).write_bytes(b'{"type": "Run", "key"')
    (tmp_path / "split.csv").write_text("split,exam")
    with Recipe(blobs, tmp_path).study() as study:
        assert len(study.journal) == 1
    rows = (tmp_path / "split.csv").read_text().splitlines()
    assert len(rows) == 1 + len(blobs.train) + len(blobs.validation) + len(blobs.test)


def test_an_interrupt_has_its_status_wherever_it_comes(tmp_path: Path) -> None:
    (tmp_path / "interrupted.py").write_text(
        "import typer\n"
        "from keras_recipe import cli\n"
        "app = typer.Typer()\n"
        "@app.command()\n"
        "def wait():\n"
        "    with cli._told():\n"
        "        exec('raise KeyboardInterrupt')\n"
        "app()\n"
    )
    command = [sys.executable, "-m", "interrupted"]
    run = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=tmp_path, check=False)
    assert run.returncode == 130, run.stderr
    assert "Interrupted." in run.stderr


def test_an_interrupt_ends_two_training_threads_at_once_and_says_how_to_go_on(tmp_path: Path) -> None:
    options = ["--model", "small_cnn(width=32)", "--moves", "dropout", "--workers", "2", "--out", str(tmp_path / "run")]
    command = [sys.executable, "-m", "keras_recipe", "train", "digits", *options]
    path = tmp_path / "run" / journals.FILE
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), cwd=tmp_path
    ) as process:
        deadline = time.monotonic() + 120
        while not (path.is_file() and b"plan/overfit/chosen" in path.read_bytes()):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1.0)  # the other seeds are being trained
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "the same command goes on" in told
    assert "Traceback" not in told
    kept = journals.read(tmp_path / "run")
    assert any(isinstance(r, Trial) for r in kept)
    assert not any(isinstance(r, Evaluation) for r in kept)
    assert (tmp_path / "run" / "report.html").is_file()
