"""A plain network for the same rows: what the model could learn if nothing were in its way."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import keras
import numpy as np

from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.probe import Probe, Scaling, Variant
from keras_recipe.diagnosis.repairs.scale import scaling_of
from keras_recipe.diagnosis.rows import Rows, leaves
from keras_recipe.diagnosis.targets import Target, labels_of, score

STEPS, BATCH, RATE = 1500, 32, 3e-3
"""Of its training by Adam, which ends early where time is short."""

VOCABULARY, LENGTH, SIDE = 50_000, 500, 64
"""Tokens, steps of a sequence and sides of a picture, above which it would be slow."""


@dataclass(frozen=True)
class Reference:
    """A plain network that was trained.

    Attributes:
        name: what it is, "a plain convolutional network".
        score: on the held-out rows.
        steps: of training.
    """

    name: str
    score: float
    steps: int


def reference(case: Case, deadline: float) -> Reference | None:
    """Train it; None where it is not known what the inputs or the targets are, or where there is no time."""
    target, x, y = case.target, leaves(case.data.train.x), case.y
    left = deadline - time.monotonic()
    if target is None or case.reconstruction or len(x) != 1 or x[0].dtype.kind not in "iuf" or left < 2:
        return None
    regression = target.kind == "regression"
    if not regression and target.kind != "multilabel" and len(labels_of(target, y)) != len(y):
        return None  # a label for each step or pixel
    outputs = int(np.prod(y.shape[1:])) if target.kind in ("regression", "multilabel") else target.wanted_units
    found = _network(case, x[0], outputs)
    if found is None:
        return None
    name, model, scaling = found
    if regression:
        model.compile(keras.optimizers.Adam(RATE), "mse")
    elif target.kind == "multiclass":
        model.compile(keras.optimizers.Adam(RATE), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    else:
        model.compile(keras.optimizers.Adam(RATE), keras.losses.BinaryCrossentropy(from_logits=True))
    flat = y.reshape(len(y), -1).astype("float64")
    targets = Scaling(flat.mean(axis=0), np.maximum(flat.std(axis=0), 1e-9))

    def prepared(rows: Rows) -> Rows:
        inputs = leaves(rows.x)[0]
        inputs = scaling.apply(inputs) if scaling is not None else inputs.astype("int32")
        return Rows(inputs, _targets(target, leaves(rows.y)[0], targets))

    data = replace(
        case.data,
        train=prepared(case.data.train),
        held=prepared(case.data.held),
        batch=BATCH,
        ordered=False,
        steps=STEPS,
    )
    outcome = Probe(model, data, np.full(STEPS, RATE, "float32"), None).train(Variant(), seconds=0.7 * left)
    said = leaves(outcome.outputs)[0]
    said = targets.undo(said) if regression else said
    return Reference(name, score(target, leaves(case.data.held.y)[0], said, logits=True), len(outcome.losses))


def _targets(target: Target, y: np.ndarray, scaling: Scaling) -> np.ndarray:
    if target.kind == "regression":
        return scaling.apply(y.reshape(len(y), -1))
    if target.kind == "multilabel":
        return y.reshape(len(y), -1).astype("float32")
    labels = labels_of(target, y)
    return labels.astype("int32") if target.kind == "multiclass" else labels.reshape(-1, 1).astype("float32")


def _network(case: Case, x: np.ndarray, outputs: int) -> tuple[str, keras.Model, Scaling | None] | None:
    """A network that suits such inputs, what it is called, and how they are scaled; None for tokens."""
    layers, head = keras.layers, keras.layers.Dense(outputs)
    if any(isinstance(c.layer, layers.Embedding) for c in case.anatomy.calls):
        whole = x.ndim == 2 and bool((x == np.round(x)).all()) and x.min() >= 0
        if not whole or x.max() >= VOCABULARY or x.shape[1] > LENGTH:
            return None
        body = [layers.Embedding(int(x.max()) + 2, 32, mask_zero=bool((x == 0).any())), layers.GRU(32), head]
        return "a plain recurrent network", keras.Sequential([keras.Input((x.shape[1],), dtype="int32"), *body]), None
    scaling = scaling_of(x.astype("float32"))
    if x.ndim == 2:
        name, body = "a plain network of two layers", [layers.Dense(64, "relu"), layers.Dense(64, "relu"), head]
    elif x.ndim == 3 and x.shape[1] <= LENGTH:
        name, body = "a plain recurrent network", [layers.GRU(32), head]
    elif x.ndim == 4 and max(x.shape[1:3]) <= SIDE:
        pictures = [
            layers.Conv2D(16, 3, 2, "same", activation="relu"),
            layers.Conv2D(32, 3, 2, "same", activation="relu"),
        ]
        name, body = "a plain convolutional network", [*pictures, layers.Flatten(), layers.Dense(64, "relu"), head]
    else:
        return None
    return name, keras.Sequential([keras.Input(x.shape[1:]), *body]), scaling
