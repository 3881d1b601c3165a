"""TensorBoard logs of a run, from its journal and the arrays beside it. Call it after every record: what is written
already is left alone.

One run a trial (`regularize/003-dropout-0.2-seed0-1f2e3d`), two for what checks found (`findings` and `pictures`:
TensorBoard takes a tag of a run for one kind of data only), one for the decisions (`decisions`) and one for the end
(`final`). A journal only grows, so a record's file, once written, stays right.

TensorBoard has no order but that of names. Numbers put the objective's curves first. A bracket puts the results behind
all of these on the first page, and before all of them in the table of hyperparameters, which sorts by character.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from keras_recipe.core import journal
from keras_recipe.core.records import CheckRun, Decision, Evaluation, LearningCurve, Record, Run, Table, Trial
from keras_recipe.views import labels, story, tables
from keras_recipe.views.confusion_image import confusion_png
from keras_recipe.views.embedding import precision_recall, write_embedding
from keras_recipe.views.events import (
    Point,
    curve,
    escape,
    histogram,
    hparams,
    image,
    is_scalar,
    layout,
    pr_curve,
    scalar,
    table,
    text,
    write_events,
)
from keras_recipe.views.pictures import content
from keras_recipe.views.units import Units, seconds
from keras_recipe.views.verdict import verdict

FOLDER = "tensorboard"

MOST_ROWS = 50
"""Rows of a table that TensorBoard shows."""


def write_tensorboard(directory: Path) -> Path:
    """Write what is not there yet of a run's TensorBoard logs, and return their folder.

    Raises RecipeError where there is no journal, OSError where the directory is not writable.
    """
    records = journal.read(directory)
    logs = directory / FOLDER
    logs.mkdir(exist_ok=True)
    if records:
        _write(records, directory, logs)
    return logs


def _write(records: list[Record], directory: Path, logs: Path) -> None:
    units = Units.of(journal.run_of(records))
    for index, record in enumerate(records):
        if isinstance(record, CheckRun):
            write_events(_file(logs / "findings", index), _findings(record))
            write_events(_file(logs / "pictures", index), _pictures(record, directory))
        elif isinstance(record, Decision):
            write_events(_file(logs / "decisions", index), _decision(record, index, units))
        elif isinstance(record, LearningCurve):
            write_events(_file(logs / "decisions", index), _curve(record, index, units))
        elif isinstance(record, Evaluation):
            write_events(_file(logs / "final", index), _final(records, record, directory, units))
            write_embedding(directory, logs / "final")
    begun: set[str] = set()
    for name, trial in trial_runs(records):
        first = trial.stage not in begun
        begun.add(trial.stage)
        write_events(_file(logs / name, 0), _trial(trial, name, units, first))
        write_events(_file(logs / name, 2), _histograms(trial, directory))
    _write_test_score(records, logs, units)


def trial_runs(records: list[Record]) -> Iterator[tuple[str, Trial]]:
    """Trials with the name of their run. A name depends on earlier records only, so it never changes."""
    leaves: dict[str, Any] | None = None
    number: Counter[str] = Counter()
    for record in records:
        if isinstance(record, Trial):
            number[record.stage] += 1
            label = labels.folder(record.config, None if record.stage == "overfit" else leaves)
            name = f"{number[record.stage]:03d}-{label}-seed{record.seed}-{labels.key6(record.key)}"
            yield f"{record.stage}/{name}", record
        leaves = story.incumbent(leaves, record)


def _file(run: Path, index: int) -> Path:
    # TensorBoard reads the files of a run in the order of their names.
    return run / f"events.out.tfevents.{index:010d}.keras_recipe"


def _trial(trial: Trial, name: str, units: Units, first: bool) -> Iterator[Point]:
    yield hparams(_hparams(trial), _group(trial, name))
    charts = {units.name: _tags(f"1 {units.name}", trial.stage), "loss": _tags("2 loss", trial.stage)}
    if first:  # of its stage
        yield layout(f"{trial.stage}: training against validation", charts)
    curves = [
        curve(tag, trial.history.get(name, []), trial.examples)
        for tags, quantity in zip(charts.values(), ("score", "loss"), strict=True)
        for tag, name in zip(tags, (quantity, f"val_{quantity}"), strict=True)
    ]
    for points in zip_longest(*curves):  # those of one epoch go into one event
        yield from filter(None, points)
    end = trial.examples * trial.best_epoch
    yield scalar(f"(objective)/validation {units.name}", end, trial.score)
    yield scalar(f"(result)/train {units.name}", end, trial.train_score)
    yield scalar("(result)/validation loss", end, trial.loss)
    yield scalar("(result)/train loss", end, trial.train_loss)


def _tags(group: str, stage: str) -> tuple[str, str]:
    """Of the curves of a stage's trials, in a group."""
    return f"{group}/{stage}, train", f"{group}/{stage}, validation"


