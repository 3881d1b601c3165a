"""The output: its units, its activation and its loss must be fit for the targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_recipe.diagnosis.anatomy import compiled_at, location_of, steps_itself, values
from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.probe import Edit, Head, Outcome, Scaling, Undo, Variant, with_
from keras_recipe.diagnosis.repairs import Repair, place, repair
from keras_recipe.diagnosis.rows import Rows, leaves, mapped
from keras_recipe.diagnosis.targets import CLASSIFYING, REGRESSING, Target

RANGES = {
    "sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, np.inf), "softplus": (0.0, np.inf),
    "exponential": (0.0, np.inf), "hard_sigmoid": (0.0, 1.0), "softsign": (-1.0, 1.0), "relu6": (0.0, 6.0),
}  # fmt: skip
"""What an activation can put out."""

UNHEARD = 0.02
"""Weight of the loss of one output, in parts of that of another, below which it may be forgotten."""

OUTSIDE = 0.02
"""Share of the targets outside the range of the output from which it is no matter of rounding."""


@repair
def output(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Units, activation and loss of a single output against what the targets mean."""
    target, loss, activation, units = case.target, case.loss, case.last_activation, case.units
    if target is None or case.head is None or (not loss.name and target.kind == "regression"):
        return
    right_loss, right_activation = canonical(case, target)
    if not loss.name and (right_activation != activation and activation in ("", "linear")):
        return  # a loss of the script's own may well take sums
    bad_units = _units(target, units, loss.name)
    bad_loss = loss.name not in fit_losses(target, units) if loss.name else False
    bad_activation, impossible, said = _activation(case, target)
    if bad_loss and not impossible and activation == right_activation:
        bad_activation = False  # it is right for the right loss
    if not (bad_units or bad_loss or bad_activation):
        return
    causes = (
        *(("units",) if bad_units else ()),
        *(("last-activation",) if bad_activation else ()),
        *(("loss",) if bad_loss else ()),
    )
    wanted = target.wanted_units if bad_units else units
    name, where = place([case.head.layer])
    logits = f"keras.losses.{_class(right_loss)}(from_logits=True)" if "crossentropy" in right_loss else right_loss
    head = f"{wanted} unit{'s' if wanted > 1 else ''}, {right_activation}, {right_loss}"
    measured = f"{units} unit{'s' if units > 1 else ''}, {activation or 'an activation of its own'}, {_said(case)}"
    replaced = case.head.layer.__class__.__name__ == "Dense" and bad_units
    if bad_units and not replaced:
        return
    remapped = _remapped(target, right_loss)

    def change(variant: Variant) -> Variant:
        changed = with_(variant, head=Head(right_loss, wanted if replaced else 0))
        return with_(changed, targets=(remapped,)) if remapped is not None else changed

    yield Repair(
        causes,
        f"an output of {head}",
        change,
        f"{head} for {_meaning(target)}",
        measured + (f": {said}" if said else ""),
        f"end in Dense({wanted}, activation={right_activation!r}) and train with loss={right_loss!r}, or in "
        f"Dense({wanted}) with {logits}",
        f"{type(case.head.layer).__name__}({wanted}, activation={right_activation!r}); compile(loss={right_loss!r})",
        name,
        where or location_of(case.model),
        impossible=impossible or bad_units,
        certain=True,
        rank=1,
    )


