"""Faults of the data, proved on the data: which rows, which column, which number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import keras
import numpy as np

from keras_recipe.core.diagnosis import Fault
from keras_recipe.diagnosis.anatomy import compiled_at
from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.rivals import Rivals, cross_validated, flat, told_apart
from keras_recipe.diagnosis.rows import Data, Rows, leaves, mapped
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
    yield from _one_label(case)
    yield from _wandering(case)
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
    outputs = case.model(mapped(keras.ops.convert_to_tensor, some.x), training=False)
    return all(np.isfinite(np.asarray(keras.ops.convert_to_numpy(o))).all() for o in leaves(outputs))


def _one_label(case: Case) -> Iterator[Fault]:
    """Targets that are all the same."""
    y = case.y
    if case.target is None or len(y) < 20 or y.dtype.kind not in "iufb" or (np.ptp(y, axis=0) != 0).any():
        return
    yield Fault(
        "labels_vary",
        "ERROR",
        "labels",
        "all training targets are the same: there is nothing to learn",
        expected="targets that differ",
        measured=f"{np.ravel(y)[0]:g} for each of {len(y):,} rows",
        hint="look at what makes the targets: a cast of scaled labels to whole numbers gives 0",
        location=case.fit.location,
    )


def _wandering(case: Case) -> Iterator[Fault]:
    """Inputs that come with another target in the next epoch."""
    again, train, y = case.data.again, case.data.train, leaves(case.data.train.y)
    if again is None or len(y) != 1 or y[0].dtype.kind not in "iufb":
        return
    order = {h: i for i, h in enumerate(_hashes(train).tolist())}
    pairs = [(order[h], j) for j, h in enumerate(_hashes(again).tolist()) if h in order]
    if len(pairs) < 20:
        return
    first, second = np.array(pairs).T
    before = y[0][first].reshape(len(first), -1)
    after = leaves(again.y)[0][second].reshape(len(second), -1)
    differ = ~np.isclose(before.astype("float64"), after.astype("float64")).all(axis=1)
    if differ.mean() < 0.2:
        return
    yield Fault(
        "labels_stay",
        "ERROR",
        "labels",
        "the same inputs come with other targets in the next epoch: they are shuffled apart",
        expected="the same target for the same input in every epoch",
        measured=f"another for {differ.mean():.0%} of {len(pairs):,} inputs",
        hint="shuffle inputs and targets with the same permutation",
        patch="x, y = x[order], y[order]",
        location=case.fit.location,
        evidence={"share": float(differ.mean()), "rows": [int(r) for r in first[differ][:20]]},
    )


def unlike_inputs(case: Case, rivals: Rivals, margin: float) -> Iterator[Fault]:
    """Simple models learn the training rows, and fail on validation rows that can be told from them at a glance."""
    target, data = case.target, case.data
    if target is None or case.reconstruction or not data.own or not rivals.scores or len(data.train) < 50:
        return
    inside, _, _ = cross_validated(data, target)
    if not inside - rivals.dumb > 4 * margin or rivals.best - rivals.dumb > 0.5 * (inside - rivals.dumb):
        return
    told = told_apart(data)
    apart = told > 0.95
    yield Fault(
        "same_world",
        "ERROR" if apart else "WARNING",
        "preprocessing-mismatch" if apart else "labels",
        "simple models learn the training data, and fail on the validation data: "
        + ("its inputs are prepared differently" if apart else "its labels do not go with its inputs in the same way"),
        expected=f"{inside:.3f}, as on training rows that they were not fitted on",
        measured=f"{rivals.best:.3f} on the validation rows",
        hint="prepare every split by the same function, and number its labels in the same way",
        location=case.fit.location,
        evidence={"inside training": inside, "validation": rivals.best, "area under the ROC curve of the splits": told},
    )


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
    chance = 1 - len(np.unique(train)) / len(train) if _coarse(data.train) else 0.0
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


def _coarse(rows: Rows) -> bool:
    """Whether examples are made of so few values that some are equal by chance."""
    count = 1.0
    for leaf in leaves(rows.x):
        flat_ = leaf.reshape(len(leaf), -1)[:2000]
        for column in range(min(flat_.shape[1], 200)):
            count *= len(np.unique(flat_[:, column]))
            if count > 1e6:
                return False
    return True


def _hashes(rows: Rows) -> np.ndarray:
    parts = [np.ascontiguousarray(leaf.reshape(len(leaf), -1)) for leaf in leaves(rows.x)]
    joined = [b"|".join(p[i].tobytes() for p in parts) for i in range(len(rows))]
    return np.array([hash(j) for j in joined], dtype="int64")


def _copied(case: Case) -> Iterator[Fault]:
    target, x = case.target, leaves(case.data.train.x)
    if target is None or target.kind == "multilabel" or case.reconstruction:
        return
    if any(a.ndim != 2 or a.dtype.kind not in "iuf" for a in x):
        return
    values = np.concatenate([a.astype("float64") for a in x], axis=1)
    if not 3 <= values.shape[1] <= 2000 or len(values) < 50 or not np.isfinite(values).all():
        return
    classes = target.kind in ("multiclass", "binary")
    y = labels_of(target, case.y) if classes else case.y.reshape(len(values), -1)[:, 0]
    if len(y) != len(values):
        return
    columns = [c for c in range(values.shape[1]) if values[:, c].std() > 0]
    if classes:
        found = [c for c in columns if _says_class(values[:, c], y)]
    else:
        found = [c for c in columns if abs(np.corrcoef(values[:, c], y)[0, 1]) > COPY]
    if not found or len(found) > values.shape[1] / 4 or not _others_say_something(case, values, found):
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
    """Whether the classes do not overlap in a column, and at least all but one of them are at one value each.

    A label that somebody made by a threshold on a column that varies freely is no leak.
    """
    labels = np.unique(y)
    heaps = [v[y == c] for c in labels]
    if len(labels) < 2 or min(map(len, heaps)) < 5:
        return False
    spans = sorted((h.min(), h.max()) for h in heaps)
    if any(low <= high for (_, high), (low, _) in pairwise(spans)):
        return False
    scale = float(v.std())
    narrow = sum(bool(h.std() < 0.02 * scale) for h in heaps)
    return narrow >= len(labels) - 1


def _others_say_something(case: Case, values: np.ndarray, found: list[int]) -> bool:
    """Whether the other columns tell something of the target too, as they do where somebody means to learn it."""
    rest = np.delete(values, found, axis=1).astype("float32")
    train = Rows(rest, case.data.train.y)
    score, _, _ = cross_validated(replace(case.data, train=train), case.target)  # type: ignore[arg-type]
    return bool(score > case.dumb + 0.05 * (1 - case.dumb))


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


def mislabelled(case: Case, rivals: Rivals, margin: float, own: float) -> Iterator[Fault]:
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
    if rivals.best < rivals.dumb + margin:
        if data.own and len(data.held) >= 50:
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
        if own < case.dumb + margin:
            yield from _unrelated(case, inside, margin)
        return
    if not data.own or target.kind == "regression" or rivals.trees is None:
        return
    there, fitted = (
        _right(case, leaves(data.held.y)[0], rivals.trees),
        _right(case, leaves(data.train.y)[0][rows], outputs),
    )
    noise = np.sqrt(there * (1 - there) / len(data.held) + fitted * (1 - fitted) / len(rows))
    if there - fitted > max(0.06, 4 * noise):
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
            expected=f"{there:.1%} right, as on the validation data",
            measured=f"{fitted:.1%} of training rows it was not fitted on",
            hint="look at these rows, and mend or drop their labels",
            location=case.fit.location,
            evidence={"rows": suspects, "share": float(np.mean(issues))},
        )


def _right(case: Case, y: np.ndarray, outputs: np.ndarray) -> float:
    """Share of the labels that outputs of a simple model say."""
    assert case.target is not None
    said = outputs[:, 0] > 0.5 if case.target.kind == "binary" else outputs.argmax(axis=1)
    return float(np.mean(said.astype(int) == labels_of(case.target, y)))


def _unrelated(case: Case, inside: float, margin: float) -> Iterator[Fault]:
    """Inputs with a structure of their own, of which nothing says anything about the labels."""
    x = flat(
        case.data.train.take(np.linspace(0, len(case.data.train) - 1, min(len(case.data.train), 1000)).astype(int)).x
    )
    # Of sequences simple models may well see nothing where there is something.
    tokens = any(isinstance(c.layer, keras.layers.Embedding | keras.layers.RNN) for c in case.anatomy.calls)
    structured = x is not None and len(x) >= 200 and not tokens and _structure(x) > 2
    if inside > case.dumb + margin or len(case.data.train) < 100:
        return
    yield Fault(
        "labels_related",
        "ERROR" if structured else "WARNING",
        "labels",
        "nothing in the inputs says anything about the labels"
        + (": the inputs have a structure, so that the labels seem to be those of other rows" if structured else ""),
        expected=f"simple models above {case.dumb:.3f}",
        measured=f"{inside:.3f} on training rows they were not fitted on, chance among the validation rows",
        hint="look at the first rows: is each label that of its input? Shuffle both with the same permutation",
        patch="x, y = x[order], y[order]",
        location=case.fit.location,
        evidence={"inside training": inside, "constant": case.dumb},
    )


def _structure(x: np.ndarray) -> float:
    """Variance of the first principal component, in parts of what it is once columns are shuffled apart."""
    x = x[:, x.std(axis=0) > 0].astype("float64")
    if x.shape[1] < 3:
        return 1.0
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    generator = np.random.default_rng(0)
    apart = np.stack([generator.permutation(column) for column in x.T], axis=1)
    first, chance = (float(np.linalg.svd(m, compute_uv=False)[0]) ** 2 for m in (x, apart))
    return first / chance


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
        location=compiled_at(case.model),
        evidence={"distinct targets": len(np.unique(y))},
    )


def callbacks(case: Case) -> Iterator[Fault]:
    """Callbacks that wait for a loss to rise, or for an accuracy to fall."""
    for callback in case.fit.callbacks:
        stops = isinstance(callback, keras.callbacks.EarlyStopping)
        if not (stops or isinstance(callback, keras.callbacks.ReduceLROnPlateau)):
            continue
        monitor, mode = str(callback.monitor).lower(), str(getattr(callback, "mode", "auto"))
        falls = any(word in monitor for word in ("loss", "error", "mae", "mse"))
        rises = any(word in monitor for word in ("acc", "auc", "precision", "recall", "f1"))
        if not ((falls and not rises and mode == "max") or (rises and not falls and mode == "min")):
            continue
        right, name = "min" if falls else "max", type(callback).__name__
        yield Fault(
            "callback_mode",
            "ERROR",
            "epochs" if stops else "schedule",
            f"{name} waits for {monitor} to {'rise' if falls else 'fall'}: it acts while the model still learns",
            expected=f"mode={right!r} for {monitor}",
            measured=f"mode={mode!r}",
            hint=f"use mode={right!r}, or leave it out",
            patch=f"{name}(monitor={monitor!r}, mode={right!r})",
            location=case.fit.location,
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
