"""Become one with the data: columns of text, their lengths and languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from keras_recipe.checks import check
from keras_recipe.checks.pictures import histogram
from keras_recipe.core.records import Finding, Suspect, Table
from keras_recipe.core.wording import plural
from keras_recipe.job import Job
from keras_recipe.survey import SPLITS

if TYPE_CHECKING:
    import pandas as pd

FOREIGN = 0.05
"""Share of texts in other languages from which a vocabulary is spent on them. One in a hundred sentences of
rt-polarity, which is English, is taken for something else."""

LANGUAGES = 8


@check("inspect", order=27)
def text_columns(job: Job) -> Iterator[Finding]:
    """Texts: how long they are, which are empty, which languages they are in."""
    for name, noted in job.texts.items():
        yield _lengths(name, noted, len(job.problem.train))
        yield from _empty(job, name)
        yield _languages(name, noted["language"].to_numpy(str))


def _lengths(name: str, noted: pd.DataFrame, rows: int) -> Finding:
    words = noted["words"].to_numpy()
    half, most, longest = np.percentile(words, [50, 95, 100])
    letters = noted["characters"].max()
    sampled = f" ({len(words):,} of {rows:,} rows, drawn at random)" if len(words) < rows else ""
    return Finding(
        "info",
        "text",
        f"{name}: half of the texts have up to {half:.0f} words, 95 % up to {most:.0f}, the longest {longest:.0f}; "
        f"no text has more than {plural(int(letters), 'character')}{sampled}",
        hint="a sequence length that holds 95 % of them wastes little",
        evidence={"words": {"median": float(half), "95 %": float(most), "longest": float(longest)}},
        table=histogram(words, "texts"),
    )


def _empty(job: Job, name: str) -> Iterator[Finding]:
    suspects = []
    for split in SPLITS:
        part = getattr(job.problem, split)
        blank = np.flatnonzero((part.raw[name].str.strip() == "").to_numpy())
        suspects += [
            Suspect(split, str(part.ids[r]), job.problem.label(part.y[r]), "", 1.0, "empty text") for r in blank
        ]
    if suspects:
        shown = ", ".join(s.example for s in suspects[:5])
        yield Finding(
            "warning",
            "text",
            f"{name}: {plural(len(suspects), 'empty text')} (rows {shown}{', ...' if len(suspects) > 5 else ''})",
            "texts that say something",
            f"{len(suspects):,} that do not",
            "fill them, or drop these rows",
            suspects=tuple(suspects[:1000]),
        )


def _languages(name: str, language: np.ndarray) -> Finding:
    codes, counts = np.unique(language[language != ""], return_counts=True)
    if not len(codes):
        return Finding("info", "text", f"{name}: the texts are too short to tell their language")
    order = np.argsort(-counts, kind="stable")
    share = counts[order] / counts.sum()
    table = Table(
        ("language", "texts", "share"),
        tuple((str(codes[i]), int(counts[i]), round(float(counts[i] / counts.sum()), 4)) for i in order[:LANGUAGES]),
        bars="texts",
    )
    unknown = int((language == "").sum())
    short = f"; {plural(unknown, 'text')} too short to tell" if unknown else ""
    first, foreign = str(codes[order[0]]), float(1 - share[0])
    return Finding(
        "warning" if foreign > FOREIGN else "ok",
        "text",
        f"{name}: {'several languages' if foreign > FOREIGN else 'one language'}, most texts are in {first!r}",
        f"at most {FOREIGN:.0%} in another language",
        f"{foreign:.1%} in {len(codes) - 1} others{short}",
        "is that meant? A model needs examples of each" if foreign > FOREIGN else "",
        {"languages": {str(codes[i]): int(counts[i]) for i in order[:LANGUAGES]}},
        table=table,
    )
