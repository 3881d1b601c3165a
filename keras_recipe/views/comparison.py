"""A comparison of runs for a person to read: lines that fit any screen."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from keras_recipe.core.comparison import Comparison, Contrast
from keras_recipe.views import labels
from keras_recipe.views.lines import clean
from keras_recipe.views.units import NAMES, PERCENT, Units, count

STYLES = {"better": "green", "worse": "bold red", "not distinguishable": ""}


def write(console: Console, found: Comparison) -> None:
    """Print scores, verdicts, and what differs."""
    console.print(_scores(found))
    console.print()
    for contrast in found.contrasts:
        console.print(Text(sentence(found, contrast), STYLES[contrast.verdict]))
    for note in found.notes:
        console.print(Text(clean(note), "yellow"))
    for title, rows in (("data", found.data), ("config", found.config), ("run", found.run)):
        console.print()
        if not rows:
            console.print(Text(f"{title}: no difference"))
            continue
        console.print(Text(f"{title}:", "bold"))
        for name, values in rows.items():
            shown = " → ".join(_short(v) for v in values)
            console.print(Text.assemble("  ", (clean(labels.words(name)), "dim"), "  ", clean(shown)))


def sentence(found: Comparison, contrast: Contrast) -> str:
    """Who is better, by how much, on what, and how that was compared."""
    units = _units(found.metric, found.higher_is_better)
    word = {"better": "better than", "worse": "worse than"}.get(contrast.verdict, "not distinguishable from")
    gain = f"{units.gain(contrast.gain)} ({units.gain_interval(contrast.low, contrast.high)})"
    how = f"paired on the same {count(contrast.examples)} {contrast.split} examples"
    if not contrast.paired:
        how = f"{contrast.split} splits compared as a whole, unpaired: {contrast.why}"
    return clean(f"{contrast.directory} is {word} {found.sides[0].directory}: {gain}, {how}")


def _scores(found: Comparison) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("run", overflow="fold")
    for heading in ("test score", "95 % interval", "validation", "metric"):
        table.add_column(heading, justify="right")
    for s in found.sides:
        units = _units(s.data["metric"], found.higher_is_better)
        scored = s.score is not None and s.low is not None and s.high is not None
        table.add_row(
            Text(clean(s.directory)),
            units.score(s.score) if s.score is not None else "not read",
            units.interval(s.low or 0.0, s.high or 0.0) if scored else "",
            units.score(s.validation) if s.validation is not None else "",
            units.name,
        )
    return table


def _units(metric: str, higher_is_better: bool) -> Units:
    return Units(NAMES.get(metric, metric.replace("_", " ")), higher_is_better, metric in PERCENT)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        value = ", ".join(f"{k} {labels.value(v)}" for k, v in value.items())
    text = labels.value(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
