"""Faults of the data, proved on the data: which rows, which column, which number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_recipe.core.diagnosis import Fault
from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.rivals import Rivals, cross_validated
from keras_recipe.diagnosis.rows import Data, Rows, leaves
from keras_recipe.diagnosis.targets import SPARSE, labels_of

COPY = 0.9999
"""Correlation with the target from which a column is a copy of it."""

OVERLAP = 0.05
"""Share of the validation rows that may be among the training rows."""

RARE = 0.15
"""Share of the rarest class, in parts of an equal share, below which accuracy hides what happens to it."""


def blocking(case: Case) -> Iterator[Fault]:
    """Faults with which nothing can be learnt, so that nothing else is worth a training."""
    yield from _missing(case)
    yield from _labels_out_of_range(case)


def _missing(case: Case) -> Iterator[Fault]:
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
    from keras_recipe.diagnosis.rows import mapped

    outputs = case.model(mapped(keras.ops.convert_to_tensor, some.x), training=False)
    return all(np.isfinite(np.asarray(keras.ops.convert_to_numpy(o))).all() for o in leaves(outputs))


def _labels_out_of_range(case: Case) -> Iterator[Fault]:
    target, loss, y = case.target, case.loss, case.y
    if target is None or y.dtype.kind not in "iufb" or not y.size:
        return
    values = np.unique(y[np.isfinite(y.astype("float64"))])
    shown = ", ".join(f"{v:g}" for v in values[:6]) + (", ..." if len(values) > 6 else "")
    fault: dict[str, Any] = {
        "check": "labels_in_range",
        "severity": "ERROR",
        "cause": "labels",
        "location": case.fit.location,
    }
    if loss.name in SPARSE:
        if not np.all(values == np.round(values)):
            yield Fault(
                **fault,
                message="labels are fractions where the loss takes class numbers",
                expected=f"whole numbers 0 to {case.units - 1}",
                measured=shown,
                hint="do not scale labels with the inputs",
                patch="y = y.astype(int)",
                evidence={"values": [float(v) for v in values[:20]]},
            )
        elif values.min() < 0 or values.max() >= case.units:
            yield Fault(
                **fault,
                message=f"labels are {values.min():g} to {values.max():g}, outputs 0 to {case.units - 1}",
                expected=f"whole numbers 0 to {case.units - 1}",
                measured=shown,
                hint="number classes from 0, and give the last layer a unit for each",
                patch=f"y = y - {values.min():g}" if values.min() > 0 else f"Dense({int(values.max()) + 1})",
            )
    elif loss.name == "categorical_crossentropy" and target.kind == "multilabel" and y.ndim > 1:
        empty = float((y.reshape(-1, y.shape[-1]).sum(axis=1) == 0).mean())
        if empty > 0.2:
            return
    elif loss.name == "binary_crossentropy" and (values.min() < -1e-3 or values.max() > 1 + 1e-3):
        pair = target.kind == "binary"
        if target.kind == "regression" or pair:
            yield Fault(
                **{**fault, "cause": "labels" if pair else "loss"},
                message="binary cross-entropy needs targets between 0 and 1; of others it has no minimum",
                expected="0 to 1",
                measured=shown,
                hint="map the two labels to 0 and 1" if pair else "use mean squared error for a regression",
                patch=f"y = (y == {values.max():g}).astype('float32')" if pair else "loss='mse'",
            )


def leaking(case: Case) -> Iterator[Fault]:
    """Validation rows among the training rows, and a column that holds the target."""
    yield from _overlap(case)
    yield from _copied(case)


def _overlap(case: Case) -> Iterator[Fault]:
    data = case.data
    if data.validation is None:
        return
    train, held = _hashes(data.train), _hashes(data.validation)
    among = np.isin(held, train)
    share = float(among.mean())
    if share < OVERLAP or among.sum() < 5:
        return
    chance = 1 - len(np.unique(train)) / len(train)
    if len(data.train) < data.total:
        share = min(1.0, share * data.total / len(data.train))
    if chance > 0.3 * share:
        return  # rows of few values repeat by themselves
    same = share > 0.98 and len(data.validation) >= 0.9 * min(data.total, len(data.validation) + 1)
    whole = same and len(data.validation) >= 0.9 * len(data.train)
    rows = [int(r) for r in np.flatnonzero(among)[:20]]
    yield Fault(
        "split_overlap",
        "WARNING" if whole else "ERROR",
        "leakage",
        "the validation data is the training data: its score says nothing about new examples"
        if whole
        else f"{share:.0%} of the validation rows are training rows too: their score says nothing about new examples",
        expected="no row in both",
        measured=f"{int(among.sum()):,} of {len(held):,} validation rows",
        hint="split before anything else, and drop duplicates first",
        location=case.fit.location,
        evidence={"rows": rows, "share": share, "repeated within training": chance},
    )


def _hashes(rows: Rows) -> np.ndarray:
    parts = [np.ascontiguousarray(leaf.reshape(len(leaf), -1)) for leaf in leaves(rows.x)]
    joined = [b"|".join(p[i].tobytes() for p in parts) for i in range(len(rows))]
    return np.array([hash(j) for j in joined], dtype="int64")


def _copied(case: Case) -> Iterator[Fault]:
    target, x = case.target, leaves(case.data.train.x)
    if target is None or len(x) != 1 or x[0].ndim != 2 or x[0].dtype.kind not in "iuf" or case.reconstruction:
        return
    values = x[0].astype("float64")
    if not 3 <= values.shape[1] <= 2000 or len(values) < 50 or not np.isfinite(values).all():
        return
    y = labels_of(target, case.y) if target.kind in ("multiclass", "binary") else case.y.reshape(len(values), -1)[:, 0]
    if len(y) != len(values) or target.kind == "multilabel":
        return
    found = []
    for column in range(values.shape[1]):
        v = values[:, column]
        if v.std() == 0:
            continue
        if target.kind == "regression":
            if abs(np.corrcoef(v, y)[0, 1]) > COPY:
                found.append(column)
        elif _says_class(v, y):
            found.append(column)
    if not found or len(found) > values.shape[1] / 4:
        return
    yield Fault(
        "target_column",
        "ERROR",
        "leakage",
        f"column {found[0]} holds the target",
        expected="inputs that are known before the target is",
        measured=f"columns that say the target: {found[:5]}",
        hint="leave the column out, unless it is known when the model is used",
        patch=f"x = np.delete(x, {found[0]}, axis=1)",
        location=case.fit.location,
        evidence={"columns": found[:20]},
    )


def _says_class(v: np.ndarray, y: np.ndarray) -> bool:
    """Whether values lie in narrow heaps, one a class, with wide gaps between."""
    centres = np.array([v[y == c].mean() for c in np.unique(y)])
    widths = np.array([v[y == c].std() for c in np.unique(y)])
    counts = np.array([(y == c).sum() for c in np.unique(y)])
    if len(centres) < 2 or counts.min() < 5:
        return False
    gaps = np.diff(np.sort(centres))
    return bool(gaps.min() > 20 * widths.max() and (widths.max() > 0 or len(np.unique(v)) == len(centres)))


def moments(rows: Rows) -> list[tuple[np.ndarray, np.ndarray]]:
    """Mean and deviation of each array of numbers: by column in tables, in one number else."""
    found = []
    for leaf in leaves(rows.x):
        if leaf.dtype.kind not in "iuf" or (leaf.dtype.kind in "iu" and leaf.ndim == 2 and leaf.shape[1] > 1):
            found.append((np.zeros(1), np.ones(1)))
            continue
        values = leaf.astype("float64").reshape(len(leaf), -1)
        if values.shape[1] > 200:
            values = values.reshape(-1, 1)
        found.append((values.mean(axis=0), values.std(axis=0)))
    return found


def shifted(data: Data) -> bool:
    """Whether validation inputs are of another size than training inputs, in most columns."""
    if data.validation is None or len(data.validation) < 10:
        return False
    for (mean, deviation), (other, width) in zip(moments(data.train), moments(data.validation), strict=True):
        varying = deviation > 1e-9
        if not varying.any():
            continue
        ratio = width[varying] / deviation[varying]
        apart = np.abs(other[varying] - mean[varying]) / deviation[varying]
        if np.mean((apart > 1) | (ratio > 3) | (ratio < 0.3)) > 0.5:
            return True
    return False


def rescaled(data: Data) -> bool:
    """Whether one split is the other times a constant, or one is standardized column by column and the other is not."""
    assert data.validation is not None
    for (mean, deviation), (other, width) in zip(moments(data.train), moments(data.validation), strict=True):
        varying = (deviation > 1e-9) & (width > 1e-9)
        if not varying.any() or (mean == 0).all():
            continue
        ratio = width[varying] / deviation[varying]
        common = float(np.median(ratio))
        if max(common, 1 / common) < 3:
            continue
        alike = np.abs(np.log(ratio / common)) < 0.3
        same_place = np.abs(other[varying] / common - mean[varying]) < 0.5 * deviation[varying]
        if np.mean(alike & same_place) > 0.8:
            return True
        for m, d in ((mean, deviation), (other, width)):
            unit = (np.abs(m[varying]) < 0.3) & (np.abs(d[varying] - 1) < 0.3)
            if unit.mean() > 0.9:
                return True
    return False


def matched(data: Data) -> Rows:
    """Validation rows with the mean and deviation of the training rows."""
    assert data.validation is not None
    x = []
    for leaf, (mean, deviation), (other, width) in zip(
        leaves(data.validation.x), moments(data.train), moments(data.validation), strict=True
    ):
        if leaf.dtype.kind not in "iuf":
            x.append(leaf)
            continue
        shape = leaf.shape
        flat = leaf.astype("float64").reshape(len(leaf), -1)
        moved = (flat - other) / np.where(width > 1e-9, width, 1) * deviation + mean
        x.append(moved.reshape(shape).astype("float32"))
    given = data.validation.x
    nested = (
        x[0]
        if not isinstance(given, list | tuple | dict)
        else (dict(zip(sorted(given), x, strict=True)) if isinstance(given, dict) else x)
    )
    return Rows(nested, data.validation.y, data.validation.weights)


def mislabelled(case: Case, rivals: Rivals, margin: float) -> Iterator[Fault]:
    """Labels that do not go with their inputs: exchanged, or noisier than where the network is judged."""
    target, data = case.target, case.data
    if (
        target is None
        or case.reconstruction
        or not rivals.scores
        or target.kind == "multilabel"
        or len(data.train) < 50
    ):
        return
    if data.own and _distribution_shift(case) > 0.3:
        return
    inside, rows, outputs = cross_validated(data, target)
    if not np.isfinite(inside):
        return
    best = dict(rivals.scores).get("trees", rivals.best)
    if rivals.best < rivals.dumb + margin:
        if data.own and len(data.held) >= 50:
            from dataclasses import replace

            swapped = replace(data, train=data.held)
            there, _, _ = cross_validated(swapped, target)
            if there > rivals.dumb + 2 * margin and inside < rivals.dumb + margin:
                yield Fault(
                    "labels_belong",
                    "ERROR",
                    "labels",
                    "the training labels do not belong to their inputs: no model learns them, while those of the "
                    "validation data are learnt easily",
                    expected=f"{there:.3f}, as among the validation rows",
                    measured=f"{inside:.3f} among the training rows",
                    hint="shuffle inputs and labels with the same permutation",
                    patch="x, y = x[order], y[order]",
                    location=case.fit.location,
                    evidence={"inside validation": there, "inside training": inside, "constant": rivals.dumb},
                )
                return
        return
    if data.own and best - inside > max(0.08, 3 * case.error + margin) and target.kind != "regression":
        y = labels_of(target, leaves(data.train.y)[0][rows])
        from cleanlab.filter import find_label_issues

        probabilities = np.concatenate([1 - outputs, outputs], axis=1) if target.kind == "binary" else outputs
        known = np.unique(y)
        compact, p = np.searchsorted(known, y), probabilities[:, known] + 1e-6
        issues = find_label_issues(compact, p / p.sum(axis=1, keepdims=True), n_jobs=1)
        suspects = [int(r) for r in rows[issues][:50]]
        yield Fault(
            "labels_agree",
            "ERROR",
            "labels",
            f"about {np.mean(issues):.0%} of the training labels look wrong: a cheap model agrees with unseen "
            "validation labels far more often than with unseen training labels",
            expected=f"{best:.3f}, as on the validation data",
            measured=f"{inside:.3f} on training rows it was not fitted on",
            hint="look at these rows, and mend or drop their labels",
            location=case.fit.location,
            evidence={"rows": suspects, "share": float(np.mean(issues))},
        )


def _distribution_shift(case: Case) -> float:
    """Total variation between the label distributions of training and validation rows; 0 for regressions."""
    target = case.target
    if target is None or target.kind not in ("multiclass", "binary"):
        return 0.0
    a, b = labels_of(target, leaves(case.data.train.y)[0]), labels_of(target, leaves(case.data.held.y)[0])
    size = int(max(a.max(), b.max())) + 1
    p, q = np.bincount(a, minlength=size) / len(a), np.bincount(b, minlength=size) / len(b)
    return float(0.5 * np.abs(p - q).sum())


def unlike_labels(case: Case) -> Iterator[Fault]:
    """Validation data of other classes than the training data, which a split of sorted rows makes."""
    shift = _distribution_shift(case)
    noise = np.sqrt(max(len(set(case.target.values)) if case.target else 2, 2) / max(len(case.data.held), 1))
    if not case.data.own or shift < 0.3 + noise:
        return
    yield Fault(
        "split_labels",
        "ERROR",
        "shuffling",
        "the validation data holds other classes than the training data: the rows were sorted when they were split",
        expected="the same shares of the classes in both",
        measured=f"{shift:.0%} of the labels would have to change",
        hint="shuffle the rows before they are split",
        patch="order = np.random.permutation(len(x)); x, y = x[order], y[order]",
        location=case.fit.location,
        evidence={"total variation": shift},
    )


def metrics(case: Case) -> Iterator[Fault]:
    """Metrics that cannot say what is wanted."""
    target = case.target
    if target is None or target.kind != "regression" or not case.y.size:
        return
    y = case.y.astype("float64")
    if len(np.unique(y)) <= 20 and np.all(y == np.round(y)):
        return  # a few whole numbers may be ranks, of which accuracy says something
    if case.reconstruction:
        return
    names = [str(n).lower() for n in _metric_names(case.model)]
    if not any(
        n in ("accuracy", "acc", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy")
        for n in names
    ):
        return
    yield Fault(
        "metric",
        "ERROR",
        "metric",
        "accuracy counts targets that are met exactly, which no regression does",
        expected="a metric of distances",
        measured="accuracy",
        hint="use mae or RootMeanSquaredError",
        patch="metrics=['mae']",
        location=str(getattr(case.model, "_keras_recipe_location_compile", "")),
        evidence={"distinct targets": len(np.unique(y))},
    )


def _metric_names(model: keras.Model) -> list[Any]:
    compiled = getattr(model, "_compile_metrics", None)
    given = getattr(compiled, "_user_metrics", None) or []
    found: list[Any] = []
    for each in leaves(given) if not isinstance(given, str) else [given]:
        found.append(each if isinstance(each, str) else getattr(each, "name", getattr(each, "__name__", "")))
    return found


def only_accuracy(case: Case) -> bool:
    """Whether accuracy is the only metric."""
    names = [str(n).lower() for n in _metric_names(case.model)]
    return all("acc" in n and "balanced" not in n for n in names)


def rarest(case: Case) -> float:
    """Share of the rarest class in parts of an equal share; 1 where there are no classes."""
    target = case.target
    if target is None or target.kind not in ("multiclass", "binary") or not case.y.size:
        return 1.0
    counts = np.bincount(labels_of(target, case.y))
    counts = counts[counts > 0]
    return float(counts.min() / counts.sum() * len(counts)) if len(counts) > 1 else 1.0
