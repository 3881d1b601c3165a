"""Columns of prose: what can be told of each text without a model, and which are the same but for a few words."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipe.core.records import Table
from keras_recipe.data.table import is_text
from keras_recipe.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

    from keras_recipe.survey import Progress

SHINGLE = 3
"""Words that are compared at a time."""

LIKE = 0.62
"""Least share of their shingles that two versions of a text have in common (Jaccard index; Broder, 1997): in a sentence
of fifteen words one may be another, which leaves ten of sixteen."""

HASHES, MISSED = 64, 0.9
"""Of a MinHash, and the weight of a pair that it misses against one too many: it only proposes pairs, whose shingles
are then compared themselves."""

SHOWN = 120
"""Characters of a text, or of a row, that a table shows."""

KNOWN = 20
"""Bytes of UTF-8 from which a language can be told: shorter texts are of none."""

JOINED = 12
"""Characters a word from which on a text is written without blanks, and its characters stand for words."""


def text_columns(frame: pd.DataFrame | None) -> list[str]:
    """Names of the columns that hold prose; none where there is no table."""
    return [] if frame is None else [str(n) for n in frame.columns if is_text(frame[n])]


def joined(frame: pd.DataFrame, columns: list[str]) -> pd.Series[str]:
    """The texts of each row as one."""
    return frame[columns[0]] if len(columns) == 1 else frame[columns].agg("\n".join, axis=1)


def properties(texts: pd.Series[str]) -> pd.DataFrame:
    """Of each text its length in characters and in words, and the code of its language ("" where it is too short)."""
    import pandas as pd
    import py3langid

    languages = [py3langid.classify(t)[0] if len(t.encode()) >= KNOWN else "" for t in texts]
    return pd.DataFrame(
        {"characters": texts.str.len(), "words": [len(tokens(t)) for t in texts], "language": languages},
        index=texts.index,
    )


def with_contents(table: Table, problem: Problem, places: Iterable[tuple[str, int]]) -> Table:
    """The table with what its examples say: their texts, or their cells where a table has none.

    Args:
        table: a row an example.
        problem: whose examples they are; the table stays as it is unless they are rows of a table.
        places: split and row of each.
    """
    if problem.train.raw is None:
        return table
    names = text_columns(problem.train.raw)
    raws = [getattr(problem, split).raw.iloc[row] for split, row in places]
    said = (" / ".join(raw[names]) if names else ", ".join(map(_cell, raw)) for raw in raws)
    rows = tuple((*row, content[:SHOWN]) for row, content in zip(table.rows, said, strict=True))
    return dataclasses.replace(table, columns=(*table.columns, "text" if names else "row"), rows=rows)


def near_pairs(texts: list[str], progress: Progress) -> np.ndarray:
    """Pairs of texts that are nearly the same, float64 (pairs, 3): two positions, and the share they have in common.

    Case, and how words are set apart, do not count. Of more than two alike, each is paired with the first.
    """
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=LIKE, num_perm=HASHES, weights=(1 - MISSED, MISSED))
    found: list[tuple[int, int, float]] = []
    hashes = MinHash.generator((_shingles(t) for t in texts), num_perm=HASHES, seed=1)
    for later, made in enumerate(hashes):
        if later % 1000 == 0:
            progress("looking for near duplicates", later, len(texts))
        if not texts[later].strip():
            continue
        first = next(_alike(texts, later, sorted(index.query(made))), None)
        if first is None:
            index.insert(later, made, check_duplication=False)
        else:
            found.append((first[0], later, first[1]))
    progress("looking for near duplicates", len(texts), len(texts))
    return np.array(found) if found else np.empty((0, 3))


def vectors(texts: pd.Series[str]) -> Any:
    """Frequencies of words and of pairs of words, a sparse (texts, terms); None where no word comes twice.

    Terms that are rare weigh more (TF-IDF; Salton & Buckley, 1988).
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        return TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, max_features=50_000).fit_transform(
            texts
        )
    except ValueError:  # nothing is left: no words, or each of them once
        return None


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else f"{value:g}"
    return str(value)


def _shingles(text: str) -> set[bytes]:
    words = tokens(text.lower())
    return {" ".join(words[i : i + SHINGLE]).encode() for i in range(max(1, len(words) - SHINGLE + 1))}


def tokens(text: str) -> list[str]:
    """Words; characters, where blanks do not set words apart (Chinese, Japanese, Thai)."""
    words = text.split()
    joined = sum(map(len, words)) > JOINED * len(words) and not text.isascii()
    return list("".join(words)) if joined else words


def _alike(texts: list[str], later: int, proposed: list[int]) -> Iterator[tuple[int, float]]:
    own = _shingles(texts[later])
    for first in proposed:
        other = _shingles(texts[first])
        share = len(own & other) / len(own | other)
        if share >= LIKE:
            yield first, share
