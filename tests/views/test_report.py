"""The report: self-contained, escaped, complete, for runs that ended well, badly, or not yet."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from keras_recipe.core.errors import RecipeError
from keras_recipe.core.journal import read, select
from keras_recipe.core.records import CheckRun, Decision, Finding, Plan, Record, Severity, Table
from keras_recipe.views.report import render, write_report
from keras_recipe.views.scoreboard import board
from keras_recipe.views.story import tell
from keras_recipe.views.units import Units

NASTY = "<script>alert(1)</script>"
Write = Callable[[Iterable[Record]], Path]


class Page(HTMLParser):
    """Text, tags, attributes and headings of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.links += [str(found[name]) for name in ("src", "href", "srcset", "action") if name in found]
        self.ids += [str(found["id"])] if "id" in found else []
        self.images += [found] if tag == "img" else []

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


def page_of(directory: Path) -> Page:
    return Page(write_report(directory).read_text(encoding="utf-8"))


def test_text_of_the_data_is_shown_but_never_becomes_markup(finished: Path) -> None:
    page = page_of(finished)
    assert "script" not in page.tags
    assert "friends" not in page.tags
    assert "<script>alert(1)</script>" in page.text


def test_the_page_fetches_nothing(finished: Path) -> None:
    page = page_of(finished)
    assert all(link.startswith(("#", "data:image/")) for link in page.links)
    assert "@import" not in page.text
    assert "url(" not in page.text


def test_every_link_inside_the_page_has_its_target(finished: Path) -> None:
    page = page_of(finished)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_the_first_screen_gives_the_score_with_its_interval_beside_baselines_and_a_person(finished: Path) -> None:
    first = page_of(finished).text.partition("What is in the data")[0]
    for said in ("98.1 %", "96.1 to 99.0 %", "logistic regression 93.0 %", "majority class 34.0 %", "A person 99.0 %"):
        assert said in first


def test_the_gap_is_that_between_training_and_validation_of_the_evaluated_trial(finished: Path) -> None:
    text = page_of(finished).text.replace("\u00a0", " ")
    assert "Train to validation 3.2 points" in text
    assert "training 99.9 %, validation 96.7 %: 3.2 points better on training" in text


def test_every_finding_is_told_with_both_sides_and_what_to_do(finished: Path) -> None:
    text = page_of(finished).text
    findings = [f for c in select(read(finished), CheckRun) for f in c.findings]
    assert findings
    for finding in findings:
        for said in (finding.severity, finding.message, finding.expected, finding.measured, finding.hint):
            assert said in text


def test_every_decision_is_told_with_effect_interval_change_and_reason(finished: Path) -> None:
    text = page_of(finished).text
    text = text.replace("\u00a0", " ")
    assert text.count("Measured +4.00 points +2.00 to +6.00 Cost 8.2 s 3 seeds") == 1
    assert "Measured +1.67 points +0.42 to +2.92" in text
    assert "Measured −21.00 points −40.00 to −2.00" in text
    assert "batch_size 32 → 16" in text
    for decision in select(read(finished), Decision):
        word = "accepted" if decision.accepted else "rejected"
        assert re.search(rf"{word} .{{,90}}{re.escape(decision.description)}", text)
        assert decision.reason in text


def test_what_was_skipped_is_told_with_its_reason(finished: Path) -> None:
    assert "Skipped larger_model · 12 s were left, it needs 40 s" in page_of(finished).text


def test_pictures_are_inside_the_page_and_have_a_text(finished: Path) -> None:
    images = page_of(finished).images
    assert len(images) == 2
    assert all(str(i["src"]).startswith("data:image/png;base64,") and i["alt"] for i in images)


def test_a_missing_picture_is_told_in_its_place(finished: Path) -> None:
    text = page_of(finished).text
    assert "Tensors as the model receives them. Picture pictures/gone.png is not in the run directory any more." in text


@pytest.mark.parametrize("path", ["../outside.png", "notes.png"])
def test_only_pictures_of_the_run_directory_are_taken_into_the_page(
    write: Write, build: SimpleNamespace, tmp_path: Path, path: str
) -> None:
    (tmp_path.parent / "outside.png").write_bytes(b"\x89PNG\r\n\x1a\nsecret")
    (tmp_path / "notes.png").write_bytes(b"no picture at all")
    check = CheckRun("c", "inspect", "look", "", (Finding("info", "look", "Look.", artifact=path),), 0.1)
    page = page_of(write([build.run(), check]))
    assert page.images == []
    assert f"Picture {path}" in page.text


