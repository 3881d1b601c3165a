"""Become one with the data: exact and near duplicates. Across splits they leak the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from keras_recipe import texts, twins
from keras_recipe.checks import check
from keras_recipe.checks.columns import frame_of
from keras_recipe.core.records import Finding, Severity, Suspect, Table
from keras_recipe.core.wording import plural
from keras_recipe.job import Job
from keras_recipe.pictures import CELL, grid
from keras_recipe.survey import SPLITS, Survey, look

if TYPE_CHECKING:
    import pandas as pd

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
    exact = twins.equal(examples.digests)
    if not pictures:
        exact, by_chance = _without_coincidences(job, exact)
        yield from by_chance
    near = (
        twins.near_pictures(job.survey, exact, job.seed, job.progress) if pictures else _near_texts(job, exact, prose)
    )
    pairs = np.concatenate([np.column_stack([exact, np.ones(len(exact))]), near])
    yield from _told(job, examples, pairs, len(exact))
    if (pictures or prose) and len(examples.split) > twins.MOST:
        what = "pictures" if pictures else "texts"
        yield Finding(
            "info", "duplicates", f"near duplicates were looked for among {twins.MOST:,} {what} drawn at random"
        )


def _without_coincidences(job: Job, exact: np.ndarray) -> tuple[np.ndarray, list[Finding]]:
    """The pairs whose values are so rare that two rows hardly share them by chance, and what is told of the others."""
    frames = [frame_of(getattr(job.problem, name)) for name in SPLITS]
    if not len(exact) or frames[0] is None:
        return exact, []
    rare = twins.expected(_together(frames), exact[:, 1], job.seed) < twins.COINCIDENCE
    if rare.all():
        return exact, []
    message = f"{plural(int((~rare).sum()), 'row')} equal to another, as is to be expected of so few different values"
    return exact[rare], [Finding("info", "duplicates", message, evidence={"by chance": int((~rare).sum())})]


def _together(frames: Sequence[pd.DataFrame | None]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([f for f in frames if f is not None], ignore_index=True)


def _near_texts(job: Job, exact: np.ndarray, columns: list[str]) -> np.ndarray:
    """Pairs of rows whose texts are nearly the same, and not equal in all columns: (pairs, 3), with their likeness."""
    import pandas as pd

    if not columns:
        return np.empty((0, 3))
    every = pd.concat([texts.joined(getattr(job.problem, n).raw, columns) for n in SPLITS], ignore_index=True)
    entries = np.setdiff1d(np.arange(len(every)), exact[:, 1])  # its first copy stands for it
    if len(entries) > twins.MOST:
        entries = np.sort(np.random.default_rng(job.seed).choice(entries, twins.MOST, replace=False))
    pairs = texts.near_pairs(every.iloc[entries].tolist(), job.progress)
    pairs[:, :2] = entries[pairs[:, :2].astype(int)]
    return pairs


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
