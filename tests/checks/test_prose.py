"""Columns of text: lengths, empty ones, languages, near duplicates, shortcuts, wrong labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from keras_recipe.core.records import Finding
from keras_recipe.data import load
from keras_recipe.problem import Problem

Look = Callable[..., list[Finding]]
Alarms = Callable[[list[Finding]], set[str]]
ROWS = 600

SUBJECTS = [
    "the film",
    "this story",
    "her camera",
    "his script",
    "the whole cast",
    "that ending",
    "our hero",
    "the music",
    "every scene",
]
VERBS = ["is", "was", "seems", "remains", "becomes", "feels", "turns out to be", "proves"]
GOOD = [
    "a joy",
    "bright and warm",
    "worth the evening",
    "funny in its own way",
    "a small wonder",
    "moving to the last minute",
]
BAD = [
    "a bore",
    "cold and empty",
    "not worth the ticket",
    "silly without being funny",
    "a great mess",
    "tired from the start",
]
ENDINGS = [
    "for children",
    "for all of us",
    "in more than one sense",
    "at any rate",
    "from first to last",
    "I should say",
]


def reviews(rows: int = ROWS) -> pd.DataFrame:
    """Sentences in English, all distinct, whose words tell the label."""
    generator = np.random.default_rng(0)
    good = np.arange(rows) % 2 == 1
    texts: list[str] = []
    while len(texts) < rows:
        verdict = generator.choice(GOOD if good[len(texts)] else BAD)
        parts = [generator.choice(SUBJECTS), generator.choice(VERBS), verdict, generator.choice(ENDINGS)]
        text = " ".join(
            [*parts, "and so", generator.choice(SUBJECTS), generator.choice(VERBS), generator.choice(ENDINGS)]
        )
        if text not in texts:
            texts.append(text)
    return pd.DataFrame({"review": texts, "label": np.where(good, "pos", "neg")})


@pytest.fixture
def read(tmp_path: Path) -> Callable[[pd.DataFrame], Problem]:
    """A frame as a problem."""

    def read(frame: pd.DataFrame) -> Problem:
        frame.to_csv(tmp_path / "reviews.csv", index=False)
        return load(tmp_path / "reviews.csv", tolerant=True)

    return read


CHECKS = ("text_columns", "columns", "shortcuts", "duplicates", "label_errors", "drift", "single_column", "unusual")


@pytest.mark.parametrize("check", CHECKS)
def test_healthy_texts_raise_no_alarm(
    check: str, read: Callable[[pd.DataFrame], Problem], look: Look, alarms: Alarms
) -> None:
    findings = look(check, read(distinct_enough()))
    assert findings
    assert not alarms(findings)


def distinct_enough() -> pd.DataFrame:
    """Reviews of which no two share most of their words: each with words of its own."""
    frame = reviews()
    own = np.random.default_rng(1).integers(0, 10**6, (len(frame), 8))
    frame["review"] += [" " + " ".join(f"word{n}" for n in row) for row in own]
    return frame


def test_lengths_and_languages_are_told(read: Callable[[pd.DataFrame], Problem], look: Look) -> None:
    lengths, languages = look("text_columns", read(reviews()))
    words = sorted(len(t.split()) for t in reviews()["review"])
    assert abs(lengths.evidence["words"]["median"] - np.median(words)) <= 1
    assert lengths.table is not None
    assert "'en'" in languages.message


def test_a_mix_of_languages_is_a_warning(read: Callable[[pd.DataFrame], Problem], look: Look, alarms: Alarms) -> None:
    frame = reviews()
    german = [f"Dieser Film ist Nummer {n} einer langen Reihe von sehr schlechten Geschichten" for n in range(90)]
    frame.loc[::6, "review"] = german + german[: len(frame.loc[::6]) - len(german)]
    findings = look("text_columns", read(frame))
    assert alarms(findings) == {"text"}
    assert set(findings[-1].evidence["languages"]) == {"en", "de"}


def test_empty_texts_are_named(read: Callable[[pd.DataFrame], Problem], look: Look) -> None:
    frame = reviews()
    frame.loc[[3, 40, 77], "review"] = ["", "  ", ""]
    found = [f for f in look("text_columns", read(frame)) if f.severity == "warning"]
    assert {s.example for f in found for s in f.suspects} == {"3", "40", "77"}


def test_versions_of_one_text_are_near_duplicates(read: Callable[[pd.DataFrame], Problem], look: Look) -> None:
    frame = distinct_enough()
    copies = frame.iloc[:40].copy()
    copies["review"] = copies["review"].str.upper().str.replace("AND SO", "and  so", n=1) + " indeed"
    equal = frame.iloc[100:110]
    problem = read(pd.concat([frame, copies, equal]))
    finding = look("duplicates", problem)[0]
    assert (finding.evidence["exact"], finding.evidence["near"]) == (10, 40)
    pairs = {frozenset((a, b)) for _, a, _, b in finding.evidence["of"]}
    wanted = [*((i, ROWS + i) for i in range(40)), *((100 + i, ROWS + 40 + i) for i in range(10))]
    assert pairs == {frozenset(map(str, pair)) for pair in wanted}
    assert finding.table is not None
    assert finding.table.columns[-1] == "text"


def test_a_language_that_tells_the_label_is_a_shortcut(
    read: Callable[[pd.DataFrame], Problem], look: Look, alarms: Alarms
) -> None:
    frame = distinct_enough()
    german = frame["label"] == "pos"
    frame.loc[german, "review"] = [
        f"Das ist ein sehr schöner Film und hier die Nummer {n} davon" for n in range(german.sum())
    ]
    findings = look("shortcuts", read(frame))
    assert alarms(findings) == {"shortcut"}
    assert "review: language" in findings[0].evidence["properties"]


def test_wrong_labels_of_texts_come_first(read: Callable[[pd.DataFrame], Problem], look: Look) -> None:
    frame = reviews()
    wrong = {str(i) for i in range(0, ROWS, 25)}
    frame.loc[::25, "label"] = np.where(frame.loc[::25, "label"] == "pos", "neg", "pos")
    problem = read(frame)
    judged = {str(i) for part in (problem.train, problem.validation) for i in part.ids}
    first = [s.example for s in look("label_errors", problem)[0].suspects][: len(wrong & judged)]
    assert set(first) == wrong & judged


def test_texts_without_a_word_in_common_are_looked_at_all_the_same(
    read: Callable[[pd.DataFrame], Problem], look: Look
) -> None:
    letters = np.random.default_rng(0).integers(97, 123, (60, 6, 9)).astype("uint8")
    texts = [" ".join(bytes(word).decode() for word in row) for row in letters]
    problem = read(pd.DataFrame({"text": texts, "label": ["a", "b"] * 30}))
    for check in CHECKS:
        assert not [f for f in look(check, problem) if f.severity == "error"]
