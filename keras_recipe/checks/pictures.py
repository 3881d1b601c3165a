"""Become one with the data: picture files, their sizes, brightness and colours, and how much detail matters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_recipe import cheap
from keras_recipe.checks import check
from keras_recipe.core.records import Finding, Severity, Suspect, Table
from keras_recipe.job import Job
from keras_recipe.survey import SPLITS, Survey

if TYPE_CHECKING:
    import pandas as pd

LISTED = 30
"""Paths in a table; all of them are in suspects.csv."""

BINS = 10
"""Bars of a histogram: as many as are told apart at a glance."""

SIDES = (32, 16, 8, 4)
"""Sides at which the cheap model is tried, each a whole fraction of a thumbnail's."""

DETAIL_ROWS = 3000
WEAK = 0.5
"""Part of the way from the majority to all labels below which a model says nothing about what a network needs."""

LOSS = 0.02
"""Part of the way from the majority to all labels that a smaller picture may cost before it counts as worse."""


@check("inspect", order=12)
def picture_files(job: Job) -> Iterator[Finding]:
    """Files that cannot be decoded, or that say something else than one sees."""
    if job.problem.signature.kind != "image" or not job.survey.of_files:
        return
    look = job.survey
    yield _undecodable(job, look)
    yield from _odd(job, look)
    counts = look.properties[look.good].value_counts(["format", "mode"]).reset_index(name="files")
    rows = tuple((str(kind), str(mode), int(n)) for kind, mode, n in counts.itertuples(index=False))
    yield Finding(
        "info",
        "data",
        f"{look.good.sum():,} files were decoded",
        table=Table(("format", "colours (Pillow's mode)", "files"), rows, bars="files"),
    )


@check("inspect", order=14)
def picture_sizes(job: Job) -> Iterator[Finding]:
    """Sizes, brightness and colours: what an unusual value belongs to is worth a look."""
    if job.problem.signature.kind != "image":
        return
    look = job.survey
    if not look.good.any():
        return
    properties = look.properties[look.good]
    names = [str(n) for n in properties if properties[n].dtype.kind in "iuf" and n not in ("orientation", "frames")]
    yield Finding(
        "info",
        "data",
        f"{len(properties):,} pictures, their properties from the lowest to the highest",
        evidence={"colours from 0 (black) to 255": True},
        table=Table(
            ("property", "lowest", "5 %", "median", "95 %", "highest"),
            tuple((n, *map(float, np.percentile(properties[n], [0, 5, 50, 95, 100]))) for n in names),
        ),
    )
    for name in ("brightness", "aspect"):
        if name in names and properties[name].nunique() > 1:
            yield Finding("info", "data", f"{name} of the pictures", table=histogram(properties[name].to_numpy()))
    blank = np.flatnonzero(look.good & (look.properties["contrast"].to_numpy() < 1))
    if len(blank):
        yield Finding(
            "warning",
            "data",
            f"{len(blank):,} of {len(look):,} pictures are of one colour only: {listed(job, look, blank)}",
            "pictures that show something",
            f"{len(blank):,} blank ones",
            "take them out, unless nothing is what they should show",
            suspects=suspects(job, look, blank, "blank picture"),
        )


