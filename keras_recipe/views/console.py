"""The console during a run: a line for every record, a live line for every trial that trains, a last word."""

from __future__ import annotations

import io
import math
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import accumulate, zip_longest
from pathlib import Path
from typing import Any

import rich.console
import rich.table
from rich.console import Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.text import Text

from keras_recipe.core.journal import evaluation_of
from keras_recipe.core.progress import Progress
from keras_recipe.core.records import CheckRun, Record, Run, Table, Trial
from keras_recipe.views import labels, tables
from keras_recipe.views.lines import MARKS, PLAIN, Entry, clean, entries, progress_line, wrap
from keras_recipe.views.story import incumbent, tell
from keras_recipe.views.units import NBSP, Units, plural, seconds
from keras_recipe.views.verdict import again, verdict

STYLES = {
    "ok": "green",
    "info": "blue",
    "warning": "yellow",
    "error": "bold red",
    "accepted": "green",
    "rejected": "dim",
}
BILL = 10
"""Moves on the bill that is printed at the end, at least as many as were accepted."""

ROWS = 8
"""Rows of a table that are printed."""

# A person reads no faster; a terminal over a slow line should not fall behind.
LIVE_EVERY = 0.25
# A log file is read afterwards: a sign of life is enough.
PLAIN_EVERY = 10.0
LIVE_LINES = 4
"""Lines that a trial may take: stage, move, change, epoch and score are then to be seen on a screen of 40 columns."""

# A line of a trial that has said nothing for so long is taken away: its thread went on to something else.
STALE_AFTER = 30.0


