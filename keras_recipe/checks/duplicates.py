"""Become one with the data: exact and near duplicates. Across splits they leak the answer.

Near duplicates of pictures are found by a perceptual hash, PDQ (Davis & Rosen, 2019): the 16 x 16 lowest frequencies
of the cosine transform of the grey picture, kept as numbers. Their signs alone, the 256 bits of the usual hash, do not
tell similar from equal where pictures are as alike as those of fashion_mnist. As numbers they do: two pictures are one
if their hashes correlate above SAME and lie far closer than others do (RATIO; Lowe, 2004, section 7.1, judges so).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from keras_recipe import texts
from keras_recipe.checks import check
from keras_recipe.checks.columns import JUDGED, ROWS, frame_of
from keras_recipe.core.records import Finding, Severity, Suspect, Table
from keras_recipe.core.wording import plural
from keras_recipe.job import Job
from keras_recipe.pictures import CELL, grid
from keras_recipe.survey import SPLITS, Survey, look

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

MOST_PAIRS = 5000
"""Pairs that are recorded."""

PAIRS, SHOWN = 12, 30
"""Pairs in the picture, and in the table."""

LEAKING, FEW = 0.001, 3
"""Share and number of held out examples with a twin in another split from which scores are no longer honest: on small
data one pair is a large share."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Every example of the three splits, in order: where it is, and what is equal for equal ones."""

    split: np.ndarray
    row: np.ndarray
    digests: np.ndarray


@check("inspect", order=50)
def duplicates(job: Job) -> Iterator[Finding]:
    """Equal examples, and pictures or texts that are nearly the same, within the splits and across them."""
    pictures, prose = job.problem.signature.kind == "image", texts.text_columns(job.problem.train.raw)
    examples = _of_survey(job.survey) if pictures else _of_rows(job)
    exact = equal(examples.digests)
    if not pictures:
        exact, by_chance = _without_coincidences(job, exact)
        yield from by_chance
    near = near_pairs(job.survey, exact, job) if pictures else _near_texts(job, exact, prose)
    pairs = np.concatenate([np.column_stack([exact, np.ones(len(exact))]), near])
    yield from _told(job, examples, pairs, len(exact))
    if (pictures or prose) and len(examples.split) > MOST:
        what = "pictures" if pictures else "texts"
        yield Finding("info", "duplicates", f"near duplicates were looked for among {MOST:,} {what} drawn at random")


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


def _without_coincidences(job: Job, exact: np.ndarray) -> tuple[np.ndarray, list[Finding]]:
    """The pairs whose values are so rare that two rows hardly share them by chance, and what is told of the others."""
    frames = [frame_of(getattr(job.problem, name)) for name in SPLITS]
    if not len(exact) or frames[0] is None:
        return exact, []
    rare = expected_twins(_together(frames), exact[:, 1], job.seed) < COINCIDENCE
    if rare.all():
        return exact, []
    message = f"{plural(int((~rare).sum()), 'row')} equal to another, as is to be expected of so few different values"
    return exact[rare], [Finding("info", "duplicates", message, evidence={"by chance": int((~rare).sum())})]


def expected_twins(frame: pd.DataFrame, rows: np.ndarray, seed: int) -> np.ndarray:
    """How many other rows would have the values of each of these copies, were its columns independent: float64 (rows,).

    Columns that follow from others (a code beside its name) are left out, for they make nothing rarer. Columns are
    taken from the one with most values on, until it is clear that no row has a twin by chance.
    """
    import pandas as pd

    first = frame.iloc[np.setdiff1d(np.arange(len(frame)), rows)]  # copies make their own values common
    some = first.iloc[np.random.default_rng(seed).permutation(len(first))[:ROWS]]
    twins = np.full(len(rows), len(frame) - 1.0)
    taken: list[np.ndarray] = []
    for name in sorted(frame.columns[:JUDGED], key=lambda n: -some[n].nunique()):
        codes = pd.factorize(some[name], use_na_sentinel=False)[0]
        if any(_follows(codes, from_) for from_ in taken):
            continue
        taken.append(codes)
        shares = first[name].value_counts(normalize=True, dropna=False)
        twins *= frame[name].iloc[rows].map(shares).to_numpy("float64")
        if (twins < COINCIDENCE).all():
            break
    return twins


def _follows(codes: np.ndarray, from_: np.ndarray) -> bool:
    """Whether a column hardly ever has two values where the other one has one, and that often enough to tell."""
    known = np.bincount(from_)[from_] >= OFTEN
    values = np.unique(from_[known])
    both = np.unique(np.stack([from_[known], codes[known]]), axis=1)
    return len(values) > 0 and both.shape[1] <= FOLLOWS * len(values)


