"""Hidden layers: without an activation they are one layer, and those that saturate pass no gradient on."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np

from keras_recipe.diagnosis.anatomy import activation, values
from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.gradients import gradients
from keras_recipe.diagnosis.probe import Edit, Outcome, Undo, with_
from keras_recipe.diagnosis.repairs import Repair, place, repair

VANISHED = 1e-3
"""Gradient of the first kernel layer in parts of that of the last one, both by weight, below which it has vanished."""


@repair
def linear_layers(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Kernel layers that follow each other with nothing non-linear between them."""
    layers = list({id(a.layer): a.layer for a, _ in case.anatomy.linear_pairs}.values())
    if not layers:
        return
    names, where = place(layers)
    yield Repair(
        ("hidden-activation",),
        "relu in the hidden layers",
        lambda v: with_(v, edits=((f"relu {names}", _relu(layers)),)),
        "a non-linear function between two layers that multiply",
        f"none after {names}: together with the next layer it is one linear layer",
        "give the hidden layers an activation",
        "activation='relu'",
        names,
        where,
        rank=2,
    )


@repair
def saturated_layers(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Softmax, sigmoid or tanh in hidden layers, where gradients vanish behind them."""
    heads = {id(call.layer) for call, _ in case.anatomy.heads}
    hidden = [c.layer for c in case.anatomy.calls if id(c.layer) not in heads and hasattr(c.layer, "activation")
              and not isinstance(c.layer, keras.layers.RNN)]  # fmt: skip
    last = case.anatomy.calls.index(case.head) if case.head is not None else len(case.anatomy.calls)
    before = [c.layer for c in case.anatomy.calls[:last]]
    hidden = [layer for layer in dict.fromkeys(hidden) if layer in before]
    mixing = [layer for layer in hidden if activation(layer) == "softmax"]
    if mixing:
        names, where = place(mixing)
        yield Repair(
            ("hidden-activation",),
            "relu in place of softmax",
            lambda v: with_(v, edits=((f"relu {names}", _relu(mixing)),)),
            "relu or alike in hidden layers",
            f"softmax in {names}: its units compete for a sum of 1",
            "use relu in hidden layers",
            "activation='relu'",
            names,
            where,
            rank=2,
        )
    squashing = [layer for layer in hidden if activation(layer) in ("sigmoid", "tanh", "hard_sigmoid", "softsign")]
    if len(squashing) < 2:
        return
    found = gradients(case)
    if found is None:
        return
    ratio = found[0] / max(found[1], 1e-30)
    if ratio > VANISHED:
        return
    names, where = place(squashing)
    yield Repair(
        ("vanishing-gradient", "hidden-activation"),
        "relu in place of " + activation(squashing[0]),
        lambda v: with_(v, edits=((f"relu {names}", _relu(squashing)),)),
        f"a gradient of the first layer at least {VANISHED:g} of that of the last",
        f"{ratio:.1g}",
        "use relu, normalization or residual connections; scale the inputs",
        "activation='relu'",
        names,
        where,
        rank=3,
    )


def dead_share(output: np.ndarray) -> float:
    """Share of the units, the last axis, that are 0 for every example."""
    if not output.size:
        return 0.0
    return float((np.abs(output).reshape(-1, output.shape[-1]).max(axis=0) == 0).mean())


def dead_layers(case: Case) -> list[tuple[keras.layers.Layer, float]]:
    """Layers of which nearly all units are 0 for every example, with the share."""
    found = []
    for call in case.anatomy.calls:
        if activation(call.layer) in ("relu", "relu6") and (share := dead_share(values(call.output))) > 0.9:
            found.append((call.layer, share))
    return found


def _relu(layers: list[keras.layers.Layer]) -> Edit:
    def edit(model: keras.Model) -> Undo:
        kept = [layer.activation for layer in layers]
        for layer in layers:
            layer.activation = keras.activations.relu

        def undo() -> None:
            for layer, own in zip(layers, kept, strict=True):
                layer.activation = own

        return undo

    return edit