def _group(trial: Trial, name: str) -> str:
    """A short name for the table of hyperparameters, whose columns are narrow, and no other trial's."""
    number = name.rpartition("/")[2].partition("-")[0]
    return f"{trial.stage} {number} {labels.key6(trial.key)}"


def _hparams(trial: Trial) -> dict[str, bool | int | float | str]:
    leaves = {name: value if is_scalar(value) else labels.value(value) for name, value in trial.config.items()}
    leaves = {name: value if value != "" else "none" for name, value in leaves.items()}
    return leaves | {"seed": trial.seed, "stage": trial.stage}


KINDS = {
    "5 weights": "",
    "6 gradients": "As the optimizer saw them, in one step.",
    "7 updates": "log10 of the change of a weight in one step over the root mean square of all in its matrix: "
    "about -3 is healthy.",
}
"""Of the histograms beside a trial, in their order, with what TensorBoard says of them."""


def _histograms(trial: Trial, directory: Path) -> Iterator[Point]:
    path = directory / "trials" / trial.key / "histograms.npz"
    if not path.is_file():
        return
    with np.load(path, allow_pickle=False) as arrays:
        names, epochs, points = arrays["names"], arrays["epochs"], arrays["points"]
    for epoch, point in zip(epochs, points, strict=True):
        for (group, said), rows in zip(KINDS.items(), point, strict=True):
            for name, (low, high, *counts) in zip(names, rows, strict=True):
                if any(counts):
                    step = int(epoch) * trial.examples
                    yield histogram(f"{group}/{name}", step, float(low), float(high), np.array(counts), said)


def _write_test_score(records: list[Record], logs: Path, units: Units) -> None:
    """The test score as a further file in the run of its trial, so that it is a column of the HParams table."""
    end = journal.evaluation_of(records)
    if end is None:
        return
    for name, trial in trial_runs(records):
        if trial.key == end.trial:
            point = scalar(f"(result)/test {units.name}", trial.examples * trial.best_epoch, end.score)
            write_events(_file(logs / name, 1), [point])


def _findings(check: CheckRun) -> Iterator[Point]:
    rows = [[f"{f.severity}: {f.message}", f.expected, f.measured, f.hint] for f in check.findings]
    if rows:
        yield text(f"3 findings/{_tag(check)}", table(["finding", "expected", "measured", "to do"], rows))
    shown = [(f.message, f.table) for f in check.findings if f.table is not None and f.table.rows]
    for number, (message, data) in enumerate(shown, start=1):
        name = f"{_tag(check)}, table" if number == 1 else f"{_tag(check)}, table {number}"
        yield text(f"3 findings/{name}", f"{escape(message)}\n\n{_data(data)}")


