"""Batch normalization whose statistics are not those of the data."""

from __future__ import annotations

from collections.abc import Iterator

import keras

from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.probe import Edit, Outcome, Undo, with_
from keras_recipe.diagnosis.repairs import Repair, place, repair

MOMENTUM = 0.9
"""With it fifty steps suffice to forget where the statistics began."""


@repair
def batch_statistics(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Good in training mode, bad in inference mode: the moving statistics did not follow."""
    layers = [c.layer for c in case.anatomy.calls if isinstance(c.layer, keras.layers.BatchNormalization)]
    if not layers or own is None or own.training_outputs is None or case.data.batch <= 2:
        return
    truth = case.data.train.take(own.some).y
    training, inference = case.score(own.training_outputs, truth), case.score(own.train_outputs, truth)
    if not training - inference > max(0.1 * (1 - case.dumb), 4 * case.error):
        return
    names, where = place(layers)
    slow = max(float(layer.momentum) for layer in layers)
    frozen = [layer for layer in layers if not layer.trainable]
    said = "trainable=False" if frozen else f"momentum {slow:g}, {case.data.steps} steps"
    yield Repair(
        ("batch-normalization",),
        f"statistics that follow, momentum {MOMENTUM}",
        lambda v: with_(v, edits=(("statistics", _following(layers)),)),
        f"as good in inference mode as in training mode, {training:.3f}",
        f"{inference:.3f} in inference mode; {said}",
        "let the moving statistics follow: momentum=0.9 in short runs, trainable=True, pass training= on",
        f"BatchNormalization(momentum={MOMENTUM})",
        names,
        where,
        rank=2,
    )


def _following(layers: list[keras.layers.BatchNormalization]) -> Edit:
    def edit(model: keras.Model) -> Undo:
        kept = [(layer, layer.momentum, layer.trainable) for layer in layers]
        for layer in layers:
            layer.momentum = min(layer.momentum, MOMENTUM)
            layer.trainable = True

        def undo() -> None:
            for layer, momentum, trainable in kept:
                layer.momentum = momentum
                layer.trainable = trainable

        return undo

    return edit