class Console:
    """Observes a run and prints to standard error. All methods may be called from any thread.

    Args:
        budget: seconds that the run may take.
        elapsed: seconds that it has taken so far.
        quiet: print nothing at all.
        tables: print the tables of findings, too, the first rows of them.
        output: where to print, for tests and notebooks; standard error by default.
    """

    def __init__(
        self,
        budget: float,
        elapsed: Callable[[], float],
        quiet: bool = False,
        output: rich.console.Console | None = None,
        tables: bool = False,
    ) -> None:
        self._tables = tables
        self._budget, self._elapsed, self._quiet = budget, elapsed, quiet
        # Who asks for colour in a log file asks for no line that is drawn again and again.
        screen = None if sys.stderr.isatty() else False
        self._output = output or rich.console.Console(stderr=True, highlight=False, force_interactive=screen)
        self._alive = self._output.is_interactive and not self._output.is_dumb_terminal
        self._units = PLAIN
        self._higher = True
        self._incumbent: dict[str, Any] | None = None
        self._move = ""
        self._best: float | None = None
        self._lock = threading.RLock()
        self._rows: dict[int, tuple[float, str]] = {}
        self._begun: dict[int, tuple[str, int, float]] = {}
        self._shown = -PLAIN_EVERY
        self._live: Live | None = None

    def record(self, record: Record) -> None:
        """Print a journal record. The header (Run) comes first, on resume too: it says how scores are written."""
        with self._lock:
            if isinstance(record, Run):
                self._units, self._higher = Units.of(record), record.objective.higher_is_better
            self._note_best(record)
            self._rows.pop(threading.get_ident(), None)
            shown = record.findings if self._tables and isinstance(record, CheckRun) else ()
            for entry, finding in zip_longest(entries(record, self._units, self._incumbent), shown):
                self._print(entry)
                if finding is not None and finding.table is not None:
                    self._print_table(finding.table)
            self._incumbent = incumbent(self._incumbent, record)
            if self._live is not None:
                self._refresh()

    def _note_best(self, record: Record) -> None:
        if isinstance(record, Trial) and record.config.get("train_share", 1.0) == 1.0 and math.isfinite(record.score):
            pick = max if self._higher else min
            self._best = record.score if self._best is None else pick(self._best, record.score)

    def trying(self, move: str) -> None:
        """Name this move before the trials that follow."""
        with self._lock:
            self._move = labels.words(move)

    def progress(self, progress: Progress) -> None:
        """Show how far a trial is: on a terminal live lines, elsewhere a plain line now and then."""
        if self._quiet:
            return
        with self._lock:
            now = time.monotonic()
            if progress.config is not None:
                what = f"{labels.relative(progress.config, self._incumbent or progress.config)}, {progress.label}"
                progress = replace(progress, label=f"{self._move}: {what}" if self._move else what)
            line = progress_line(progress, self._units, self._to_go(progress, now))
            self._rows[threading.get_ident()] = (now, line)
            if now - self._shown < (LIVE_EVERY if self._alive else PLAIN_EVERY):
                return
            self._shown = now
            if self._alive:
                self._refresh()
            else:
                self._print(Entry("", ", ".join(filter(None, [line, self._standing()]))))

    def _to_go(self, progress: Progress, now: float) -> str:
        """How long it takes at its own pace since it was first heard of; "" before that is known."""
        known, done, total = self._begun.get(threading.get_ident()), progress.done, progress.total
        what = f"{progress.stage} {progress.label} {total}"
        if known is None or known[0] != what or done < known[1]:
            self._begun[threading.get_ident()] = (what, done, now)
            return ""
        _, first, began = known
        return seconds((now - began) / (done - first) * (total - done)) if first < done < total else ""

    def _standing(self) -> str:
        """The best validation score so far, and what is left of the budget."""
        left = max(self._budget - self._elapsed(), 0.0)
        parts = [f"best {self._units.score(self._best)}"] if self._best is not None else []
        parts += [f"{seconds(left)} of {seconds(self._budget)} left"] if self._budget else []
        return ", ".join(parts)

    def reused(self, count: int) -> None:
        """Say how many records of an earlier process are used again."""
        if count:
            with self._lock:
                self._print(Entry("", f"{plural(count, 'record')} of an earlier run of this command reused"))

    def close(self) -> None:
        """Take the live lines away. Printing goes on to work."""
        with self._lock:
            self._rows.clear()
            if self._live is not None:
                self._live.stop()
                self._live = None

    def _print(self, entry: Entry) -> None:
        if self._quiet:
            return
        clock = f"{_clock(self._elapsed())} "
        # A log file is as wide as its reader's screen, and is searched line by line.
        room = max(self._output.width - len(clock) - 2, 12) if self._alive else 0
        first, *rest = wrap(entry.text, room) if room else [entry.text]
        # Text objects, not markup: a class may be called "[red]".
        line = Text.assemble((clock, "dim"), (f"{entry.mark} ", STYLES.get(entry.kind, "dim")), (first, _tone(entry)))
        for more in rest:
            line.append(f"\n{' ' * (len(clock) + 2)}{more}", _tone(entry))
        self._output.print(line, soft_wrap=True)

    def _print_table(self, table: Table) -> None:
        if self._quiet or not table.rows:
            return
        fitting = _fitting(table, self._output.width - 8)
        drawn = rich.table.Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
        for name, right in list(zip(table.columns, tables.numeric(table), strict=True))[:fitting]:
            drawn.add_column(
                Text(clean(name)), justify="right" if right else "left", no_wrap=True, overflow="ellipsis", max_width=28
            )
            if name == table.bars:
                drawn.add_column("", no_wrap=True, overflow="crop")
        for row in tables.cells(table)[:ROWS]:
            shown = row[:fitting]
            cells = [(Text(clean(c.text)), Text(tables.bar(c.share)) if c.share is not None else None) for c in shown]
            drawn.add_row(*(text for pair in cells for text in pair if text is not None))
        self._output.print(Padding(drawn, (0, 0, 0, 8)))
        left = [(len(table.rows) - ROWS, "row"), (len(table.columns) - fitting, "column")]
        more = " and ".join(plural(n, noun) for n, noun in left if n > 0)
        if more:
            self._output.print(Text(f"        {more} more in the report", "dim"))

    def _refresh(self) -> None:
        if self._live is None:
            self._live = Live(console=self._output, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(self._board(), refresh=True)

    def _board(self) -> RenderableType:
        fresh = time.monotonic() - STALE_AFTER
        rows = [line for seen, line in self._rows.values() if seen > fresh]
        room = max(self._output.width - 4, 12)
        lines = [f"  {part}" if first else f"    {part}" for row in rows for first, part in _folded(row, room)]
        standing = [f"  {part}" for part in wrap(self._standing(), room)] if self._standing() else []
        return Group(*(Text(line, "dim", no_wrap=True, overflow="ellipsis") for line in [*lines, *standing]))


def _folded(row: str, room: int) -> list[tuple[bool, str]]:
    """A live row in at most LIVE_LINES lines, and whether each is the first."""
    parts = wrap(row, room)
    return [(i == 0, part) for i, part in enumerate(parts[:LIVE_LINES])]


def _fitting(table: Table, room: int) -> int:
    """How many columns there is room for, at least two."""
    widths = [
        min(28, max([len(name), *(len(row[i].text) for row in tables.cells(table)[:ROWS])])) + 2
        for i, name in enumerate(table.columns)
    ]
    return max(2, sum(1 for end in accumulate(widths) if end <= room))


def _tone(entry: Entry) -> str:
    """Only what stops the run, or led nowhere, is coloured as a whole."""
    return STYLES[entry.kind] if entry.kind in ("error", "rejected") else ""


def summary(records: Iterable[Record], model: Path, report: Path, tensorboard: Path) -> str:
    """The last lines of a run: what was reached and where everything is. Paths are never broken."""
    records = list(records)
    told = tell(records)
    units = Units.of(told.run)
    lines = [clean(text) for text in (verdict(told, units), again(told, units)) if text]
    end = evaluation_of(records)
    if end is not None:
        lines += [
            "",
            f"test {units.name}  {units.score(end.score)}  (95{NBSP}% interval {units.interval(end.low, end.high)})",
        ]
        lines += [f"model        {model}"]
    if told.curve is not None:
        lines += [f"more data    {told.curve.sentence}"]
    lines += [f"report       {report}", f"TensorBoard  {tensorboard}"]
    return "\n".join(lines)


def bill(records: Iterable[Record], width: int) -> str:
    """The moves of a run and what they cost, for a screen of so many columns: the accepted ones, and of the others
    those with the largest effects, BILL lines in all; how many more there were, and where the time went."""
    told = tell(list(records))
    units = Units.of(told.run)
    total = sum(c.seconds for c in told.charges)
    tried = [(c, c.decision) for c in told.charges if c.decision is not None]
    if not tried or not total:
        return ""
    # A rejected move with its interval around 0 is worth less of a narrow screen than an accepted one.
    ranked = sorted(tried, key=lambda t: (not t[1].accepted, -abs(t[1].effect)))
    shown = [t for t in tried if t in ranked[: max(BILL, sum(d.accepted for _, d in tried))]]
    out = rich.console.Console(file=io.StringIO(), width=width, color_system=None, highlight=False, _environ={})
    table = rich.table.Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading, right in (("move", False), ("gain (95% interval)", False), ("seeds", True), ("time", True)):
        table.add_column(heading, justify="right" if right else "left", overflow="fold", no_wrap=heading == "time")
    for charge, d in shown:
        mark = MARKS["accepted" if d.accepted else "rejected"]
        name = clean(f"{mark} {labels.words(d.move)}, {labels.change(d.change)}")
        gain = f"{units.gain(d.effect)} ({units.gain_interval(d.low, d.high)})"
        table.add_row(Text(name), Text(gain), str(d.seeds), seconds(charge.seconds))
    out.print(table)
    rejected, left = sum(not d.accepted for _, d in tried), len(tried) - len(shown)
    skips = sum(len(c.names) for c in told.charges if c.what == "skipped")
    counts = f"{len(tried) - rejected} accepted, {rejected} rejected" + (f", {left} of them not shown" if left else "")
    counts += f"; {skips} skipped" if skips else ""
    stages = dict.fromkeys(c.stage for c in told.charges)
    costs = {s: sum(c.seconds for c in told.charges if c.stage == s) for s in stages}
    parts = ", ".join(f"{s} {seconds(cost)} ({cost / total:.0%})" for s, cost in costs.items() if cost)
    for line in (counts, f"work: {parts}"):
        out.print(Text(clean(line)))
    text: str = out.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines())


def _clock(elapsed: float) -> str:
    whole = int(elapsed)
    clock = f"{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 3600}:{clock}" if whole >= 3600 else clock