@repair
def mixing_loss(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """A loss of the script's own whose value for a batch is not the mean of its values for each example.

    Targets (n,) and outputs (n, 1) that meet in such a loss become a matrix of all pairs.
    """
    if case.target is None or case.known_loss or case.head is None or steps_itself(case.model):
        return
    rows = case.data.train.take(np.arange(min(16, len(case.data.train))))
    together = _loss_of(case, rows)
    alone = float(np.mean([_loss_of(case, rows.take(np.array([i]))) for i in range(len(rows))]))
    if not np.isfinite([together, alone]).all() or abs(together - alone) < 0.1 * max(abs(alone), 1e-6):
        return
    loss, _ = canonical(case, case.target)
    if case.units < case.target.wanted_units:
        return
    yield Repair(
        ("loss",),
        f"{loss} in place of the loss of its own",
        lambda v: with_(v, head=Head(loss)),
        "a loss that is the mean over examples",
        f"{together:.4g} for {len(rows)} examples at once, {alone:.4g} in the mean of each alone",
        f"compare shapes in the loss: targets {case.y.shape[1:]}, outputs {case.units}; reshape both, or use {loss!r}",
        "y_true = ops.reshape(y_true, ops.shape(y_pred))",
        "",
        compiled_at(case.model),
        rank=1,
    )


@repair
def mixing_step(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """A training step of the script's own, to which targets come as (n,) while outputs are (n, 1): subtracted from each
    other they become a matrix of all pairs. Whether it does that shows where the targets are a column."""
    if case.target is None or not steps_itself(case.model) or case.y.ndim != 1:
        return
    if [tuple(leaf.shape[1:]) for leaf in leaves(case.anatomy.outputs)] != [(1,)]:
        return
    yield Repair(
        ("loss",),
        "targets in the shape of the outputs",
        lambda v: with_(v, column=True),
        "targets and outputs of one shape where the loss compares them",
        f"targets {case.y.shape}, outputs ({len(case.y)}, 1) in a training step of its own",
        "compare shapes in train_step: (n,) - (n, 1) is a matrix of all pairs; give y a last axis",
        "y = tf.reshape(y, tf.shape(y_pred))",
        "",
        compiled_at(case.model),
        rank=1,
    )


def _loss_of(case: Case, rows: Rows) -> float:
    """Of these rows; of a regression with outputs that are right, which broadcasting makes wrong in any case."""
    x, y = mapped(keras.ops.convert_to_tensor, rows.x), mapped(keras.ops.convert_to_tensor, rows.y)
    outputs = case.model(x, training=False)
    truth = leaves(rows.y)[0]
    if case.target is not None and case.target.kind == "regression" and truth.size == np.prod(outputs.shape):
        outputs = keras.ops.convert_to_tensor(truth.reshape(tuple(outputs.shape)).astype("float32"))
    return float(case.model.compute_loss(x=x, y=y, y_pred=outputs, training=False))


@repair
def one_of_several(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Softmax over one unit, in one of several outputs."""
    heads = case.anatomy.heads
    for call, activation in heads if len(heads) > 1 else ():
        if activation != "softmax" or call.output.shape[-1] != 1 or not hasattr(call.layer, "activation"):
            continue
        name, where = place([call.layer])
        yield Repair(
            ("last-activation",),
            f"sigmoid in {name}",
            lambda v, layer=call.layer: with_(v, edits=((f"sigmoid {layer.name}", _sigmoid(layer)),)),  # type: ignore[misc]
            "sigmoid for two classes in one unit",
            "softmax over one unit is 1 for every example",
            "use Dense(1, activation='sigmoid')",
            "activation='sigmoid'",
            name,
            where,
            impossible=True,
            rank=1,
        )


@repair
def loss_weights(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Outputs whose losses weigh next to nothing beside those of others."""
    compiled = getattr(case.model, "_compile_loss", None)
    given = [float(w) for w in leaves(getattr(compiled, "_user_loss_weights", None))]
    if len(given) < 2 or min(given) > UNHEARD * max(given):
        return
    yield Repair(
        ("loss",),
        "outputs of equal weight",
        lambda v: with_(v, edits=(("equal losses", _equal),)),
        f"weights that bring all losses to about one size, {UNHEARD:g} apart at most",
        ", ".join(f"{w:g}" for w in given),
        "leave loss_weights out, or make them so that no output is forgotten",
        "loss_weights=None",
        location=compiled_at(case.model),
        rank=3,
    )


def _equal(model: keras.Model) -> Undo:
    compiled = model._compile_loss
    given, built, flat = compiled._user_loss_weights, compiled.built, compiled._flat_losses
    compiled._user_loss_weights = None
    if flat is not None:
        compiled._flat_losses = [each._replace(loss_weights=1.0) for each in flat]

    def undo() -> None:
        compiled._user_loss_weights, compiled._flat_losses, compiled.built = given, flat, built

    return undo


def _sigmoid(layer: Any) -> Edit:
    def edit(model: keras.Model) -> Undo:
        own, layer.activation = layer.activation, keras.activations.sigmoid
        return lambda: setattr(layer, "activation", own)

    return edit


def canonical(case: Case, target: Target) -> tuple[str, str]:
    """Loss and activation that these targets are commonly trained with."""
    if target.kind == "multiclass":
        return ("categorical_crossentropy" if target.one_hot else "sparse_categorical_crossentropy"), "softmax"
    if target.kind in ("binary", "multilabel"):
        return "binary_crossentropy", "sigmoid"
    return (case.loss.name if case.loss.name in REGRESSING else "mean_squared_error"), "linear"


def fit_losses(target: Target, units: int) -> tuple[str, ...]:
    """Losses that these targets can be trained with."""
    if target.kind == "multiclass":
        if target.one_hot:
            return ("categorical_crossentropy", "kl_divergence", "binary_crossentropy", "categorical_hinge",
                    "mean_squared_error", "categorical_focal_crossentropy", "binary_focal_crossentropy",
                    "cosine_similarity")  # fmt: skip
        return ("sparse_categorical_crossentropy",)
    if target.kind == "binary":
        named = ("binary_crossentropy", "binary_focal_crossentropy", "hinge", "squared_hinge", "mean_squared_error",
                 "mean_absolute_error", "huber", "log_cosh")  # fmt: skip
        return named if units == 1 else (*named, "sparse_categorical_crossentropy", "categorical_crossentropy")
    if target.kind == "multilabel":
        return ("binary_crossentropy", "binary_focal_crossentropy")
    return (*REGRESSING, "cosine_similarity", "binary_crossentropy")


def _units(target: Target, units: int, loss: str) -> bool:
    if target.kind == "multiclass":
        return units < target.classes and len(target.values) != 2
    if target.kind == "regression":
        return units != target.classes and loss in REGRESSING
    return units < target.wanted_units


def _activation(case: Case, target: Target) -> tuple[bool, bool, str]:
    """Whether the last activation is unfit, whether by proof, and why."""
    activation, loss, units = case.last_activation, case.loss, case.units
    if not activation:
        bad = "crossentropy" in loss.name and not loss.from_logits and not _probable(case)
        return bad, False, "outputs that are no probabilities" if bad else ""
    if activation == "softmax" and units == 1:
        return True, True, "softmax over one unit is 1 for every example"
    if activation == "softmax" and target.kind == "multiclass" and not _adds_up(case):
        return True, True, "softmax over another axis than that of the classes"
    if target.kind == "regression":
        low, high = RANGES.get(activation, (-np.inf, np.inf))
        finite = case.y[np.isfinite(case.y.astype("float64"))].astype("float64")
        outside = float(np.mean((finite < low - 1e-3) | (finite > high + 1e-3))) if finite.size else 0.0
        if outside > OUTSIDE:
            span = f"{finite.min():.4g} to {finite.max():.4g}"
            return True, outside > 0.2, f"{outside:.0%} of the targets ({span}) are outside what {activation} can be"
        return activation == "softmax" and units == target.classes, False, ""
    if "crossentropy" in loss.name or loss.name == "kl_divergence":
        if loss.from_logits:
            bad = activation in RANGES
            return bad, False, f"{activation} before a loss that takes logits" if bad else ""
        right = (
            ("softmax",)
            if "categorical" in loss.name or loss.name == "kl_divergence"
            else ("sigmoid", "hard_sigmoid", *(("softmax",) if target.kind == "multiclass" else ()))
        )
        bad = activation not in right
        return bad, False, f"{activation} where the loss takes probabilities" if bad else ""
    if "hinge" in loss.name:
        return activation in ("softmax", "sigmoid", "relu"), False, ""
    if target.kind == "multilabel":
        return activation in ("softmax", "relu", "tanh"), False, ""
    return activation in ("relu", *(("softmax",) if target.kind == "binary" and units == 1 else ())), False, ""


def _probable(case: Case) -> bool:
    """Whether the outputs lie between 0 and 1."""
    found = values(leaves(case.anatomy.outputs)[0])
    return not np.isfinite(found).all() or bool(((found > -1e-3) & (found < 1 + 1e-3)).all())


def _adds_up(case: Case) -> bool:
    """Whether the outputs of each example add up to 1."""
    sums = values(leaves(case.anatomy.outputs)[0]).sum(axis=-1)
    return not np.isfinite(sums).all() or bool(np.median(np.abs(sums - 1)) < 0.01)


def _remapped(target: Target, loss: str) -> Scaling | None:
    """Two labels as 0 and 1."""
    if target.kind == "binary" and loss == "binary_crossentropy" and target.values not in ((0.0, 1.0), ()):
        return Scaling(target.values[0], target.values[1] - target.values[0])
    return None


def _meaning(target: Target) -> str:
    if target.kind == "regression":
        return f"targets of {target.classes} number{'s' if target.classes > 1 else ''}"
    form = " in one column" if target.values else ", one-hot" if target.one_hot else ""
    return {"multiclass": f"{target.classes} classes{form}", "binary": "two classes"}.get(
        target.kind, f"{target.classes} labels, any of which may hold"
    )


def _said(case: Case) -> str:
    if not case.loss.name:
        return "a loss of its own"
    return case.loss.name + ("(from_logits=True)" if case.loss.from_logits else "")


def _class(loss: str) -> str:
    return "".join(part.capitalize() for part in loss.split("_"))


assert set(REGRESSING).isdisjoint(CLASSIFYING)
