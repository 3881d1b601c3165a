"""TensorBoard logs of a run, from its journal. Call it after every record: what is written already is left alone.

One run a trial (`regularize/03-dropout-0.2-seed0-1f2e3d`), two for what checks found (`findings` and `pictures`:
TensorBoard takes a tag of a run for one kind of data only), one for the decisions (`decisions`) and one for the end
(`final`). A journal only grows, so a record's file, once written, stays right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_recipe.core import journal
from keras_recipe.core.records import CheckRun, Decision, Evaluation, LearningCurve, Record, Run, Table, Trial
from keras_recipe.views import labels, story, tables
from keras_recipe.views.confusion_image import confusion_png
from keras_recipe.views.events import Point, curve, escape, hparams, image, is_scalar, scalar, table, text, write_events
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
    for name, trial in trial_runs(records):
        write_events(_file(logs / name, 0), _trial(trial, name))
    _write_test_score(records, logs)


def trial_runs(records: list[Record]) -> Iterator[tuple[str, Trial]]:
    """Trials with the name of their run. A name depends on earlier records only, so it never changes."""
    leaves: dict[str, Any] | None = None
    number: Counter[str] = Counter()
    for record in records:
        if isinstance(record, Trial):
            number[record.stage] += 1
            label = labels.folder(record.config, None if record.stage == "overfit" else leaves)
            name = f"{number[record.stage]:02d}-{label}-seed{record.seed}-{labels.key6(record.key)}"
            yield f"{record.stage}/{name}", record
        leaves = story.incumbent(leaves, record)


def _file(run: Path, index: int) -> Path:
    # TensorBoard reads the files of a run in the order of their names.
    return run / f"events.out.tfevents.{index:010d}.keras_recipe"


def _trial(trial: Trial, name: str) -> Iterator[Point]:
    yield hparams(_hparams(trial), name.rpartition("/")[2])
    for quantity in ("loss", "score"):
        yield from curve(f"{quantity}/train", trial.history.get(quantity, []), trial.examples)
        yield from curve(f"{quantity}/validation", trial.history.get(f"val_{quantity}", []), trial.examples)
    end = trial.examples * trial.best_epoch
    yield scalar("kept weights/validation score", end, trial.score)
    yield scalar("kept weights/train score", end, trial.train_score)
    yield scalar("kept weights/validation loss", end, trial.loss)
    yield scalar("kept weights/train loss", end, trial.train_loss)


def _hparams(trial: Trial) -> dict[str, bool | int | float | str]:
    leaves = {name: value if is_scalar(value) else labels.value(value) for name, value in trial.config.items()}
    return {name: value if value != "" else "none" for name, value in leaves.items()} | {"seed": trial.seed}


def _write_test_score(records: list[Record], logs: Path) -> None:
    """The test score as a further file in the run of its trial, so that it is a column of the HParams table."""
    end = journal.evaluation_of(records)
    if end is None:
        return
    for name, trial in trial_runs(records):
        if trial.key == end.trial:
            point = scalar("kept weights/test score", trial.examples * trial.best_epoch, end.score)
            write_events(_file(logs / name, 1), [point])


def _findings(check: CheckRun) -> Iterator[Point]:
    rows = [[f.severity, f.message, f.expected, f.measured, f.hint] for f in check.findings]
    if rows:
        yield text(_tag(check), table(["severity", "finding", "expected", "measured", "to do"], rows))
    shown = [(f.message, f.table) for f in check.findings if f.table is not None and f.table.rows]
    for number, (message, data) in enumerate(shown, start=1):
        name = f"{_tag(check)}/table" if number == 1 else f"{_tag(check)}/table {number}"
        yield text(name, f"{escape(message)}\n\n{_data(data)}")


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
        name = _tag(check) if number == 1 else f"{_tag(check)}/{number}"
        yield _picture(name, directory, str(finding.artifact), finding.message)


def _tag(check: CheckRun) -> str:
    return f"{check.stage}/{check.check}"


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
    tag = f"{decision.stage}/{index:04d} {decision.move}"
    yield text(tag, table(DECISION, [_decision_row(decision, units)]))


def _curve(curve: LearningCurve, index: int, units: Units) -> Iterator[Point]:
    rows = [
        [f"{p.examples:,}", units.score(p.score), units.interval(p.low, p.high), str(p.seeds or "forecast")]
        for p in (*curve.points, *curve.forecast)
    ]
    shown = table(["examples", units.name, "95 % interval", "seeds"], rows)
    yield text(f"{curve.stage}/{index:04d} learning curve", f"{escape(curve.sentence)}\n\n{shown}")


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
    yield text("final/decisions", table(DECISION, rows))
    yield text("final/score", _scores(records, end, units))
    if end.confusion:
        yield image("final/confusion_matrix", confusion_png(end.confusion, _classes(run, len(end.confusion))))
    if end.artifact:
        yield _picture("final/confident_mistakes", directory, end.artifact, "The most confident mistakes.")


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