@check("inspect", order=80)
def detail(job: Job) -> Iterator[Finding]:
    """How much detail matters: the smallest pictures from which a cheap model predicts as well as from larger ones."""
    problem = job.problem
    if problem.signature.kind != "image" or problem.signature.task == "regression":
        return
    look = job.survey
    entries = np.flatnonzero(look.good & (look.split < 2))
    if not len(entries):
        return
    if len(entries) > DETAIL_ROWS:
        entries = np.sort(np.random.default_rng(job.seed).choice(entries, DETAIL_ROWS, replace=False))
    y = np.concatenate([problem.train.y, problem.validation.y])[entries]
    side = look.thumbnails.shape[1]
    scores = {}
    for smaller in (s for s in SIDES if s <= side):
        values = cheap.components(cheap.halved(look.thumbnails, entries, side // smaller), job.seed)
        rows, found = cheap.out_of_fold(values, y, regression=False, seed=job.seed)
        scores[smaller] = float((found.argmax(axis=1) == y[rows]).mean()) if len(rows) else 0.0
        job.progress("how much detail matters", len(scores), len(SIDES))
    best, majority = max(scores.values()), float(np.bincount(y).max() / len(y))
    enough = min(s for s, score in scores.items() if score >= best - LOSS * (1 - majority))
    used = min(problem.signature.shape[:2])
    told = f"a cheap model loses nothing at {enough} x {enough} pixels; the network gets {used} x {used}"
    if best - majority < WEAK * (1 - majority):
        told = "how much detail matters a cheap model cannot tell: it knows too few of the labels at any size"
    yield Finding(
        "info",
        "data",
        told,
        "",
        f"{scores[enough]:.3f} of the labels at {enough} pixels, {best:.3f} at best ({len(y):,} pictures, out of fold)",
        "details that only a network sees may still matter: a smaller --image-size is quicker, measure what it costs"
        if enough < used and told.endswith(f"{used} x {used}")
        else "",
        evidence={"majority": majority},
        table=Table(("side", "right"), tuple((s, round(v, 4)) for s, v in scores.items()), bars="right"),
    )


def histogram(values: np.ndarray, unit: str = "examples") -> Table:
    """Counts of values between the 1st and the 99th percentile, the extremes in the outermost bars."""
    low, high = np.percentile(values, [1, 99])
    if low == high:
        low, high = float(values.min()), float(values.max())
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    if values.dtype.kind in "iu":
        edges = np.unique(edges.round())
    counts = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]
    first, last = min(float(values.min()), edges[0]), max(float(values.max()), edges[-1])
    edges[0], edges[-1] = first, last
    rows = tuple((float(a), float(b), int(c)) for a, b, c in zip(edges, edges[1:], counts, strict=False))
    return Table(("from", "to", unit), rows, bars=unit)


def place(job: Job, look: Survey, entry: int) -> tuple[str, str]:
    """Split and id of an entry of the survey."""
    split = SPLITS[int(look.split[entry])]
    return split, str(getattr(job.problem, split).ids[int(look.row[entry])])


def listed(job: Job, look: Survey, entries: np.ndarray, most: int = 5) -> str:
    """Ids of the first few, and how many more there are."""
    more = f" and {len(entries) - most:,} more" if len(entries) > most else ""
    return ", ".join(place(job, look, e)[1] for e in entries[:most]) + more


def suspects(job: Job, look: Survey, entries: np.ndarray, reason: str) -> tuple[Suspect, ...]:
    """These entries, with the labels that they bear."""
    found = []
    for entry in entries:
        split, example = place(job, look, entry)
        label = job.problem.label(getattr(job.problem, split).y[int(look.row[entry])])
        found.append(Suspect(split, example, label, "", 1.0, reason))
    return tuple(found)


def _undecodable(job: Job, look: Survey) -> Finding:
    if not look.faults:
        return Finding("ok", "corrupt", f"all {len(look):,} files can be decoded")
    entries = np.array(sorted(look.faults))
    told = [(*place(job, look, e)[::-1], look.faults[e]) for e in entries]
    return Finding(
        "error",
        "corrupt",
        f"{len(entries):,} of {len(look):,} files cannot be decoded: {listed(job, look, entries)}",
        "pictures that can be decoded",
        f"{len(entries):,} that cannot",
        "restore or delete them; train leaves them out with --skip-corrupt",
        evidence={"paths": [path for path, _, _ in told]},
        table=Table(("file", "split", "why"), tuple(told[:LISTED])),
        # Their label is not given: that is how a later reading knows not to open them.
        suspects=tuple(Suspect(split, path, "", "", 1.0, f"undecodable: {why}") for path, split, why in told),
    )


def _odd(job: Job, look: Survey) -> Iterator[Finding]:
    p = look.properties
    suffix = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".gif": "GIF", ".bmp": "BMP", ".webp": "WEBP"}
    kinds: list[tuple[Severity, pd.Series[bool], str, str]] = [
        (
            "warning",
            p["orientation"] > 1,
            "are to be turned by their EXIF orientation, which viewers do and networks do not: they lie on their side",
            "turn the pixels themselves, for instance with `mogrify -auto-orient`",
        ),
        (
            "warning",
            (p["format"] == "BMP") & (p["mode"] == "P"),
            "are BMP files with a palette, whose colours TensorFlow reads wrongly",
            "convert them to PNG",
        ),
        ("info", p["frames"] > 1, "are animated: only the first frame is used", ""),
        ("info", p["mode"].isin(["CMYK", "YCCK"]), "are in CMYK: colours are converted, without a colour profile", ""),
        ("info", p["mode"].str.startswith("I"), "have 16 bits a pixel, of which the upper eight are used", ""),
        ("info", p["mode"].isin(["RGBA", "LA", "PA"]), "are partly transparent: what lies under it is used", ""),
    ]
    for severity, chosen, what, do in kinds:
        entries = np.flatnonzero(chosen.to_numpy() & look.good)
        if len(entries):
            message = f"{len(entries):,} of {len(look):,} pictures {what}: {listed(job, look, entries)}"
            yield Finding(severity, "files", message, hint=do, evidence=_paths(job, look, entries))
    wrong = [e for e in np.flatnonzero(look.good).tolist() if suffix.get(_suffix(job, look, e)) != p["format"].iloc[e]]
    if wrong:
        entries = np.array(wrong)
        named = listed(job, look, entries)
        message = f"{len(wrong):,} of {len(look):,} files are of another format than their name says: {named}"
        yield Finding("info", "files", message, evidence=_paths(job, look, entries))


def _paths(job: Job, look: Survey, entries: np.ndarray) -> dict[str, list[str]]:
    return {"paths": [place(job, look, e)[1] for e in entries[:100]]}


def _suffix(job: Job, look: Survey, entry: int) -> str:
    return Path(place(job, look, entry)[1]).suffix.lower()
