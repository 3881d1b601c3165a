"""Recurrent layers whose states grow from step to step, or fade over steps that hold nothing."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np

from keras_recipe.diagnosis.anatomy import activation, values
from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.probe import Edit, Outcome, Undo, with_
from keras_recipe.diagnosis.repairs import Repair, place, repair

STRETCH = 1.5
"""Largest factor by which a recurrent kernel may stretch a state; an orthogonal one keeps its length."""

FILLED = 0.3
"""Share of all steps that are padding behind the last token from which a mask is tried."""

UNBOUNDED = ("linear", "relu", "leaky_relu", "elu", "selu", "gelu", "softplus", "exponential")


@repair
def growing_states(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """States that no activation bounds, or that are multiplied by a number above 1 in each step."""
    layers = [c.layer for c in case.anatomy.calls if isinstance(c.layer, keras.layers.RNN)]
    found = []
    for layer in dict.fromkeys(layers):
        cell = layer.cell
        kernel = getattr(cell, "recurrent_kernel", None)
        if kernel is None or not hasattr(cell, "units") or not hasattr(cell, "activation"):
            continue
        gates = np.split(kernel.numpy().astype("float64"), kernel.shape[-1] // cell.units, axis=1)
        stretch = max(float(np.linalg.norm(gate, 2)) for gate in gates)
        if activation(cell) in UNBOUNDED or stretch > STRETCH:
            found.append((layer, activation(cell), stretch))
    if not found:
        return
    names, where = place([layer for layer, _, _ in found])
    yield Repair(
        ("exploding-gradient",),
        "tanh and an orthogonal recurrent kernel",
        lambda v: with_(v, edits=((f"bounded {names}", _bounded([layer for layer, _, _ in found])),)),
        f"an activation that bounds states, and a recurrent kernel that stretches them {STRETCH:g} times at most",
        "; ".join(f"{layer.name}: {name}, stretched {stretch:.2g} times a step" for layer, name, stretch in found[:4]),
        "leave activation and recurrent_initializer as Keras has them, or clip gradients",
        "activation='tanh', recurrent_initializer='orthogonal'; clipnorm=1.0",
        names,
        where,
        rank=2,
    )


@repair
def padding(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Sequences that are filled up with zeros behind their tokens, which a recurrent layer reads after them."""
    calls = case.anatomy.calls
    if not any(isinstance(c.layer, keras.layers.RNN) for c in calls):
        return
    found = {}
    for call in calls:
        if isinstance(call.layer, keras.layers.Embedding) and not call.layer.mask_zero:
            tokens = values(call.input)
            filled = np.minimum.accumulate((tokens == 0)[..., ::-1], axis=-1).mean() if tokens.ndim == 2 else 0.0
            if filled > FILLED:
                found[call.layer] = float(filled)
    if not found:
        return
    names, where = place(list(found))
    yield Repair(
        ("architecture",),
        "padding masked",
        lambda v: with_(v, edits=((f"masked {names}", _masked(list(found))),)),
        "a mask, or padding before the tokens: what comes last is what a recurrent layer knows best",
        "; ".join(
            f"{layer.name}: {share:.0%} of the steps are zeros behind the last token" for layer, share in found.items()
        ),
        "mask the padding, or pad in front",
        "Embedding(..., mask_zero=True), or pad_sequences(..., padding='pre')",
        names,
        where,
        rank=2,
    )


def _masked(layers: list[keras.layers.Embedding]) -> Edit:
    def edit(model: keras.Model) -> Undo:
        kept = [(layer, layer.supports_masking) for layer in layers]
        for layer in layers:
            layer.mask_zero = layer.supports_masking = True

        def undo() -> None:
            for layer, own in kept:
                layer.mask_zero, layer.supports_masking = False, own

        return undo

    return edit


def _bounded(layers: list[keras.layers.RNN]) -> Edit:
    def edit(model: keras.Model) -> Undo:
        kept = [(layer.cell, layer.cell.activation) for layer in layers]
        for seed, (cell, _) in enumerate(kept):
            if activation(cell) in UNBOUNDED:
                cell.activation = keras.activations.tanh
            kernel = cell.recurrent_kernel.numpy()
            gates = np.split(kernel, kernel.shape[-1] // cell.units, axis=1)
            if max(float(np.linalg.norm(gate, 2)) for gate in gates) > STRETCH:
                cell.recurrent_kernel.assign(keras.initializers.Orthogonal(seed=seed)(kernel.shape))

        def undo() -> None:
            for cell, own in kept:
                cell.activation = own

        return undo

    return edit