def test_an_unfinished_run_is_told_as_such_with_the_trial_that_leads(write: Write, build: SimpleNamespace) -> None:
    directory = write([build.run(), *build.checks(), *build.studies()[:3]])
    text = page_of(directory).text
    assert "unfinished" in text
    assert "the leading trial reaches accuracy 95.0 % on the validation set" in text
    assert "resnet(depth=14, width=32) leads" in text
    assert "Test accuracy" not in text


def test_a_run_that_has_only_begun_is_told(write: Write, build: SimpleNamespace) -> None:
    assert "no trial has been completed so far" in page_of(write([build.run()])).text


def test_an_error_finding_is_the_verdict_of_a_run_that_it_stopped(write: Write, build: SimpleNamespace) -> None:
    error = Finding("error", "loss", "The model cannot memorise one batch.", hint="look at the targets")
    check = CheckRun("c", "baseline", "overfit_one_batch", "", (error,), 3.0)
    text = page_of(write([build.run(), check])).text
    assert "Stopped in baseline: The model cannot memorise one batch." in text
    assert "stopped" in text.split()[:20]


def test_regression_is_told_in_the_unit_of_the_target(write: Write, build: SimpleNamespace) -> None:
    text = page_of(write(build.regression())).text
    assert "RMSE 51,210 on the test set, better than the best dumb baseline (ridge, 68,400)" in text
    assert "49,000 to 53,500" in text
    assert "lower is better" in text
    assert "Confusion" not in text


@pytest.mark.parametrize(
    ("baseline", "said"),
    [(0.95, "better than"), (0.97, "not distinguishable from"), (0.999, "worse than")],
)
def test_the_verdict_claims_no_more_than_the_interval_supports(
    write: Write, build: SimpleNamespace, baseline: float, said: str
) -> None:
    end = build.evaluation()
    end = type(end)(**{**vars(end), "baselines": {"k_nearest": baseline}})
    directory = write([build.run(), *build.studies(), end])
    assert f"{said} the best dumb baseline (k nearest," in page_of(directory).text


@pytest.mark.parametrize("severity", ["warning", "ok"])
def test_a_score_that_may_be_leaked_is_not_praised(write: Write, build: SimpleNamespace, severity: Severity) -> None:
    leak = Finding(severity, "leakage", "the label can be told from 'outcome' alone", evidence={"columns": ["outcome"]})
    check = CheckRun("c", "inspect", "single_column", "", (leak,), 0.1)
    page = page_of(write([build.run(), check, *build.studies(), build.evaluation()])).text
    assert ("Do not believe it yet: the label can be told from 'outcome' alone." in page) == (severity == "warning")


def test_a_column_that_the_model_leaves_out_is_no_reason_to_doubt_it(write: Write, build: SimpleNamespace) -> None:
    leak = Finding("warning", "leakage", "the label can be told from 'outcome'", evidence={"columns": ["outcome"]})
    check = CheckRun("c", "inspect", "single_column", "", (leak,), 0.1)
    end = build.evaluation()
    end = type(end)(**{**vars(end), "config": {**end.config, "model.without": ["outcome"]}})
    assert "Do not believe it yet" not in page_of(write([build.run(), check, *build.studies(), end])).text


def test_a_lower_error_than_the_baselines_interval_end_is_needed_for_better(
    write: Write, build: SimpleNamespace
) -> None:
    run, trial, end = build.regression()
    end = type(end)(**{**vars(end), "baselines": {"ridge": 50_000.0}})
    assert "not distinguishable from" in page_of(write([run, trial, end])).text


NOTHING = "no evidence that the inputs say anything about the label"


