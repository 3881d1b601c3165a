"""A diagnosis for a person to read."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from keras_recipe.core.diagnosis import Diagnosis, Fault

STYLES = {"ERROR": "bold red", "WARNING": "yellow", "INFO": "dim"}

RIVALS = ("constant", "linear", "nearest neighbours", "trees")
"""Figures of a diagnosis that are scores of simple models."""


def write(console: Console, found: Diagnosis) -> None:
    """Print a diagnosis: the verdict, what is wrong in order, the figures."""
    for part in rendered(found):
        console.print(part)


def rendered(found: Diagnosis) -> list[RenderableType]:
    """What `write` prints, from top to bottom."""
    return [_verdict(found), *(_fault(f) for f in found.faults), _figures(found)]


def sentence(found: Diagnosis) -> str:
    """The verdict in one line."""
    causes = [f.cause for f in found.faults if f.severity == "ERROR"]
    if causes:
        return "what is wrong: " + ", ".join(dict.fromkeys(causes))
    doubts = [f.cause for f in found.faults if f.severity == "WARNING"]
    if doubts:
        return "nothing is proved to be wrong; worth a look: " + ", ".join(dict.fromkeys(doubts))
    figures = found.figures
    symptoms = figures.get("symptoms") or []
    part = figures.get("steps", 0) < figures.get("planned steps", 0)
    watched = f" in the {figures['steps']:,} of {figures['planned steps']:,} steps that were watched" if part else ""
    if symptoms:
        return f"nothing is proved to be wrong{watched}, but {symptoms[0]}"
    return f"this job is healthy{watched}"


def _verdict(found: Diagnosis) -> RenderableType:
    where = f"{found.location}: " if found.location else ""
    style = "bold green" if found.ok else "bold red"
    return Text.assemble("\n", where, (sentence(found), style), f"  ({found.seconds:.0f} s)\n")


def _fault(fault: Fault) -> RenderableType:
    lines = [Text(fault.message)]
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    where = ", ".join(part for part in (fault.layer, fault.location) if part)
    for name, value in (
        ("where", where), ("expected", fault.expected), ("measured", fault.measured), ("to do", fault.hint),
        ("patch", fault.patch), ("instead", _instead(fault)), ("follows", "; ".join(fault.follows)),
    ):  # fmt: skip
        if value:
            table.add_row(name, Text(value, style="bold" if name == "patch" else ""))
    title = Text.assemble((fault.severity, STYLES[fault.severity]), " ", (fault.cause, "bold"))
    return Panel(Group(*lines, table), title=title, title_align="left", border_style=STYLES[fault.severity])


def _instead(fault: Fault) -> str:
    sets = fault.evidence.get("suffices as well") or []
    return "; ".join(" and ".join(names) for names in sets[:3])


def _figures(found: Diagnosis) -> RenderableType:
    figures = found.figures
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column(style="dim")

    def row(name: str, value: float | None, note: str = "") -> None:
        if value is not None:
            table.add_row(name, f"{value:.3f}", note)

    row("your model, held-out rows", figures.get("score"), found.unit)
    row("your model, training rows", figures.get("training score"), _gap(figures))
    for name in RIVALS:
        row(name, figures.get(name))
    if "best found" in figures and figures["best found"] > figures.get("score", 0) + 0.005:
        row("best repaired", figures["best found"])
    steps, planned = figures.get("steps"), figures.get("planned steps")
    note = f"{steps:,} of {planned:,} planned steps were watched" if steps and planned and steps < planned else ""
    lines = [f"\n{note}"] if note else []
    if found.fits > 1:
        lines.append(f"{found.fits} calls of fit in this script: --fit all looks at each of them")
    lines.append(f"{len(found.checked)} checks: {', '.join(found.checked)}")
    return Group(table, *(Text(line, style="dim") for line in lines))


def _gap(figures: dict[str, float]) -> str:
    train, score = figures.get("training score"), figures.get("score")
    if train is None or score is None:
        return ""
    if train - score > 0.05:
        return f"{train - score:.3f} above held-out rows: it overfits"
    return "no gap: it does not overfit"
