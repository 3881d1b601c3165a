"""Values as a notebook shows them: the templates and the style of the report, kept to the cell that they stand in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from keras_recipe.core import journal
from keras_recipe.core.diagnosis import Diagnosis
from keras_recipe.core.records import CheckRun, Decision, Finding
from keras_recipe.views import charts, labels, tables
from keras_recipe.views.diagnosis import RIVALS, sentence
from keras_recipe.views.lines import PLAIN
from keras_recipe.views.pictures import Picture
from keras_recipe.views.report import FILE, context, environment, stylesheet
from keras_recipe.views.story import tell
from keras_recipe.views.units import number

SEVERITIES = {"ERROR": "error", "WARNING": "warning", "INFO": "info"}


def problem(summary: Mapping[str, Any], findings: Sequence[Finding]) -> str:
    """A problem: what it is of, how it is split, and what reading the data has shown."""
    return _page("problem", problem=summary, findings=findings)


def findings(found: Sequence[Finding]) -> str:
    """Findings, one below the other."""
    return _page("findings", findings=found)


def checks(runs: Sequence[CheckRun]) -> str:
    """Checks with their findings; those that had nothing to say are left out."""
    return _page("checks", runs=[r for r in runs if r.findings])


def decision(made: Decision) -> str:
    """A move judged: expected and measured gain with its interval, and the reason."""
    axis, span = charts.decision_axis([made])
    return _page("decision", d=made, placed=span(made), zero=axis.zero)


def result(directory: Path) -> str:
    """The first screen of a run's report."""
    return _page("result", **context(tell(journal.read(directory)), directory), to=f"{directory / FILE}#")


def diagnosis(found: Diagnosis) -> str:
    """The verdict, what is wrong with its proof, and the figures."""
    names = ("score", "training score", *RIVALS, "best found")
    figures = [(name, number(float(found.figures[name]))) for name in names if found.figures.get(name) is not None]
    return _page("diagnosis", found=found, said=sentence(found), figures=figures, severities=SEVERITIES)


def _page(what: str, **values: Any) -> str:
    known = {"charts": charts, "labels": labels, "tables": tables, "units": PLAIN, "picture": _elsewhere}
    page = environment().get_template("notebook.html.j2").render(what=what, css=Markup(_scoped()), **known | values)
    return page.strip()


def _scoped() -> str:
    """The report's style, nested below one class: a notebook's own headings and tables stay as they are."""
    nested = stylesheet().replace(":root", "&").replace("\nbody {", "\n& {").replace("  body {", "  & {")
    return f".keras-recipe {{ {nested} & {{ margin: 0; padding: .25rem .75rem .75rem; max-width: none; }} }}"


def _elsewhere(path: str) -> Picture:
    """A record does not know where its run is."""
    return Picture(path, "", "is in the run directory, and in its report")