@pytest.mark.parametrize(
    ("baselines", "human", "nothing"),
    [
        ({"majority": 0.97, "linear": 0.965}, None, True),
        ({"majority": 0.97, "linear": 0.989}, 0.5, True),
        ({"majority": 0.95, "linear": 0.93}, None, False),  # the model is better
        ({"majority": 0.995, "linear": 0.93}, None, False),  # it is worse, which is something else
        ({"majority": 0.97, "linear": 0.995}, None, False),  # a dumb model has learnt something
        ({"majority": 0.97, "linear": 0.965}, 0.99, False),  # a person can tell
        ({"linear": 0.97}, None, False),
    ],
)
def test_that_there_is_nothing_to_learn_is_said_where_nobody_is_better_than_a_guess(
    write: Write, build: SimpleNamespace, baselines: dict[str, float], human: float | None, nothing: bool
) -> None:
    end = build.evaluation()
    end = type(end)(**{**vars(end), "baselines": baselines})
    problem = build.run().problem | {"human_score": human}
    page = page_of(write([build.run(problem=problem), *build.studies(), end])).text
    assert (NOTHING in page) == nothing
    if nothing:
        said = "no better than always saying the commonest class (97.0 %), like every dumb baseline"
        assert f"{said}; of 4 candidates 2 were better than noise." in page.replace("\u00a0", " ")


def test_the_bill_has_every_move_with_its_gain_and_its_cost(finished: Path) -> None:
    text = page_of(finished).text.replace("\u00a0", " ")
    bill = text[text.index("The bill") : text.index("Where the time went")]
    for said in ("Shift", "+1.67 points", "+0.42 to +2.92", "Dropout", "rejected", "Rung 1", "3 checks"):
        assert said in bill, said
    assert "Larger model: 12 s were left, it needs 40 s" in bill
    assert bill.index("Shift") < bill.index("Smaller batch") < bill.index("Export, proof and test")


def test_a_candidate_that_was_given_up_is_on_the_bill_and_in_its_totals(write: Write, build: SimpleNamespace) -> None:
    change = {"augmentation": ["", "<b>flip()</b>"]}
    reason = "hopeless after 3 of 12 epochs: accuracy 12.0 %"
    directory = write(
        [
            build.run(),
            *build.studies(),
            Plan("begun/key", "regularize", "begun", [0.12], "3 epochs of a candidate", 41.0),
            Plan("hopeless/regularize/flip_picture/a/b", "regularize", "flip_picture", change, reason, 41.0),
        ]
    )
    page = page_of(directory)
    text = page.text.replace("\u00a0", " ")
    bill = text[text.index("The bill") : text.index("Where the time went")]
    assert f"Flip picture augmentation none → <b>flip()</b>: {reason} 1 41 s" in bill
    assert "1 min 22 s of work" in bill  # 5 trials of 8.25 s, and the 41 s
    assert text.count(reason) == 2, "in the story, and on the bill"
    stages = text[text.index("Where the time went") :]
    assert "Regularize 1 min 06 s" in stages
    assert "begun" not in text.lower()
    assert "3 epochs of a candidate" not in text


@pytest.mark.parametrize("expected", [0.0123, None])
def test_what_a_move_was_expected_to_bring_stands_beside_what_it_brought(
    write: Write, build: SimpleNamespace, expected: float | None
) -> None:
    flip = build.decision("regularize", "flip", build.small, build.large, (0.01, -0.02, 0.04), False)
    tried = build.trial("regularize", build.large, 0, 0.96)
    text = page_of(write([build.run(), tried, type(flip)(**{**vars(flip), "expected": expected})])).text
    text = text.replace("\u00a0", " ")
    said = "+1.23 points" if expected else "not said"
    assert f"Expected {said} Measured +1.00 points −2.00 to +4.00" in text
    on_bill = "+1.23 points +1.00 points" if expected else "+1.00 points"
    assert f"depth 8 → 14, width 16 → 32 {on_bill} −2.00 to +4.00" in text[text.index("The bill") :]


def test_mistakes_are_listed_with_what_they_are_and_the_confidence(write: Write, build: SimpleNamespace) -> None:
    nasty = Table(
        ("example", "is", "the model says", "confidence"), (("<b>7</b>", "rose", "daisy", 0.97),), "confidence"
    )
    end = type(build.evaluation())(**{**vars(build.evaluation()), "mistakes": nasty})
    page = page_of(write([build.run(), *build.studies(), end]))
    assert "Most confident mistakes" in page.text
    assert "<b>7</b>" in page.text, "as text"


