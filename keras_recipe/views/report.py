"""report.html: one self-contained page that tells a run from its journal. Nothing in it is read back by anything."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from keras_recipe.core import journal
from keras_recipe.views import charts, labels, scoreboard, tables, units
from keras_recipe.views.confusion import Confusion, confusion
from keras_recipe.views.pictures import picture
from keras_recipe.views.story import Charge, Story, bill, hopeless, one_per_config, skipped, tell
from keras_recipe.views.verdict import again, gap, verdict

FILE = "report.html"
HERE = Path(__file__).parent


def write_report(directory: Path) -> Path:
    """Write the report of a run directory, finished or not, and return its path.

    Raises RecipeError where there is no journal, OSError where the directory is not writable.
    """
    page = render(tell(journal.read(directory)), directory)
    path = directory / FILE
    draft = directory / f".{FILE}.{os.getpid()}"
    draft.write_text(page, encoding="utf-8")
    os.replace(draft, path)  # whoever has the page open never sees half of it
    return path


def render(story: Story, directory: Path) -> str:
    """The page as HTML; pictures are looked up in `directory`."""
    own = units.Units.of(story.run)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            story=story,
            run=story.run,
            final=story.evaluation,
            best=story.best,
            units=own,
            verdict=verdict(story, own),
            gap=gap(story, own),
            again=again(story, own),
            scoreboard=scoreboard.rows(story),
            confusion=_confusion(story),
            bill=bill(story.stages, story.evaluation),
            charges=story.charges,
            one_per_config=one_per_config,
            skipped=skipped,
            hopeless=hopeless,
            picture=partial(picture, directory),
            charts=charts,
            labels=labels,
            tables=tables,
            css=(HERE / "report.css").read_text(encoding="utf-8"),
        )
    )


def _confusion(story: Story) -> Confusion | None:
    if story.evaluation is None or not story.evaluation.confusion:
        return None
    return confusion(story.evaluation.confusion, [str(c) for c in story.run.problem.get("classes") or []])


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "seconds": units.seconds,
        "count": units.count,
        "number": units.number,
        "plural": units.plural,
        "evidence": evidence,
        "leaf": labels.value,
        "title": labels.title,
        "groupby_stage": _by_stage,
    }
    return environment


def _by_stage(charges: Iterable[Charge]) -> list[tuple[str, list[Charge]]]:
    """Lines of the bill by stage, both in order."""
    return [(stage, list(lines)) for stage, lines in groupby(charges, key=lambda c: c.stage)]


def evidence(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Figures behind a finding as pairs of text; long ones are cut, the journal has them in full."""
    return [(labels.title(str(key)), _short(value)) for key, value in values.items() if value not in ([], {})]


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