def _together(frames: Sequence[pd.DataFrame | None]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([f for f in frames if f is not None], ignore_index=True)


def hashes(thumbnails: np.ndarray) -> np.ndarray:
    """Perceptual hashes of uint8 thumbnails (examples, side, side, 1 or 3): float32 (examples, 256), of unit length."""
    import pdqhash

    found = np.empty((len(thumbnails), HASH), "float32")
    for row, thumbnail in enumerate(thumbnails):
        found[row], _ = pdqhash.compute_float(
            np.ascontiguousarray(np.broadcast_to(thumbnail, (*thumbnail.shape[:2], 3)))
        )
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)


def near_pairs(survey: Survey, exact: np.ndarray, job: Job) -> np.ndarray:
    """Pairs of pictures that are the same to the eye but not to the byte: (pairs, 3), with their correlation."""
    from sklearn.neighbors import NearestNeighbors

    twins = np.zeros(len(survey), bool)
    twins[exact[:, 1]] = True  # its first copy stands for it
    entries = np.flatnonzero(survey.good & ~twins & (survey.properties["contrast"].to_numpy() >= PLAIN))
    if len(entries) > MOST:
        entries = np.sort(np.random.default_rng(job.seed).choice(entries, MOST, replace=False))
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
        job.progress("looking for near duplicates", min(start + 8192, len(entries)), len(entries))
    pairs = [(entries[a], entries[b], c) for (a, b), c in sorted(found.items())]
    return np.array(pairs) if pairs else np.empty((0, 3))


def _near_texts(job: Job, exact: np.ndarray, columns: list[str]) -> np.ndarray:
    """Pairs of rows whose texts are nearly the same, and not equal in all columns: (pairs, 3), with their likeness."""
    import pandas as pd

    if not columns:
        return np.empty((0, 3))
    every = pd.concat([texts.joined(getattr(job.problem, n).raw, columns) for n in SPLITS], ignore_index=True)
    entries = np.setdiff1d(np.arange(len(every)), exact[:, 1])  # its first copy stands for it
    if len(entries) > MOST:
        entries = np.sort(np.random.default_rng(job.seed).choice(entries, MOST, replace=False))
    pairs = texts.near_pairs(every.iloc[entries].tolist(), job.progress)
    pairs[:, :2] = entries[pairs[:, :2].astype(int)]
    return pairs


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


def _of_survey(survey: Survey) -> Examples:
    return Examples(survey.split, survey.row, np.where(survey.good, survey.digests, b""))


def _of_rows(job: Job) -> Examples:
    """Digests of the rows: of the raw cells of a table, which other rows may share, or of the encoded values."""
    import pandas as pd

    splits = [getattr(job.problem, name) for name in SPLITS]
    sizes = [len(s) for s in splits]
    if splits[0].raw is not None:
        frame = _together([s.raw for s in splits])
    else:
        frame = pd.DataFrame(np.concatenate([np.asarray(s.x[:]).reshape(len(s), -1) for s in splits]))
    digests = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    split = np.repeat(np.arange(3, dtype="int8"), sizes)
    return Examples(split, np.concatenate([np.arange(n) for n in sizes]), digests.astype("S20"))


def _told(job: Job, examples: Examples, pairs: np.ndarray, exact: int) -> Iterator[Finding]:
    if not len(pairs):
        yield Finding("ok", "duplicates", f"no duplicates among {len(examples.split):,} examples")
        return
    a, b = pairs[:, 0].astype(int), pairs[:, 1].astype(int)
    across = examples.split[a] != examples.split[b]
    held_out = np.unique(np.concatenate([a[across], b[across]]))
    held_out = held_out[examples.split[held_out] > 0]
    share = len(held_out) / max(int((examples.split > 0).sum()), 1)
    compared = job.problem.signature.kind == "image" or texts.text_columns(job.problem.train.raw)
    near = f" and {len(pairs) - exact:,} near" if compared else ""
    severity: Severity = "warning" if share > LEAKING and len(held_out) >= FEW else "info"
    order = np.argsort(~across, kind="stable")  # those across splits first: they do the harm
    yield Finding(
        severity,
        "duplicates",
        f"{plural(len(pairs), 'duplicate')}, {exact:,} exact{near}, {int(across.sum()):,} across splits",
        f"at most {LEAKING:.1%} of the held out examples, or {FEW - 1}, with a twin in another split",
        f"{len(held_out):,} of them ({share:.2%})",
        "drop one of each pair (suspects.csv), or keep them in one split (--groups): a model can know them by heart",
        evidence={
            "exact": exact,
            "near": len(pairs) - exact,
            "across splits": int(across.sum()),
            "of": [[*_place(job, examples, a[k]), *_place(job, examples, b[k])] for k in order[:MOST_PAIRS]],
        },
        table=_table(job, examples, pairs[order]),
        artifact=_picture(job, examples, pairs[order]),
        suspects=_suspects(job, examples, pairs[order]),
    )
    yield from _conflicts(job, examples, a, b)