def test_for_regression_the_largest_errors_are_listed(write: Write, build: SimpleNamespace) -> None:
    errors = Table(("example", "target", "prediction", "error"), (("12", 1.0, 3.0, 2.0),), "error")
    run, trial, end = build.regression()
    end = type(end)(**{**vars(end), "mistakes": errors})
    page = page_of(write([run, trial, end]))
    assert "Largest errors" in page.text


def test_a_matrix_of_many_classes_gives_way_to_the_most_frequent_mistakes(write: Write, build: SimpleNamespace) -> None:
    counts = [[50 if i == j else 0 for j in range(40)] for i in range(40)]
    counts[3][7] = 9
    problem = build.run().problem | {"classes": [f"class {i}" for i in range(40)]}
    end = build.evaluation()
    end = type(end)(**{**vars(end), "confusion": counts})
    text = page_of(write([build.run(problem=problem), *build.studies(), end])).text
    assert "class 3 taken for class 7 9 of 59" in text
    assert "Recognised" not in text


def test_the_confusion_matrix_has_every_count_and_the_share_recognised(finished: Path) -> None:
    assert "daisy 120 3 0 97.6 % rose 2 130 0 98.5 %" in page_of(finished).text


def test_curves_survive_values_that_are_not_numbers(write: Write, build: SimpleNamespace) -> None:
    trial = build.trial("overfit", build.small, 0, 0.3)
    history = trial.history | {"loss": [1.0, math.nan, math.inf], "val_loss": [math.nan], "score": [], "val_score": []}
    broken = type(trial)(**{**vars(trial), "history": history, "loss": math.nan, "score": math.nan})
    page = write_report(write([build.run(), broken])).read_text(encoding="utf-8")
    points = " ".join(re.findall(r'points="([^"]*)"', page))
    assert points
    assert "nan" not in points
    assert "inf" not in points


def test_an_interval_without_end_is_drawn_to_the_edge(write: Write, build: SimpleNamespace) -> None:
    known = build.decision("regularize", "flip", build.small, build.large, (0.01, -0.02, 0.04), False)
    open_ended = build.decision("regularize", "shift", build.small, build.large, (0.01, -math.inf, math.inf), False)
    page = write_report(write([build.run(), known, open_ended])).read_text(encoding="utf-8")
    assert page.count('class="arrow"') == 2
    assert "−∞ to ∞" in page


def test_the_time_is_the_sum_of_all_work_by_stage(finished: Path) -> None:
    text = page_of(finished).text
    assert "48 s of work, budget 10 min" in text  # 5 trials of 8.25 s, checks 2.9 s, evaluation 3.5 s
    assert "Baseline 2.1 s" in text


def test_how_to_reproduce_holds_seed_fingerprint_versions_settings_and_config(finished: Path) -> None:
    text = page_of(finished).text
    for said in ("Seed 7", "0123456789abcdef", "keras 3.15.1", "Test 0.200", "augmentation shift(factor=0.1)"):
        assert said in text


def test_writing_again_replaces_the_page_and_leaves_no_draft(finished: Path) -> None:
    before = {p.name for p in finished.iterdir()}
    first = write_report(finished).read_bytes()
    assert write_report(finished).read_bytes() == first
    assert {p.name for p in finished.iterdir()} == before | {"report.html"}


def test_a_directory_without_a_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"journal\.jsonl"):
        write_report(tmp_path)


def test_a_rejected_candidate_never_leads(write: Write, build: SimpleNamespace) -> None:
    rejected = build.decision("overfit", "capacity", build.small, build.large, (0.04, -0.02, 0.06), False)
    trials = [build.trial("overfit", build.small, 0, 0.91), build.trial("overfit", build.large, 0, 0.95)]
    assert "resnet(depth=8, width=16) leads" in page_of(write([build.run(), *trials, rejected])).text


def test_right_and_wrong_cells_of_the_matrix_are_told_apart(finished: Path) -> None:
    page = write_report(finished).read_text(encoding="utf-8")
    cells = re.findall(r'<td class="(right|wrong)( zero)?"[^>]*>(\d+)</td>', page)
    assert [int(count) for kind, _, count in cells if kind == "right"] == [120, 130, 103]
    assert [int(count) for kind, zero, count in cells if zero] == [0, 0]


