"""Inputs that the model can make nothing of: missing values, and fractions where it takes whole numbers."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np

from keras_recipe.core.diagnosis import Fault
from keras_recipe.diagnosis.anatomy import values
from keras_recipe.diagnosis.case import LOOK, Case
from keras_recipe.diagnosis.rows import Rows, leaves, mapped
from keras_recipe.spread import evenly

FEW = 10
"""Rows, below which they may be alike by chance."""


def missing(case: Case) -> Iterator[Fault]:
    """Inputs and targets that are no finite numbers, and the rows and columns of them."""
    for split, rows in (("training", case.data.train), ("validation", case.data.validation)):
        if rows is None:
            continue
        for what, nested in (("inputs", rows.x), ("targets", rows.y)):
            for leaf in leaves(nested):
                if leaf.dtype.kind != "f":
                    continue
                bad = ~np.isfinite(leaf)
                if not bad.any():
                    continue
                if what == "inputs" and _takes_missing(case, rows, bad, leaf):
                    continue
                first = np.argwhere(bad)
                where = f"rows {', '.join(str(r) for r in np.unique(first[:, 0])[:5])}"
                if leaf.ndim == 2 and leaf.shape[1] > 1:
                    where += f", columns {', '.join(str(c) for c in np.unique(first[:, 1])[:5])}"
                yield Fault(
                    "missing_values",
                    "ERROR",
                    "nan-data",
                    f"{int(bad.sum()):,} values of the {split} {what} are NaN or infinite, "
                    "and so is every loss with them",
                    expected="finite numbers",
                    measured=f"{int(bad.sum()):,} of {bad.size:,}: {where}",
                    hint="impute or drop them before fit",
                    patch="x = np.nan_to_num(x)",
                    location=case.fit.location,
                    evidence={
                        "split": split,
                        "where": what,
                        "count": int(bad.sum()),
                        "rows": [int(r) for r in np.unique(first[:, 0])[:20]],
                    },
                )


def _takes_missing(case: Case, rows: Rows, bad: np.ndarray, leaf: np.ndarray) -> bool:
    """Whether the model makes numbers of rows with missing values all the same."""
    some = rows.take(np.unique(np.argwhere(bad)[:, 0])[:16])
    outputs = case.model(mapped(keras.ops.convert_to_tensor, some.x), training=False)
    return all(np.isfinite(np.asarray(keras.ops.convert_to_numpy(o))).all() for o in leaves(outputs))


def alike(case: Case) -> Iterator[Fault]:
    """Inputs of which every training row is the same, while the targets differ."""
    rows = case.data.train.take(evenly(len(case.data.train), LOOK))
    x, y = leaves(rows.x), leaves(rows.y)
    if (
        len(rows) < FEW
        or not x
        or any((leaf != leaf[:1]).any() for leaf in x)
        or not any((t != t[:1]).any() for t in y)
        or any((leaf != leaf[:1]).any() for leaf in leaves(case.data.train.x))
    ):
        return
    kept = ", ".join(
        f"{leaf.dtype} {leaf.min():.4g} to {leaf.max():.4g}" for leaf in x[:4] if leaf.dtype.kind in "biuf"
    )
    cause, patch = "duplicates", "print(x[:5])"
    question = "is one row repeated, or a column that never changes all that is left?"
    if any(not leaf.any() for leaf in x):
        cause, patch = "input-scale", "x = x.astype('float32') / 255"
        question = "were fractions cast to whole numbers, or pixels divided twice?"
    yield Fault(
        "inputs_differ",
        "ERROR",
        cause,
        "every training example has the same input: there is nothing to tell them apart by",
        expected="inputs that differ",
        measured=f"one input for {len(case.data.train):,} examples: {kept or x[0].dtype}",
        hint=f"look at x just before fit: {question}",
        patch=patch,
        location=case.fit.location,
        evidence={"examples": len(case.data.train), "distinct": 1},
    )


def tokens(case: Case) -> Iterator[Fault]:
    """Fractions that reach an Embedding, which cuts them off: many tokens become one."""
    for place, _, leaf in cut_off(case):
        before, after = np.unique(leaf), np.unique(np.trunc(leaf))
        yield Fault(
            "tokens",
            "ERROR",
            "input-scale",
            f"{place} takes whole numbers and is given fractions: {len(before):,} tokens become {len(after):,}",
            expected="whole numbers, 0 to the size of the vocabulary",
            measured=", ".join(f"{v:.4g}" for v in before[:6]) + (", ..." if len(before) > 6 else ""),
            hint="do not scale token numbers: the Embedding is a table that they are looked up in",
            patch="x = x.astype('int32')",
            layer=place,
            location=case.fit.location,
            evidence={"distinct": len(before), "distinct once cut off": len(after)},
        )


def cut_off(case: Case) -> list[tuple[str, int, np.ndarray]]:
    """Name of an Embedding, size of its table, and the array of training inputs of which it loses half the tokens."""
    found = []
    look = evenly(len(case.data.train), LOOK)
    for call in case.anatomy.calls:
        if not isinstance(call.layer, keras.layers.Embedding):
            continue
        taken = np.trunc(values(call.input))
        for leaf in leaves(case.data.train.x):
            if leaf.dtype.kind != "f" or not np.isfinite(leaf).all():
                continue
            given = np.trunc(leaf[look].astype("float64"))
            same = given.size == taken.size and np.array_equal(given.reshape(-1), taken.reshape(-1))
            if same and len(np.unique(leaf)) >= 2 * len(np.unique(np.trunc(leaf))):
                found.append((call.layer.name, int(call.layer.input_dim), leaf))
    return found
