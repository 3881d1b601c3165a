"""report.html: one self-contained page that tells a run from its journal. Nothing in it is read back by anything."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from keras_recipe.core import journal
from keras_recipe.core.whole import whole
from keras_recipe.views import charts, labels, scoreboard, tables, units
from keras_recipe.views.confusion import Confusion, confusion
from keras_recipe.views.next_steps import steps
from keras_recipe.views.outcomes import outcomes, tried
from keras_recipe.views.pictures import Album
from keras_recipe.views.story import Charge, Story, bill, grave, hopeless, one_per_config, skipped, suspicions, tell
from keras_recipe.views.verdict import again, gap, gap_size, verdict, wrong

FILE = "report.html"
HERE = Path(__file__).parent

MOST_SUSPECTS = 10
"""Labels that look wrong and are listed; suspects.csv has all of them."""


def write_report(directory: Path) -> Path:
    """Write the report of a run directory, finished or not, and return its path.

    Raises RecipeError where there is no journal, OSError where the directory is not writable.
    """
    page = render(tell(journal.read(directory)), directory)
    path = directory / FILE
    with whole(path) as draft:
        draft.write_text(page, encoding="utf-8")
    return path


def render(story: Story, directory: Path) -> str:
    """The page as HTML; pictures are looked up in `directory`."""
    return environment().get_template("report.html.j2").render(**context(story, directory), css=stylesheet(), to="#")


def context(story: Story, directory: Path) -> dict[str, Any]:
    """What the templates of a run speak of."""
    own = units.Units.of(story.run)
    return {
        "story": story,
        "run": story.run,
        "final": story.evaluation,
        "best": story.best,
        "units": own,
        "verdict": verdict(story, own),
        "gap": gap(story, own),
        "gap_size": gap_size(story, own),
        "again": again(story, own),
        "board": scoreboard.board(story, own),
        "tried": tried(story),
        "wrong": wrong(story, own),
        "steps": steps(story, own),
        "outcomes": outcomes(story, own),
        "suspicions": suspicions(story),
        "most_suspects": MOST_SUSPECTS,
        "confusion": _confusion(story),
        "mistakes_title": _mistakes_title(story),
        "no_curve": _no_curve(story),
        "bill": bill(story.stages, story.evaluation),
        "charges": story.charges,
        "reproduce": _reproduce(story),
        "seeds": _seeds(story),
        "one_per_config": one_per_config,
        "skipped": skipped,
        "hopeless": hopeless,
        "picture": _album(story, directory).picture,
        "charts": charts,
        "labels": labels,
        "tables": tables,
    }


def stylesheet() -> str:
    """The style of everything that is HTML."""
    return (HERE / "report.css").read_text(encoding="utf-8")


def _album(story: Story, directory: Path) -> Album:
    """What the model gets wrong is shown whatever else there is no room for."""
    album = Album(directory)
    for path in (
        *(story.evaluation.pictures if story.evaluation is not None else ()),
        *(f.artifact for _, f in suspicions(story) if f.artifact),
    ):
        album.picture(path)
    return album


def _mistakes_title(story: Story) -> str:
    return "Largest errors" if story.run.problem.get("task") == "regression" else "Most confident mistakes"


def _no_curve(story: Story) -> str:
    """Why there is no learning curve over parts of the data."""
    plans = [p for s in story.stages for p in s.plans if p.name == "learning_curve" and skipped(p)]
    return plans[-1].reason if plans else ""


def _seeds(story: Story) -> list[int]:
    """Seeds of the trials that the model is made of."""
    if story.best is None:
        return []
    members = story.evaluation.members if story.evaluation is not None else []
    found = [t.seed for s in story.stages for t in s.trials if t.key in members]
    return sorted(set(found)) or [story.best.seed]


def _reproduce(story: Story) -> str:
    """The command of this run, or the Python that says the same of a run without one."""
    run = story.run
    if run.command or story.looked_at:
        return run.command
    said = {k: run.settings[k] for k in ("model", "moves", "signals", "expect", "synthetic") if run.settings.get(k)}
    given = {"directory": "runs/again", "budget": run.budget, "seed": run.seed} | said
    arguments = ", ".join(f"{name}={value!r}" for name, value in given.items())
    return f"kr.Recipe(problem, {arguments}).run()    # problem = kr.load(...) of the same data, with this fingerprint"


def _confusion(story: Story) -> Confusion | None:
    if story.evaluation is None or not story.evaluation.confusion:
        return None
    return confusion(story.evaluation.confusion, [str(c) for c in story.run.problem.get("classes") or []])


@cache
def environment() -> Environment:
    """Of the templates, with autoescaping: names and paths in a record are somebody else's."""
    found = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    found.filters |= {
        "seconds": units.seconds,
        "count": units.count,
        "number": units.number,
        "plural": units.plural,
        "evidence": evidence,
        "leaf": labels.value,
        "title": labels.title,
        "groupby_stage": _by_stage,
    }
    found.tests |= {"grave": grave, "hopeless": hopeless}
    return found


def _by_stage(charges: Iterable[Charge]) -> list[tuple[str, list[Charge]]]:
    """Lines of the bill by stage, both in order."""
    return [(stage, list(lines)) for stage, lines in groupby(charges, key=lambda c: c.stage)]


def evidence(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Figures behind a finding as pairs of text; long ones are cut, the journal has them in full."""
    return [(labels.title(str(key)), _short(value)) for key, value in values.items() if value not in ([], {}, None)]


def _short(value: Any) -> str:
    if isinstance(value, float):
        return units.number(value)
    if isinstance(value, list | dict):
        value = json.dumps(_rounded(value), ensure_ascii=False)
    text = str(value)
    return text if len(text) <= 400 else f"{text[:400]} …"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return {k: _rounded(v) for k, v in value.items()} if isinstance(value, dict) else value
