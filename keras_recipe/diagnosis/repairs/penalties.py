"""Penalties, dropout and clipping so strong that nothing is learnt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_recipe.diagnosis.anatomy import compiled_at, unwrapped
from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.probe import Edit, Outcome, Undo, with_
from keras_recipe.diagnosis.repairs import Repair, place, repair
from keras_recipe.diagnosis.targets import labels_of

SHARE = 0.5
"""Penalty at the start, in parts of the loss of chance, from which it is a suspect."""

RATE = 0.5
"""Dropout rate from which it is one."""


@repair
def weight_penalty(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """A penalty on the weights that outweighs the loss."""
    penalty = case.anatomy.penalty
    chance = _chance_loss(case)
    if not penalty > SHARE * chance:
        return
    layers = [layer for layer in case.model._flatten_layers() if any(v.regularizer is not None for v in layer.variables)
              and not layer._layers]  # fmt: skip
    names, where = place(layers)
    yield Repair(
        ("regularization",),
        "no penalty",
        lambda v: with_(v, edits=(("no penalty", _unpenalized),)),
        f"a penalty far below the loss of chance, {chance:.3g}",
        f"{penalty:.3g} at the start",
        "leave it out, or make it a thousandth of what it is",
        "kernel_regularizer=None",
        names,
        where,
        rank=2,
    )


@repair
def constraints(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Weights that are put back into a small region after every step."""
    held = [(layer, v) for layer in case.model._flatten_layers() if not layer._layers for v in layer.variables
            if getattr(v, "constraint", None) is not None]  # fmt: skip
    if not held:
        return
    names, where = place([layer for layer, _ in held])
    said = {f"{layer.name}: {_constraint(v.constraint)}": None for layer, v in held}
    yield Repair(
        ("regularization",),
        "no constraint",
        lambda v: with_(v, edits=(("no constraint", _unconstrained),)),
        "weights that may go where the loss leads them, MaxNorm(3) at the tightest",
        "; ".join(list(said)[:4]),
        "leave the constraint out, or make it wider",
        "kernel_constraint=None",
        names,
        where,
        rank=3,
    )


@repair
def dropout(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Dropout of half the units or more."""
    strong = [c.layer for c in case.anatomy.calls if float(getattr(c.layer, "rate", 0) or 0) >= RATE
              and "Dropout" in type(c.layer).__name__]  # fmt: skip
    recurrent = [
        c.layer for c in case.anatomy.calls if isinstance(c.layer, keras.layers.RNN) and _rate(c.layer) >= RATE
    ]
    layers = list(dict.fromkeys([*strong, *recurrent]))
    if not layers:
        return
    names, where = place(layers)
    rates = ", ".join(f"{layer.name} {_rate(layer):g}" for layer in layers[:4])
    yield Repair(
        ("dropout",),
        "no dropout",
        lambda v: with_(v, edits=(("no dropout", _undropped(layers)),)),
        f"dropout below {RATE}",
        rates,
        "use .1 to .3, and only where a model overfits",
        "Dropout(0.2)",
        names,
        where,
        rank=2,
    )


@repair
def clipping(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Gradients cut to nearly nothing."""
    optimizer = unwrapped(case.model.optimizer)
    given = {n: v for n in ("clipnorm", "clipvalue", "global_clipnorm") if (v := getattr(optimizer, n, None))}
    if not given:
        return
    said = ", ".join(f"{n}={v:g}" for n, v in given.items())
    yield Repair(
        ("gradient-clipping",),
        "no clipping",
        lambda v: with_(v, optimizer=(*v.optimizer, *((n, None) for n in given))),
        "clipping that lets ordinary gradients pass, clipnorm=1.0",
        said,
        "leave it out, or clip at 1",
        "clipnorm=1.0",
        "",
        compiled_at(case.model),
        rank=2,
    )


def _rate(layer: keras.layers.Layer) -> float:
    return float(max(getattr(layer, n, 0) or 0 for n in ("rate", "dropout", "recurrent_dropout")))


def _chance_loss(case: Case) -> float:
    target = case.target
    if target is None or not case.y.size:
        return 1.0
    if target.kind == "regression":
        return float(np.var(case.y.astype("float64"))) or 1.0
    if target.kind == "multilabel":
        return float(np.log(2))
    counts = np.bincount(labels_of(target, case.y))
    share = counts[counts > 0] / counts.sum()
    return max(float(-(share * np.log(share)).sum()), 0.05)


def _unpenalized(model: keras.Model) -> Undo:
    variables = [(v, v.regularizer) for v in model.variables if getattr(v, "regularizer", None) is not None]
    layers = [(layer, layer.activity_regularizer) for layer in model._flatten_layers()
              if getattr(layer, "activity_regularizer", None) is not None]  # fmt: skip
    for variable, _ in variables:
        variable.regularizer = None
    for layer, _ in layers:
        layer.activity_regularizer = None

    def undo() -> None:
        for variable, own in variables:
            variable.regularizer = own
        for layer, own in layers:
            layer.activity_regularizer = own

    return undo


def _constraint(constraint: Any) -> str:
    config = constraint.get_config() if hasattr(constraint, "get_config") else {}
    return f"{type(constraint).__name__}({', '.join(f'{n}={v}' for n, v in config.items())})"


def _unconstrained(model: keras.Model) -> Undo:
    kept = [(v, v.constraint) for v in model.variables if getattr(v, "constraint", None) is not None]
    for variable, _ in kept:
        variable.constraint = None

    def undo() -> None:
        for variable, own in kept:
            variable.constraint = own

    return undo


def _undropped(layers: list[keras.layers.Layer]) -> Edit:
    def edit(model: keras.Model) -> Undo:
        kept = []
        for layer in layers:
            for name in ("rate", "dropout", "recurrent_dropout"):
                for owner in (layer, getattr(layer, "cell", None)):
                    if owner is not None and isinstance(getattr(owner, name, None), float | int):
                        try:
                            kept.append((owner, name, getattr(owner, name)))
                            setattr(owner, name, 0.0)
                        except AttributeError:
                            kept.pop()  # a property of the layer that its cell holds

        def undo() -> None:
            for owner, name, own in reversed(kept):
                setattr(owner, name, own)

        return undo

    return edit