def _data(data: Table) -> str:
    """A finding's table in markdown, bars as block characters."""
    rows = [
        [f"{tables.bar(cell.share)} {cell.text}" if cell.share is not None else cell.text for cell in row]
        for row in tables.cells(data)
    ]
    left = len(rows) - MOST_ROWS
    more = f"\n\nand {left:,} more" if left > 0 else ""
    return table(data.columns, rows[:MOST_ROWS]) + more


def _pictures(check: CheckRun, directory: Path) -> Iterator[Point]:
    shown = [f for f in check.findings if f.artifact]
    for number, finding in enumerate(shown, start=1):
        name = _tag(check) if number == 1 else f"{_tag(check)}, {number}"
        yield _picture(f"4 pictures/{name}", directory, str(finding.artifact), finding.message)


def _tag(check: CheckRun) -> str:
    return f"{check.stage}, {labels.words(check.check)}"


def _picture(tag: str, directory: Path, path: str, description: str) -> Point:
    data = content(directory, path)
    try:
        return (
            image(tag, data, description) if isinstance(data, bytes) else text(tag, escape(f"Picture {path} {data}."))
        )
    except OSError:
        return text(tag, escape(f"Picture {path} cannot be decoded."))


def _decision(decision: Decision, index: int, units: Units) -> Iterator[Point]:
    # A tag of its own: TensorBoard keeps only ten texts of one tag.
    tag = f"2 decisions/{index:04d} {decision.stage}, {labels.words(decision.move)}"
    yield text(tag, table(DECISION, [_decision_row(decision, units)]))


def _curve(curve: LearningCurve, index: int, units: Units) -> Iterator[Point]:
    rows = [
        [f"{p.examples:,}", units.score(p.score), units.interval(p.low, p.high), str(p.seeds or "forecast")]
        for p in (*curve.points, *curve.forecast)
    ]
    shown = table(["examples", units.name, "95 % interval", "seeds"], rows)
    yield text(f"2 decisions/{index:04d} {curve.stage}, learning curve", f"{escape(curve.sentence)}\n\n{shown}")


DECISION = ["move", "change", "expected", "gain", "95 % interval", "seeds", "cost", "decision", "reason"]


def _decision_row(d: Decision, units: Units) -> list[str]:
    word = "accepted" if d.accepted else "rejected"
    return [
        d.move,
        labels.change(d.change),
        units.gain(d.expected) if d.expected is not None else "",
        units.gain(d.effect),
        units.gain_interval(d.low, d.high),
        str(d.seeds),
        seconds(d.seconds),
        word,
        d.reason,
    ]


def _final(records: list[Record], end: Evaluation, directory: Path, units: Units) -> Iterator[Point]:
    run = journal.run_of(records)
    rows = [_decision_row(d, units) for d in journal.select(records, Decision)]
    yield text("1 result/verdict", _scores(records, end, units))
    if rows:
        yield text("2 decisions/all", table(DECISION, rows))
    if end.confusion:
        yield image("3 final/confusion matrix", confusion_png(end.confusion, _classes(run, len(end.confusion))))
    if end.artifact:
        yield _picture("3 final/worst mistakes", directory, end.artifact, "The most confident mistakes.")
    for name, counts in precision_recall(directory).items():
        yield pr_curve(f"test split/{name}", counts, f"{name} against all others, on the test split.")


def _scores(records: list[Record], end: Evaluation, units: Units) -> str:
    told = story.tell(records)
    rows = [["test", f"{units.score(end.score)} ({units.interval(end.low, end.high)})"]]
    rows += [["validation", units.score(end.validation_score)]]
    rows += [[name.replace("_", " "), units.score(value)] for name, value in end.baselines.items()]
    if told.human_score is not None:
        rows += [["a person", units.score(told.human_score)]]
    return f"{escape(verdict(told, units))}\n\n{table(['what', units.name], rows)}"


def _classes(run: Run, number: int) -> list[str]:
    names = [str(name) for name in run.problem.get("classes") or []]
    return names if len(names) == number else [str(i) for i in range(number)]
