"""Labels that are none, or those of other rows, proved on the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_recipe.core.diagnosis import Fault
from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.rivals import Rivals, cross_validated, flat, told_apart
from keras_recipe.diagnosis.rows import Data, leaves
from keras_recipe.diagnosis.splits import distribution_shift
from keras_recipe.diagnosis.targets import SPARSE, labels_of, said
from keras_recipe.spread import evenly


def one_label(case: Case) -> Iterator[Fault]:
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


def wandering(case: Case) -> Iterator[Fault]:
    """Inputs that come with another target in the next epoch."""
    again, train, y = case.data.again, case.data.train, leaves(case.data.train.y)
    if again is None or len(y) != 1 or y[0].dtype.kind not in "iufb":
        return
    # Inputs that are there several times, blank pictures, may well have several targets.
    order, following = (_once(rows.hashes) for rows in (train, again))
    pairs = [(order[h], j) for h, j in following.items() if h in order]
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


def out_of_range(case: Case) -> Iterator[Fault]:
    """Labels that are no class numbers, or none of those that the loss or the output knows."""
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


APART, ALIKE = 0.8, 0.65
"""Areas under the ROC curve by which training inputs are told from validation inputs: from the one on they were
changed, below the other they are of the same kind."""

FLIPPED = 0.6
"""Share of the labels that confident learning finds wrong, in parts of what training rows are harder to predict by,
from which it is the labels."""


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
    if data.own and distribution_shift(case) > 0.3:
        return
    inside, rows, outputs = case.inside
    if not np.isfinite(inside):
        return
    changed = [*_augmented(case, rivals.dumb, max(inside, own), margin)]
    if changed:
        yield changed[0]
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
    if there - fitted > max(0.06, 4 * noise) and not _changing(data) and told_apart(data) < ALIKE:
        y = labels_of(target, leaves(data.train.y)[0][rows])
        from cleanlab.filter import find_label_issues

        probabilities = np.concatenate([1 - outputs, outputs], axis=1) if target.kind == "binary" else outputs
        known = np.unique(y)
        compact, p = np.searchsorted(known, y), probabilities[:, known] + 1e-6
        issues = find_label_issues(compact, p / p.sum(axis=1, keepdims=True), n_jobs=1)
        if np.mean(issues) < FLIPPED * (there - fitted):
            return  # harder inputs, of which a model is less sure
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


def _augmented(case: Case, lowest: float, reached: float, margin: float) -> Iterator[Fault]:
    """Training inputs that are changed so much that fewer rows, which are not, teach more.

    Args:
        lowest: score of a constant.
        reached: what is learnt from the training rows, by the network or by a simple model, whichever is better.
    """
    data = case.data
    if not data.own or len(data.held) < 100 or data.arrays:
        return
    assert case.target is not None
    there, _, _ = cross_validated(replace(data, train=data.held), case.target)
    if not there - reached > max(2 * margin, 0.25 * (there - lowest)) or told_apart(data) < APART:
        return
    yield Fault(
        "augmentation",
        "ERROR",
        "augmentation",
        "the training inputs are changed on their way to the model, so much that less is learnt from them than from "
        "fewer validation rows, which are not",
        expected=f"{there:.3f}, as inside the {len(data.held):,} validation rows",
        measured=f"{reached:.3f} from {len(data.train):,} training rows",
        hint="look at some augmented examples; make the changes smaller, and leave out those that change the label",
        location=case.fit.location,
        evidence={"inside validation": there, "from training": reached, "constant": lowest},
    )


def _changing(data: Data) -> bool:
    """Whether hardly any example of the first pass comes again in the second."""
    if data.again is None:
        return False
    expected = len(data.train) / max(data.total, len(data.train))
    return bool(np.isin(data.again.hashes, data.train.hashes).mean() < 0.3 * expected)


def _once(hashes: np.ndarray) -> dict[int, int]:
    """Places of those that are there once."""
    known, first, counts = np.unique(hashes, return_index=True, return_counts=True)
    return dict(zip(known[counts == 1].tolist(), first[counts == 1].tolist(), strict=True))


def _right(case: Case, y: np.ndarray, outputs: np.ndarray) -> float:
    """Share of the labels that outputs of a simple model say."""
    assert case.target is not None
    return float(np.mean(said(outputs, len(outputs)) == labels_of(case.target, y)))


def _unrelated(case: Case, inside: float, margin: float) -> Iterator[Fault]:
    """Inputs with a structure of their own, of which nothing says anything about the labels."""
    x = flat(case.data.train.take(evenly(len(case.data.train), 1000)).x)
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
