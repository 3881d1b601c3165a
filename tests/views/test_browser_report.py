"""The report in a browser, on a phone and on a desk: nothing breaks, nothing is fetched, nothing sticks out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from keras_recipe.core.journal import Journal
from keras_recipe.core.records import CheckRun, Finding, Suspect, Table
from keras_recipe.views.report import write_report
from tests.views.browser import Browser, whole_and_alone

LONG = "a_class_with_a_very_long_name_that_has_no_place_to_break_" * 2
NASTY = "<img src=x onerror=document.title='broken-in'>"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, build_records: SimpleNamespace) -> Path:
    """The report of a run with everything in it, and with long and hostile names."""
    directory = tmp_path_factory.mktemp("run")
    build = build_records
    pictures = ["artifacts/0.png", "artifacts/1.png"]
    (directory / "artifacts").mkdir()
    for path in (*pictures, "artifacts/grid.png"):
        Image.new("RGB", (830, 240) if "grid" in path else (96, 96), "steelblue").save(directory / path)
    problem = build.run().problem | {"classes": [NASTY, LONG, "rose"], "name": LONG}
    suspects = tuple(Suspect("train", f"{LONG}/{i}.jpg", NASTY, LONG, 0.9, "a model disagrees") for i in range(12))
    evidence = {"confident": 3, "judged": 100}
    table = Table(("example", "given", "share"), tuple((s.example, s.given, 0.5) for s in suspects), "share")
    found = Finding("warning", "labels", f"Labels of {LONG}", NASTY, LONG, LONG, evidence, "artifacts/grid.png", table,
                    suspects)  # fmt: skip
    mistakes = Table(("example", "is", "the model says", "confidence"), ((LONG, NASTY, LONG, 0.9),) * 2, "confidence")
    end = replace(build.evaluation(), mistakes=mistakes, pictures=pictures)
    journal = Journal(directory)
    header = replace(build.run(problem=problem), command=f"python -m keras_recipe train {LONG} --budget 10m")
    for record in (header, CheckRun("c", "inspect", "label_errors", LONG, (found,), 1.0), *build.studies()):
        journal.append(record)
    for record in (build.curve(), end):
        journal.append(record)
    journal.close()
    return write_report(directory)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_opens_whole_and_alone_at_this_width(browser: Browser, page: Path, width: int) -> None:
    opened = browser.open(page.as_uri(), width)
    assert len(whole_and_alone(opened)) >= 4
    assert opened.ask("document.title") != "broken-in"
