"""What a notebook shows of a value: escaped, complete, and within its own cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from keras_recipe.core.diagnosis import Diagnosis, Fault
from keras_recipe.core.records import CheckRun, CheckRuns, Finding, Findings, Record, Table
from keras_recipe.data import load
from keras_recipe.recipe import Result

NASTY = "<img src=x onerror=alert(1)>"


class Cell(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.style = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] == ["style"] and not self.style:
            self.style = data
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words).replace("\u00a0", " ")


FINDING = Finding(
    "warning", "classes", f"Rarest class is {NASTY}", f"more of {NASTY}", "2", f"collect {NASTY}",
    {"counts": {NASTY: 2}}, "artifacts/x.png", Table(("class",), ((NASTY,),)),
)  # fmt: skip
FAULT = Fault("rates", "ERROR", "learning-rate", NASTY, NASTY, "train.py:7", "0.01", "1e-6", NASTY, f"lr={NASTY}")
FIGURES = {"score": 0.176, "constant": 0.1, "linear": 0.889}


def values(build: SimpleNamespace) -> dict[str, object]:
    run = CheckRun("c", "inspect", "label_counts", NASTY, (FINDING,), 0.1)
    decision = build.decision("regularize", "flip", build.small, build.large, (0.01, -0.02, 0.04), False)
    y = np.array([NASTY, "rose"] * 20)
    return {
        "Finding": FINDING,
        "Findings": Findings([FINDING, FINDING]),
        "CheckRun": run,
        "CheckRuns": CheckRuns([run]),
        "Decision": replace(decision, reason=NASTY, description=NASTY, change={"augmentation": ["", NASTY]}),
        "Diagnosis": Diagnosis((FAULT,), FIGURES, "accuracy", ("rates",), 8.0, "train.py:8"),
        "Problem": load((np.arange(40, dtype="float32")[:, None], y), name=NASTY),
    }


def shown(value: object) -> Cell:
    return Cell(value._repr_html_())  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["Finding", "Findings", "CheckRun", "CheckRuns", "Decision", "Diagnosis", "Problem"])
def test_what_others_have_named_is_text_and_the_style_stays_in_its_cell(build: SimpleNamespace, name: str) -> None:
    cell = shown(values(build)[name])
    assert NASTY in cell.text
    assert "img" not in cell.tags
    assert cell.style.startswith(".keras-recipe {")
    assert cell.style.count("{") == cell.style.count("}")
    for outside in (":root", "\nbody {", "  body {"):
        assert outside not in cell.style


def test_a_finding_is_shown_with_both_sides_and_what_to_do() -> None:
    text = shown(FINDING).text
    for said in ("warning Rarest class is", "Expected more of", "Measured 2", "To do collect"):
        assert said in text
    assert shown(Findings([FINDING] * 3)).text.count("Rarest class is") == 3


def test_the_findings_of_a_problem_and_a_check_are_a_list_that_is_shown(build: SimpleNamespace) -> None:
    known = values(build)
    assert shown(known["CheckRun"].findings).text.count("Rarest") == 1  # type: ignore[attr-defined]
    assert isinstance(known["Problem"].findings, Findings)  # type: ignore[attr-defined]


def test_a_decision_is_shown_with_expected_and_measured_gain(build: SimpleNamespace) -> None:
    made = build.decision("regularize", "flip", build.small, build.large, (0.01, -0.02, 0.04), False)
    assert "Expected +0.0123 Measured +0.0100 −0.0200 to +0.0400" in shown(replace(made, expected=0.0123)).text


def test_a_diagnosis_is_shown_with_the_verdict_the_patch_and_the_figures(build: SimpleNamespace) -> None:
    text = shown(values(build)["Diagnosis"]).text
    for said in ("train.py:8 : what is wrong: learning-rate", "error learning-rate", "Patch lr=", "linear 0.889"):
        assert said in text


def test_a_problem_is_shown_with_its_splits_and_classes(build: SimpleNamespace) -> None:
    text = shown(values(build)["Problem"]).text
    for said in ("vector, binary, 2 classes", "train", "validation", "test examples", "rose", "Loss crossentropy"):
        assert said in text


def test_a_result_is_the_first_screen_of_its_report(finished: Path, build: SimpleNamespace) -> None:
    cell = shown(Result(finished, build.evaluation()))
    for said in ("98.1 %", "96.1 to 99.0 %", "logistic regression", "What was tried", "What to do next"):
        assert said in cell.text
    page = Result(finished, build.evaluation())._repr_html_()
    assert f'href="{finished}/report.html#next"' in page


def test_a_result_escapes_what_the_journal_says(
    write: Callable[[Iterable[Record]], Path], build: SimpleNamespace
) -> None:
    problem = build.run().problem | {"name": NASTY, "classes": [NASTY, "rose", "daisy"]}
    directory = write([build.run(problem=problem), *build.studies(), build.evaluation()])
    cell = shown(Result(directory, build.evaluation()))
    assert NASTY in cell.text
    assert "img" not in cell.tags
