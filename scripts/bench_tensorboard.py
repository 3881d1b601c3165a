"""What TensorBoard's logs cost: time of writing them, their size, and how soon they are seen.

    python -m keras_recipe train digits --budget 10m
    python scripts/bench_tensorboard.py runs/digits

1. The journal is played again, and the logs written as often as in the run itself. One of its trials is trained again,
   to see what its histograms take.
2. Its trials are repeated, each under a key of its own, until there are 200, and their logs are written.
   Writing is told in seconds of processor time, which neighbours on the machine do not change. What it is compared with
   is the processor time of training divided by the cores: training takes that long at least.
3. TensorBoard is started on these. Seconds until it lists all runs and, where Chromium is installed, until a page that
   is opened then has drawn its first curve, five times; the same for the few trials of the run, for comparison. These
   are seconds by the clock: do not have neighbours.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from keras_recipe.core import journal
from keras_recipe.core.journal import Journal
from keras_recipe.core.records import Decision, Evaluation, Record, Trial, from_json
from keras_recipe.views.tensorboard import write_tensorboard
from keras_recipe.watch import VIEWS_EVERY

TRIALS = 200

OPENED = 5
"""Times that the page is opened."""

FIRST_CURVE = r"/\d,\d\d\d/.test(document.querySelector('scalar-card')?.innerText ?? '')"
"""The first card has its curves once it tells the examples at the cursor."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a finished run of digits")
    parser.add_argument("--trials", type=int, default=TRIALS)
    args = parser.parse_args()
    replayed(args.run)
    seconds = measured(args.run)
    with tempfile.TemporaryDirectory() as folder:
        many(args.run, Path(folder), args.trials, seconds)
        opened(Path(folder) / "tensorboard", args.trials)
    opened(args.run / "tensorboard", len(journal.select(journal.read(args.run), Trial)))


def replayed(run: Path) -> None:
    """Write the logs of a run once more, at the moments at which they were written."""
    lines = (run / journal.FILE).read_bytes().splitlines()
    seconds, calls, last = 0.0, 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        for name in ("trials", "artifacts"):
            (directory / name).symlink_to((run / name).resolve())
        opened = Journal(directory)
        for index, line in enumerate(lines):
            values = json.loads(line)
            opened.append(from_json(values))
            if values["elapsed"] - last > VIEWS_EVERY or index == len(lines) - 1:
                last = values["elapsed"]
                took = timed(lambda: write_tensorboard(directory))
                seconds, calls = seconds + took, calls + 1
        opened.close()
    trials = journal.select(journal.read(run), Trial)
    training = sum(t.own_seconds for t in trials)
    print(f"{run}: {len(trials)} trials, {training:.1f} s of training, {last:.0f} s in all")
    print(f"  logs written {calls} times: {seconds:.2f} s = {seconds / training:.2%} of training")


def measured(run: Path) -> float:
    """Train one of the trials again, and time what is done for its histograms. Returns least seconds of a trial."""
    from keras_recipe import histograms
    from keras_recipe.core.config import Config
    from keras_recipe.data import load
    from keras_recipe.learner import Learner
    from keras_recipe.training import run_trial

    trial = journal.select(journal.read(run), Trial)[0]
    learner = Learner(load(str(journal.run_of(journal.read(run)).problem["name"])))
    config = Config.from_leaves(trial.config)
    around, spent = histograms.Watched.around, [0.0]

    def clocked(self: histograms.Watched, step: Callable[[], Any]) -> Any:
        inside = [0.0]

        def inner() -> Any:
            began = time.process_time()
            result = step()
            inside[0] += time.process_time() - began
            return result

        began = time.process_time()
        found = around(self, inner)
        spent[0] += time.process_time() - began - inside[0]
        return found

    histograms.Watched.around = clocked  # type: ignore[method-assign]
    began = time.process_time()
    outcome = run_trial(learner, config, trial.seed)
    seconds = (time.process_time() - began) / (os.cpu_count() or 1)
    histograms.Watched.around = around  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        spent[0] += timed(lambda: histograms.write(Path(folder), outcome.watched, outcome.histograms))
    print(f"  a trial of {config.model}, {config.epochs} epochs: {seconds:.1f} s at least")
    print(f"  its histograms: {spent[0]:.3f} s = {spent[0] / seconds:.2%}")
    return seconds