def _conflicts(job: Job, examples: Examples, a: np.ndarray, b: np.ndarray) -> Iterator[Finding]:
    """Duplicates with different labels, outside the test split, whose labels nobody looks at."""
    if job.problem.signature.task == "regression":
        return
    known = (examples.split[a] < 2) & (examples.split[b] < 2)
    labels = np.concatenate([job.problem.train.y, job.problem.validation.y, np.full(len(job.problem.test), -1)])
    differ = np.flatnonzero(known & (labels[a] != labels[b]))
    if not len(differ):
        return
    rows = tuple(
        (*(_name(job, examples, i) for i in (a[k], b[k])), *(job.problem.label(labels[i]) for i in (a[k], b[k])))
        for k in differ[:SHOWN]
    )
    share = len(differ) / max(int((examples.split < 2).sum()), 1)
    yield Finding(
        "warning" if share > LEAKING and len(differ) >= FEW else "info",
        "labels",
        f"different labels for one input ({plural(len(differ), 'pair')}): one is wrong, or the input cannot tell",
        "one label for one input",
        f"two labels for {plural(len(differ), 'pair')}, not counting those with a twin in the test split",
        "fix or drop them",
        evidence={"pairs": len(differ)},
        table=Table(("example", "its twin", "label", "the twin's"), rows),
    )


def _name(job: Job, examples: Examples, entry: int) -> str:
    return str(getattr(job.problem, SPLITS[int(examples.split[entry])]).ids[int(examples.row[entry])])


def _place(job: Job, examples: Examples, entry: int) -> tuple[str, str]:
    return _split(examples, entry), _name(job, examples, entry)


def _split(examples: Examples, entry: int) -> str:
    return SPLITS[int(examples.split[entry])]


def _table(job: Job, examples: Examples, pairs: np.ndarray) -> Table:
    rows = [
        (
            "equal" if correlation == 1 else f"{min(correlation, 0.9999):.4f}",
            _name(job, examples, int(a)),
            _split(examples, int(a)),
            _name(job, examples, int(b)),
            _split(examples, int(b)),
        )
        for a, b, correlation in pairs[:SHOWN]
    ]
    table = Table(("likeness", "example", "split", "its twin", "the twin's split"), tuple(rows))
    places = [(_split(examples, int(a)), int(examples.row[int(a)])) for a, _, _ in pairs[:SHOWN]]
    return texts.with_contents(table, job.problem, places)


def _suspects(job: Job, examples: Examples, pairs: np.ndarray) -> tuple[Suspect, ...]:
    """Of each pair the one whose loss costs least: that of the training split, where the other one is held out."""
    found: dict[int, Suspect] = {}
    for a, b, correlation in pairs:
        kept, dropped = sorted((int(a), int(b)), key=lambda e: (examples.split[e] == 0, e))
        if dropped in found:
            continue
        split, twin = _split(examples, dropped), _split(examples, kept)
        label, other = _label(job, examples, dropped), "" if twin == "test" else _label(job, examples, kept)
        likely = "" if other == label else other
        reason = f"duplicate of {_name(job, examples, kept)} ({twin})"
        found[dropped] = Suspect(split, _name(job, examples, dropped), label, likely, float(correlation), reason)
    return tuple(found.values())


def _label(job: Job, examples: Examples, entry: int) -> str:
    return job.problem.label(getattr(job.problem, _split(examples, entry)).y[int(examples.row[entry])])


def _picture(job: Job, examples: Examples, pairs: np.ndarray) -> str | None:
    if job.problem.signature.kind != "image":
        return None
    shown: Sequence[int] = [int(e) for pair in pairs[:PAIRS] for e in pair[:2]]
    pictures, captions = [], []
    for entry in shown:
        split = _split(examples, entry)
        pictures.append(look(getattr(job.problem, split), examples.row[[entry]], CELL)[0])
        captions.append(f"{split} {_name(job, examples, entry).rpartition('/')[2]}")
    path = grid(job.directory / "artifacts" / "duplicates.png", np.stack(pictures), captions)
    return str(path.relative_to(job.directory))