def test_a_learning_curve_is_drawn_with_its_intervals_its_law_and_its_sentence(finished: Path) -> None:
    page = write_report(finished).read_text(encoding="utf-8")
    assert "Twice the data would bring +1.8 points (0.9 to 2.6)." in page
    chart = page[page.index("chart scaling") :]
    chart = chart[: chart.index("</figure>")]
    assert chart.count('class="reach') == 6
    assert chart.count('class="mark beyond"') == 2
    assert "4,600" in chart
    law = [float(p.split(",")[0]) for p in re.findall(r'class="validation" points="([^"]+)"', chart)[0].split()]
    beyond = [float(p.split(",")[0]) for p in re.findall(r'class="beyond" points="([^"]+)"', chart)[0].split()]
    assert law[-1] == beyond[0] == float(re.findall(r'class="mark" style="left:([\d.]+)%', chart)[-1])
    assert beyond[-1] == 96.0


def test_a_curve_of_errors_falls_where_that_of_accuracies_rises(build: SimpleNamespace) -> None:
    from keras_recipe.views import charts
    from keras_recipe.views.units import Units

    for higher in (True, False):
        units = Units("score", higher_is_better=higher, percent=higher)
        ends = [p.split(",") for p in charts.scaling(build.curve(), units).law.split()]
        assert (float(ends[0][1]) > float(ends[-1][1])) == higher  # measured from the top


def test_headings_leave_no_level_out(finished: Path) -> None:
    page = write_report(finished).read_text(encoding="utf-8")
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_each_stage_of_the_story_says_what_came_of_it_and_where_the_score_stood(finished: Path) -> None:
    text = page_of(finished).text.replace("\u00a0", " ")
    story = text[text.index("The story") :]
    for said in (
        "Inspect 1 check: 1 warning",
        "Overfit 2 models tried, resnet(depth=14, width=32) chosen: training 99.9 %; 1 change tried, 1 accepted",
        "Regularize 3 changes tried, 1 accepted: shift +1.67 points 96.7 %",
        "Final test accuracy 98.1 % (96.1 to 99.0 %)",
    ):
        assert said in story, said


def test_the_first_screen_says_what_was_tried_what_is_wrong_and_what_is_next(finished: Path) -> None:
    first = page_of(finished).text.replace("\u00a0", " ").partition("What is in the data")[0]
    assert "What was tried 2 models and 4 changes tried, 2 accepted: capacity, shift." in first
    assert "What is still wrong 7 of 360 test examples, most often daisy taken for rose (3 of 123)" in first
    assert "What to do next Twice the data: 1,150 more examples ( +1.80 points" in first


def test_each_mistake_is_a_picture_with_what_it_is_and_what_the_model_says(
    finished: Path, build: SimpleNamespace
) -> None:
    rows = (("<b>7</b>", NASTY, "daisy", 0.97), ("8", "rose", "daisy", 0.9))
    end = replace(
        build.evaluation(),
        mistakes=Table(("example", "is", "the model says", "confidence"), rows, "confidence"),
        pictures=["pictures/mistakes.png", "pictures/gone.png"],
    )
    page = render(tell([build.run(), *build.studies(), end]), finished)
    assert f'alt="Test example &lt;b&gt;7&lt;/b&gt;: {escape(NASTY)}, the model says daisy"' in page
    assert "97 % sure" in page
    assert "<code>pictures/gone.png</code> is not in the run directory any more" in page


def test_the_command_is_there_to_be_typed_again_and_a_run_from_python_as_python(
    write: Write, build: SimpleNamespace
) -> None:
    run = replace(build.run(), command="python -m keras_recipe train 'a & b' --budget 10m")
    assert "train 'a & b' --budget 10m" in page_of(write([run])).text
    assert "kr.Recipe(problem, directory='runs/again', budget=600.0, seed=7" in render(
        tell([build.run()]), Path()
    ).replace("&#39;", "'")


def test_a_guess_that_is_far_away_does_not_squeeze_the_others_together(build: SimpleNamespace) -> None:
    end = replace(build.evaluation(), baselines={"majority": 0.1, "linear": 0.97})
    told = tell([build.run(), *build.studies(), end])
    rows = {row.label: row for row in board(told, Units.of(told.run)).rows}
    assert rows["majority"].span.cut_low
    assert rows["majority"].span.outside
    assert not rows["linear"].span.cut_low
    assert rows["This model"].span.high - rows["This model"].span.low > 25
