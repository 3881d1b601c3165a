"""`load`: one function from anything that holds data to a Problem."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from keras_recipe import objectives
from keras_recipe.core.errors import RecipeError
from keras_recipe.core.records import Finding
from keras_recipe.data import edits as edits_module
from keras_recipe.data import more as more_module
from keras_recipe.data import split
from keras_recipe.data.assign import Key, assign, keys_of, too_few
from keras_recipe.data.columns import encode, learn_columns
from keras_recipe.data.fingerprint import fingerprint
from keras_recipe.data.labels import Labels, learn_labels
from keras_recipe.data.parts import NAMES, Part, Reading, Source, default_memory, take_part, without
from keras_recipe.data.pictures import listed
from keras_recipe.data.sources import add_part, check_alike, read_source
from keras_recipe.problem import Column, Problem, Rows, Signature, Split

if TYPE_CHECKING:
    import pandas as pd

Given = Any
"""A share of the rows (0..1), or another source of the same form."""


def load(
    source: Any,
    *,
    target: str | int | None = None,
    test: Given = 0.15,
    validation: Given = 0.15,
    seed: int = 0,
    groups: Key = None,
    time: Key = None,
    task: str | None = None,
    loss: str | None = None,
    metric: str | None = None,
    name: str | None = None,
    image_size: int | tuple[int, int] | None = None,
    human_score: float | None = None,
    skip_corrupt: bool = False,
    memory: int | None = None,
    cache: str | Path | None = None,
    edits: str | Path | None = None,
    tolerant: bool = False,
    more: Any = None,
) -> Problem:
    """Read data, infer what is asked of it, and split it once.

    Args:
        source: name of a data set ("digits", "fashion_mnist", ...), path of a folder (class folders of pictures, or
            train/ [validation/] [test/] folders of those, or idx files), an .npz or a .csv; `(x, y)`, a dict of arrays
            as in an .npz; a `tf.data.Dataset` of (x, y), batched or not, or a tuple of up to three for the parts. A
            dataset must give the same order in every run.
        target: target column of a table; by default the one called target, label, class or y.
        test, validation: share of the rows, above 0 and below 1, or data of their own in any of these forms. Parts
            that the source itself names are used as they are.
        seed: of the split.
        groups: column, or one value a row of the pool that is split: rows of one group stay together.
        time: column, or one value a row: the earliest rows train, the latest test. Neither column is an input.
        task, loss, metric: instead of what is inferred from the labels.
        name: of the problem; by default that of the source.
        image_size: side, or (height, width), of pictures from files, in pixels; by default from their headers.
        human_score: what a person reaches, in the metric's unit.
        skip_corrupt: leave undecodable pictures out, with a warning, instead of stopping.
        memory: bytes that decoded inputs may take before they are streamed; by default a quarter of the machine's.
        cache: folder for `tf.data` examples that exceed `memory`; by default a temporary file that needs no cleaning.
        edits: a suspects.csv that `inspect` has written and the user has edited: labels to fix, examples to drop. They
            are applied after the split, so that every other example stays where it is. The data is never changed.
        tolerant: read what could not be trained on, too (undecodable pictures, text among numbers, NaN), and tell of
            it in `findings`, or leave it to the checks of `inspect`. Pictures stay in their files.
        more: further examples in the form of the source, for the training part alone; a list of such sources, in the
            order in which they came. The split, the encoding of tables and the fingerprint are those without them; see
            `data.more` for what is left out.

    Returns:
        A Problem. The training part is in random order, unless it is ordered by time. Where classes are split, each
        of them needs as many examples as there are parts to draw (three, or two where the test part is given).

    Raises:
        RecipeError: data that cannot be read, understood or split; the message names the culprit.
    """
    asked = edits_module.read_edits(Path(edits)) if edits is not None else ()
    reading = Reading(
        None if target is None else str(target),
        (image_size, image_size) if isinstance(image_size, int) else image_size,
        skip_corrupt=skip_corrupt,
        memory=default_memory() if memory is None else memory,
        cache=None if cache is None else Path(cache),
        tolerant=tolerant,
        drop=frozenset(e.example for e in asked if e.action == "drop" and not e.given),
    )
    read, shares = _read(source, {"test": test, "validation": validation}, reading)
    if target is not None and read.kind != "table":
        raise RecipeError(
            "a table, where a target column is named", f"{target!r} for {read.name}", "leave --target out"
        )
    labels = learn_labels(read.parts["train"].y, read.kind, task)
    y = {part: labels.encode(p.y, part) for part, p in read.parts.items()}
    keys = keys_of(read.parts["train"], groups, time)
    rows, split_by = assign(y["train"], labels, keys, shares, seed, tolerant=tolerant)
    refused = _unlabelled(read) if tolerant else []
    if split_by.startswith("stratified"):
        refused += _too_few(y["train"], labels, shares)
    parts = _divide(read, y, rows)
    parts, edited = edits_module.apply(asked, parts, frozenset(read.parts), labels)
    added: list[Part] = []
    additions: list[tuple[str, int]] = []
    keyed = groups is not None or time is not None
    for further in more if isinstance(more, list) else () if more is None else (more,):
        part, grown = more_module.read_more(further, read, reading, labels, parts, added, keys, keyed=keyed)
        additions.append((more_module.content(part, additions[-1][0] if additions else ""), len(part)))
        added, edited = [*added, part], [*edited, *grown]
    frames: dict[str, pd.DataFrame] = {}
    columns: tuple[Column, ...] = ()
    findings: tuple[Finding, ...] = ()
    if read.kind == "table":
        frames = {part: cast("pd.DataFrame", p.x).drop(columns=list(keys.columns)) for part, p in parts.items()}
        columns, parts, findings = _encoded(parts, frames, keys.columns, tolerant=tolerant)
    splits = {part: _split(p, frames.get(part)) for part, p in parts.items()}
    signature = _signature(read, labels, columns, splits["train"].x)
    objective, chosen_loss = objectives.objective(labels.task, metric), objectives.loss(labels.task, loss)
    return Problem(
        name=name or read.name,
        signature=signature,
        **_grown(splits, added, columns),
        objective=objective,
        loss=chosen_loss,
        fingerprint=fingerprint(read, rows, splits, signature, chosen_loss, objective),
        additions=tuple(additions),
        human_score=human_score,
        split_by=split_by,
        findings=(
            *read.findings,
            *refused,
            *edited,
            *_inferred(read, labels, task),
            *_unseen(labels, parts),
            *findings,
        ),
    )


def _split(part: Part, raw: Any) -> Split:
    return Split(cast("Rows", part.x), part.y, part.ids, part.folder, raw)


def _grown(splits: dict[str, Split], added: Sequence[Part], columns: tuple[Column, ...]) -> dict[str, Split]:
    """The splits, the added examples behind those of the training split."""
    train = splits["train"]
    for part in added:
        if train.raw is None:
            more = _split(part, None)
        else:
            frame = cast("pd.DataFrame", part.x)[list(train.raw.columns)]
            more = _split(dataclasses.replace(part, x=encode(columns, frame)), frame)
        train = more_module.joined(train, more)
    return splits | {"train": train}


def _read(source: Any, given: dict[str, Given], reading: Reading) -> tuple[Source, dict[str, float]]:
    """The source with the parts that the user gives, and the shares of those that are still to be drawn."""
    read = read_source(source, reading)
    shares = {part: float(v) for part, v in given.items() if isinstance(v, int | float) and part not in read.parts}
    split.check_fractions(shares)
    for part, value in given.items():
        if not isinstance(value, int | float):
            read = add_part(read, part, value, reading)
    check_alike(read)
    return read, shares


def _divide(read: Source, y: dict[str, np.ndarray], rows: dict[str, np.ndarray]) -> dict[str, Part]:
    """Every part with its encoded labels, those drawn from the pool with their rows of it; what is unread left out."""
    parts = {part: dataclasses.replace(p, y=y[part]) for part, p in read.parts.items()}
    pool = parts["train"]
    for part, drawn in rows.items():
        parts[part] = take_part(pool, drawn)
    return {part: without(parts[part], parts[part].unread, part) for part in NAMES}


def _encoded(
    parts: dict[str, Part], frames: dict[str, pd.DataFrame], keys: tuple[str, ...], *, tolerant: bool
) -> tuple[tuple[Column, ...], dict[str, Part], tuple[Finding, ...]]:
    """Tables as float32 arrays, from frames without the columns that rows were assigned by, which are no inputs."""
    columns, findings = learn_columns(frames["train"], tolerant=tolerant)
    if keys:
        message = f"{keys[0]} assigns rows to parts and is no input"
        findings = (Finding("info", "ignored", message, evidence={"columns": list(keys)}), *findings)
    encoded = {part: dataclasses.replace(p, x=encode(columns, frames[part])) for part, p in parts.items()}
    return columns, encoded, findings


def _signature(read: Source, labels: Labels, columns: tuple[Column, ...], x: Rows) -> Signature:
    return Signature(
        kind=read.kind,
        task=labels.task,
        shape=tuple(map(int, x.shape[1:])),
        dtype=str(x.dtype),
        classes=labels.classes,
        target=read.target,
        targets=labels.targets,
        columns=columns,
    )


def _unlabelled(read: Source) -> list[Finding]:
    """Examples without a label, which nobody can train on."""
    found = []
    for name, part in read.parts.items():
        if part.folder is None and part.unread:
            ids = [str(part.ids[row]) for row in part.unread]
            message = f"examples of the {name} part without a label: {listed(ids)}"
            measured, do = f"{len(ids):,} of {len(part):,}", "label them, or take them out: training refuses them"
            found.append(Finding("error", "labels", message, "a label each", measured, do, {"examples": ids[:100]}))
    return found


def _too_few(y: np.ndarray, labels: Labels, shares: dict[str, float]) -> list[Finding]:
    """Classes that cannot be split."""
    counts = np.bincount(y, minlength=len(labels.classes))
    few = [f"{labels.classes[i]} ({counts[i]})" for i in np.flatnonzero(too_few(y, labels, shares))]
    if not few:
        return []
    expected = f"at least {1 + len(shares)} examples of each class, one for each part"
    message = f"classes with too few examples to be split, all of them in the training part: {listed(few)}"
    do = "add examples of these classes, or take them out: training refuses them"
    return [Finding("error", "classes", message, expected, f"{len(few):,} with fewer", do, {"classes": few})]


def _inferred(read: Source, labels: Labels, task: str | None) -> list[Finding]:
    """A note where whole numbers were taken for a quantity: they might be classes."""
    y = read.parts["train"].y
    if task is not None or labels.task != "regression" or y.ndim > 1 or bool((y != np.round(y)).any()):
        return []
    distinct = len(np.unique(y))
    message = f"the target has {distinct} distinct whole numbers and was taken for a quantity (regression)"
    hint = "give the task as multiclass if they are classes"
    return [Finding("info", "task", message, hint=hint, evidence={"distinct": distinct})]


def _unseen(labels: Labels, parts: dict[str, Part]) -> list[Finding]:
    """Classes without a training example: a split by time can leave some."""
    counts = np.bincount(parts["train"].y, minlength=len(labels.classes)) if labels.classes else np.ones(1)
    unseen = [labels.classes[i] for i in np.flatnonzero(counts == 0)]
    message = f"classes without an example in the training part: {listed(unseen)}"
    return [Finding("warning", "classes", message, evidence={"classes": unseen})] if unseen else []