def many(run: Path, directory: Path, trials: int, least: float) -> None:
    """Logs of a run with so many trials, in `directory`."""
    records = journal.read(run)
    known = [r for r in records if isinstance(r, Trial)]
    decisions = [r for r in records if isinstance(r, Decision)]
    opened = Journal(directory)
    shutil.copytree(run / "artifacts", directory / "artifacts")
    (directory / "trials").mkdir()
    for record in (*records, *repeated(known, decisions, trials)):
        if isinstance(record, Evaluation):
            end = record
            continue
        opened.append(record)
        if isinstance(record, Trial):
            source = (run / "trials" / record.key.partition("@")[0]).resolve()
            (directory / "trials" / record.key).symlink_to(source)
    opened.append(end)
    opened.close()
    seconds = timed(lambda: write_tensorboard(directory))
    again = timed(lambda: write_tensorboard(directory))
    files = [p for p in (directory / "tensorboard").rglob("*") if p.is_file()]
    size = sum(p.stat().st_size for p in files) / 1e6
    print(f"{trials} trials: {size:.1f} MB in {len(files)} files, written in {seconds:.1f} s,")
    print(f"  {seconds / trials:.3f} s a trial = {seconds / trials / least:.2%} of it;")
    print(f"  a look at logs that are complete, once in {VIEWS_EVERY:.0f} s: {again:.2f} s = {again / VIEWS_EVERY:.2%}")


def repeated(trials: list[Trial], decisions: list[Decision], count: int) -> Iterator[Record]:
    """As many more trials as are missing, and a decision after every third."""
    for index in range(len(trials), count):
        trial = trials[index % len(trials)]
        seed = trial.seed + index
        yield replace(trial, key=f"{trial.key}@{index}", seed=seed, stage=("regularize", "squeeze")[index > count / 2])
        if index % 3 == 0 and decisions:
            decision = decisions[index % len(decisions)]
            yield replace(decision, key=f"{decision.key}@{index}", accepted=False)


def opened(logs: Path, trials: int) -> None:
    """Start TensorBoard on the logs and wait for what it shows."""
    with served(logs) as (address, began):
        while fetched(f"{address}/data/runs").count("seed") < trials:
            time.sleep(0.05)
        print(f"TensorBoard: all {trials} runs listed {time.perf_counter() - began:.1f} s after its start;")
        began = time.perf_counter()
        print(f"  {asked(address)} trials in its table of hyperparameters after {time.perf_counter() - began:.1f} s;")
        sys.path.append(str(Path(__file__).parent.parent))
        try:
            from tests.views.browser import PROGRAM, Browser
        except ImportError:
            PROGRAM = None  # noqa: N806
        if PROGRAM is None:
            print("  no Chromium, no page was opened")
            return
        seconds = []
        with Browser() as browser:
            browser.open("about:blank").wait("true")
            for _ in range(OPENED):
                began = time.perf_counter()
                page = browser.open(address)
                page.wait(FIRST_CURVE)
                seconds.append(time.perf_counter() - began)
                page.call("Page.navigate", url="about:blank")
        print(f"  a page has its first curves {min(seconds):.1f} to {max(seconds):.1f} s after it was opened")


@contextmanager
def served(logs: Path) -> Iterator[tuple[str, float]]:
    """A TensorBoard on loopback: its address, and when it was started."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.perf_counter()
    command = [sys.executable, "-m", "keras_recipe.views.serve", str(logs), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}", began
    finally:
        process.terminate()
        process.wait()


def fetched(address: str) -> str:
    """What is at the address; "" while nobody answers."""
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def asked(address: str) -> int:
    """Number of trials in the table of hyperparameters."""
    wanted = {"experimentName": "", "allowedStatuses": ["STATUS_UNKNOWN"], "colParams": [], "startIndex": 0}
    body = json.dumps(wanted | {"sliceSize": 10_000}).encode()
    request = urllib.request.Request(f"{address}/data/plugin/hparams/session_groups", body)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=120) as answer:
        return len(json.load(answer)["sessionGroups"])


def timed(work: Callable[[], object]) -> float:
    """Seconds of processor time that it takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
