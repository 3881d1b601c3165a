"""Which examples are the same: equal ones, pictures that are one to the eye, rows that are equal by more than chance.

Near duplicates of pictures are found by a perceptual hash, PDQ (Davis & Rosen, 2019): the 16 x 16 lowest frequencies
of the cosine transform of the grey picture, kept as numbers. Their signs alone, the 256 bits of the usual hash, do not
tell similar from equal where pictures are as alike as those of fashion_mnist. As numbers they do: two pictures are one
if their hashes correlate above SAME and lie far closer than others do (RATIO; Lowe, 2004, section 7.1, judges so).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from keras_recipe.survey import Progress, Survey

if TYPE_CHECKING:
    import pandas as pd

SAME, RATIO, NEIGHBOURS = 0.96, 0.43, 8
"""Least correlation of the hashes of one picture in two versions, and the most that their distance may be of that to
the sixth nearest. On 70,000 pictures of fashion_mnist with 1,400 copies, re-encoded or shrunk by a quarter and back,
these find .995 of the copies (.35: .981, .4: .994). Of the further pairs that they find there, about 230, one sees that
they are the same article, some in another colour; from .45 on more and more are not."""

CHANCE = 1e-3
"""Share of pictures that may have so near a neighbour by chance."""

SURE = 0.9999
"""Correlation above which no ratio is asked for: more copies than neighbours would hide each other."""

COINCIDENCE = 0.01
"""Expected number of twins from which on a row of a table may well have one by chance."""

FOLLOWS, OFTEN = 1.05, 5
"""Most values that a column has, on average, where another one has the same, for it to follow from that one; looked at
are values that come this often."""

HASH = 256
PLAIN = 2.0
"""Contrast (0..255) below which a picture has nothing that a perceptual hash could hold on to."""

MOST = 100_000
"""Pictures or texts that are compared with each other, drawn at random where there are more."""

COLUMNS, ROWS = 200, 20_000
"""Columns and rows that show how rare values are, the first ones and some drawn at random."""


def equal(digests: np.ndarray) -> np.ndarray:
    """Pairs (first, later) of entries with the same digest, (pairs, 2); empty digests are of unread files."""
    if len(digests) < 2:
        return np.empty((0, 2), int)
    order = np.argsort(digests, kind="stable")
    same = (digests[order][1:] == digests[order][:-1]) & (digests[order][1:] != b"")
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    group = np.cumsum(np.concatenate([[True], ~same])) - 1
    first = order[starts][group]
    later = np.concatenate([[False], same])
    return np.column_stack([first[later], order[later]]) if later.any() else np.empty((0, 2), int)


def expected(frame: pd.DataFrame, rows: np.ndarray, seed: int) -> np.ndarray:
    """How many other rows would have the values of each of these copies, were its columns independent: float64 (rows,).

    Columns that follow from others (a code beside its name) are left out, for they make nothing rarer. Columns are
    taken from the one with most values on, until it is clear that no row has a twin by chance.
    """
    import pandas as pd

    first = frame.iloc[np.setdiff1d(np.arange(len(frame)), rows)]  # copies make their own values common
    some = first.iloc[np.random.default_rng(seed).permutation(len(first))[:ROWS]]
    found = np.full(len(rows), len(frame) - 1.0)
    taken: list[np.ndarray] = []
    for name in sorted(frame.columns[:COLUMNS], key=lambda n: -some[n].nunique()):
        codes = pd.factorize(some[name], use_na_sentinel=False)[0]
        if any(_follows(codes, from_) for from_ in taken):
            continue
        taken.append(codes)
        counts = first[name].value_counts(dropna=False)
        others = (counts - 1) / max(len(first) - 1, 1)  # a value of one row is nobody else's
        found *= frame[name].iloc[rows].map(others).to_numpy("float64")
        if (found < COINCIDENCE).all():
            break
    return found


def _follows(codes: np.ndarray, from_: np.ndarray) -> bool:
    """Whether a column hardly ever has two values where the other one has one, and that often enough to tell."""
    known = np.bincount(from_)[from_] >= OFTEN
    values = np.unique(from_[known])
    both = np.unique(np.stack([from_[known], codes[known]]), axis=1)
    return len(values) > 0 and both.shape[1] <= FOLLOWS * len(values)


def hashes(thumbnails: np.ndarray) -> np.ndarray:
    """Perceptual hashes of uint8 thumbnails (examples, side, side, 1 or 3): float32 (examples, 256), of unit length."""
    import pdqhash

    found = np.empty((len(thumbnails), HASH), "float32")
    for row, thumbnail in enumerate(thumbnails):
        found[row], _ = pdqhash.compute_float(
            np.ascontiguousarray(np.broadcast_to(thumbnail, (*thumbnail.shape[:2], 3)))
        )
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)


def near_pictures(survey: Survey, exact: np.ndarray, seed: int, progress: Progress) -> np.ndarray:
    """Pairs of pictures that are the same to the eye but not to the byte: (pairs, 3), with their correlation."""
    from sklearn.neighbors import NearestNeighbors

    twins = np.zeros(len(survey), bool)
    twins[exact[:, 1]] = True  # its first copy stands for it
    entries = np.flatnonzero(survey.good & ~twins & (survey.properties["contrast"].to_numpy() >= PLAIN))
    if len(entries) > MOST:
        entries = np.sort(np.random.default_rng(seed).choice(entries, MOST, replace=False))
    count = min(NEIGHBOURS, len(entries))
    if count < 2:
        return np.empty((0, 3))
    values = hashes(survey.thumbnails[entries])
    model = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(values)
    found: dict[tuple[int, int], float] = {}
    limit = _ratio(model.kneighbors(values[:2048])[0]) if count == NEIGHBOURS else 0.0
    for start in range(0, len(entries), 8192):
        distance, nearest = model.kneighbors(values[start : start + 8192])
        for a, b, correlation in _close(distance, nearest, start, limit):
            found[min(a, b), max(a, b)] = correlation
        progress("looking for near duplicates", min(start + 8192, len(entries)), len(entries))
    pairs = [(entries[a], entries[b], c) for (a, b), c in sorted(found.items())]
    return np.array(pairs) if pairs else np.empty((0, 3))


def _ratio(distance: np.ndarray) -> float:
    """The part of the distance to the sixth neighbour that a nearest one keeps to by CHANCE only.

    Where pictures fill a space of m dimensions evenly, the ratio of the two distances is below r for about 5 r ** m of
    them. In few dimensions, frames of a film for instance, a very near neighbour says little. The dimension is
    estimated from the other neighbours (Levina & Bickel, 2004, equation 8), its median over the pictures.
    """
    logs = np.log(np.maximum(distance[:, -1:], 1e-9) / np.maximum(distance[:, 2:-1], 1e-9)).mean(axis=1)
    dimension = 1 / max(float(np.median(logs)), 1e-3)
    return min(RATIO, float((CHANCE / 5) ** (1 / dimension)))


def _close(distance: np.ndarray, nearest: np.ndarray, start: int, limit: float) -> Iterator[tuple[int, int, float]]:
    """Pairs of a block of queries that are the same picture."""
    own = nearest == np.arange(start, start + len(nearest))[:, None]
    correlation = 1 - distance**2 / 2
    # The picture itself is among its neighbours, so that the seventh is the sixth of the others.
    reference = distance[:, min(6, distance.shape[1] - 1)][:, None]
    close = (correlation > SURE) | ((correlation > SAME) & (distance < limit * reference))
    for query, place in zip(*np.nonzero(close & ~own), strict=True):
        yield start + int(query), int(nearest[query, place]), float(correlation[query, place])
