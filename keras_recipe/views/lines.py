"""One record as one readable line, without colour or width: what the console prints while a run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len, chop_cells

from keras_recipe.core.progress import Progress
from keras_recipe.core.records import CheckRun, Decision, Evaluation, Finding, LearningCurve, Plan, Record, Run, Trial
from keras_recipe.views import labels, tables
from keras_recipe.views.story import begun, hopeless
from keras_recipe.views.units import MINUS, Units, count, number, plural, seconds

MARKS = {"ok": "✓", "info": "i", "warning": "!", "error": "✗", "accepted": "+", "rejected": MINUS}
PLAIN = Units("score", higher_is_better=True, percent=False)
"""Units before a run's header has been seen."""


@dataclass(frozen=True)
class Entry:
    """A line: `kind` is a severity, "accepted", "rejected" or "", and chooses mark and colour."""

    kind: str
    text: str

    @property
    def mark(self) -> str:
        """One character that says the kind without colour."""
        return MARKS.get(self.kind, "·")


def entries(record: Record, units: Units, incumbent: Mapping[str, Any] | None = None) -> list[Entry]:
    """What to print about a record; nothing for a check that had nothing to say.

    A trial is named by what it changes of the incumbent's leaves, where these are given.
    """
    if isinstance(record, Run):
        return [Entry("", clean(_run(record)))]
    if isinstance(record, CheckRun):
        return [Entry(f.severity, clean(_finding(record, f))) for f in record.findings]
    if isinstance(record, Trial):
        return [Entry("", clean(_trial(record, units, incumbent)))]
    if isinstance(record, Decision):
        return [Entry("accepted" if record.accepted else "rejected", clean(_decision(record, units)))]
    if isinstance(record, LearningCurve):
        return [Entry("info", clean(f"{record.stage}: learning curve: {record.sentence}"))]
    if isinstance(record, Plan) and begun(record):
        return []
    if isinstance(record, Plan):
        return [Entry("", clean(_plan(record)))]
    return [Entry("ok", clean(score_line(record, units)))]


def clean(text: str) -> str:
    """One line without control characters: a class name must not move the cursor or change a title."""
    printable = "".join(c if c.isprintable() or c == "\u00a0" else " " for c in text)
    return " ".join(filter(None, printable.split(" ")))


def score_line(end: Evaluation, units: Units) -> str:
    """Test score with its interval."""
    interval = f"95 % interval {units.interval(end.low, end.high)}"
    return f"test {units.name} {units.score(end.score)} ({interval}, {plural(end.examples, 'example')})"


def progress_line(progress: Progress, units: Units = PLAIN, left: str = "") -> str:
    """What is under way, in one line, with the values that a person looks at.

    Args:
        progress: of a training run, or of another work.
        units: how scores are written.
        left: time to go, in words; "" where it is not known.
    """
    what, values, done, total = f"{progress.stage}: {progress.label}", progress.values, progress.done, progress.total
    to_go = f", {left} to go" if left else ""
    if not values:
        bar = tables.bar(done / max(total, 1)).ljust(tables.WIDE, "·")
        return clean(what + (f" {bar} {count(done)} of {count(total)}{to_go}" if total > 1 else ""))
    shown = [f"loss {number(values['loss'])}"] if "loss" in values else []
    shown += [f"validation {units.score(values['val_score'])}"] if "val_score" in values else []
    return clean(", ".join([what, f"epoch {done}/{total}{to_go}", *shown]))


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells, broken between words; a non-breaking space is not a place to break."""
    lines = [""]
    for word in text.split(" "):
        for piece in chop_cells(word, width) or [""]:
            joined = f"{lines[-1]} {piece}" if lines[-1] else piece
            if cell_len(joined) <= width:
                lines[-1] = joined
            else:
                lines.append(piece)
    return lines


def _run(run: Run) -> str:
    p = run.problem
    sizes = ", ".join(f"{count(n)} {part}" for part, n in (p.get("sizes") or {}).items())
    kinds = ", ".join(str(p[k]) for k in ("kind", "task") if p.get(k))
    budget = f", budget {seconds(run.budget)}" if run.budget else ""
    return f"{p.get('name', '')}: {kinds}; {sizes} examples; seed {run.seed}{budget}"


def _finding(check: CheckRun, finding: Finding) -> str:
    sides = [f"expected {finding.expected}"] if finding.expected else []
    sides += [f"measured {finding.measured}"] if finding.measured else []
    serious = finding.severity in ("warning", "error")
    hint = f" To do: {finding.hint}" if finding.hint and serious else ""
    said = f" ({', '.join(sides)})" if sides else ""
    word = f"{finding.severity}: " if serious else ""
    return f"{check.stage}: {word}{finding.message}{said}{hint}"


def _trial(t: Trial, units: Units, incumbent: Mapping[str, Any] | None) -> str:
    name = labels.relative(t.config, t.config if t.stage == "overfit" else incumbent or t.config)
    scores = f"validation {units.score(t.score)}, training {units.score(t.train_score)}"
    why = "" if t.stopped == "epochs" else f" ({t.stopped})"
    ran = f"{plural(t.epochs, 'epoch')}{why}, {seconds(t.seconds)}"
    return f"{t.stage}: {name}, seed {t.seed}: {scores}, {ran}"


def _decision(d: Decision, units: Units) -> str:
    word = "accepted" if d.accepted else "rejected"
    effect = f"{units.gain(d.effect)} [{units.gain_interval(d.low, d.high)}]"
    return f"{d.stage}: {word} {d.move}, {labels.change(d.change)}: {effect}, {plural(d.seeds, 'seed')}. {d.reason}"


def _plan(plan: Plan) -> str:
    value = f" {labels.value(plan.value)}" if plan.value not in (None, "") else ""
    if hopeless(plan):
        return f"{plan.stage}: gave up {labels.words(plan.name)}, {labels.change(plan.value)}: {plan.reason}"
    if plan.key.startswith("skip/"):
        return f"{plan.stage}: skipped {labels.words(plan.name)}: {plan.reason}"
    return f"{plan.stage}: {labels.words(plan.name)}{value}: {plan.reason}"
