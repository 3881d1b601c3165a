"""Where the weights begin, and which of them may move."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np

from keras_recipe.diagnosis.anatomy import steps_itself
from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.probe import Edit, Outcome, Undo, with_
from keras_recipe.diagnosis.repairs import Repair, place, repair
from keras_recipe.diagnosis.repairs.hidden import dead_layers

LOW, HIGH = 0.33, 3.0
"""Standard deviations of a kernel, in parts of Glorot & Bengio's (2010, eq. 16), that a network usually begins with."""

BIAS = 2.0
"""Mean of the absolute biases of a hidden layer from which they outweigh inputs of about 1."""


@repair
def initial_weights(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Kernels far from the usual size, or all alike, and biases that switch units off."""
    strange = []
    for call in case.anatomy.weighted:
        kernel = getattr(call.layer, "kernel", None)
        if kernel is None or not call.layer.trainable_weights or isinstance(call.layer, keras.layers.Embedding):
            continue
        value = kernel.numpy().astype("float64")
        if value.size < 8:
            continue
        ratio = float(np.std(value)) / glorot(value.shape)
        bias = getattr(call.layer, "bias", None)
        shifted = bias is not None and call is not case.head and float(np.mean(np.abs(bias.numpy()))) > BIAS
        if not LOW < ratio < HIGH or np.mean(value == 0) > 0.995 or shifted:
            strange.append((call.layer, ratio, shifted))
    # Units behind kernels of zeros are not dead: they are 0 because of them.
    dead = [] if any(ratio == 0 for _, ratio, _ in strange) else dead_layers(case)
    if not strange and not dead:
        return
    layers = list(dict.fromkeys([*(layer for layer, _, _ in strange), *(layer for layer, _ in dead if layer.weights)]))
    if not layers:
        return
    said = [
        f"{layer.name}: {ratio:.2g} of Glorot's{', a bias of its own' * shifted}" for layer, ratio, shifted in strange
    ]
    said += [f"{layer.name}: {share:.0%} of the units are 0 for every example" for layer, share in dead]
    names, where = place(layers)
    causes = (("dead-units",) if dead else ()) + (("initializer",) if strange else ())
    yield Repair(
        causes,
        "Glorot's initial weights, and biases of 0",
        lambda v: with_(v, edits=((f"initial {names}", _drawn(layers)),)),
        f"kernels that begin with {LOW} to {HIGH:g} times the deviation of Glorot & Bengio (2010)",
        "; ".join(said[:4]),
        "leave the initializers as Keras has them",
        "kernel_initializer='glorot_uniform', bias_initializer='zeros'",
        names,
        where,
        rank=2,
    )


@repair
def frozen_layers(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Layers with weights that are not trained."""
    frozen = [
        c.layer for c in case.anatomy.calls
        if c.layer.weights and not c.layer.trainable_variables
        and not isinstance(c.layer, keras.layers.BatchNormalization | keras.layers.Normalization)
    ]  # fmt: skip
    frozen = [layer for layer in dict.fromkeys(frozen) if any("seed" not in v.name for v in layer.variables)
              and not type(layer).__module__.endswith("discretization") and not _adapted(layer)]  # fmt: skip
    if not frozen:
        return
    count = sum(int(np.prod(v.shape)) for layer in frozen for v in layer.weights)
    every = sum(int(np.prod(v.shape)) for v in case.model.weights)
    names, where = place(frozen)
    yield Repair(
        ("frozen-layers",),
        "all layers trained",
        lambda v: with_(v, edits=(("trainable", _unfrozen),)),
        "layers that learn",
        f"{count:,} of {every:,} weights do not move: {_short(names)} has trainable=False",
        "set trainable=True, before compile",
        "layer.trainable = True",
        names,
        where,
        rank=2,
    )


@repair
def untouched_layers(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Trainable layers that a training step of the script's own leaves as they are."""
    if own is None or not own.finite or own.steps < 5 or not case.known_loss:
        return
    if not steps_itself(case.model) or not case.targets:
        return
    still = {id(v) for v in own.still}
    layers = [c.layer for c in case.anatomy.calls if c.layer.trainable_variables
              and all(id(v) in still for v in c.layer.trainable_variables)]  # fmt: skip
    if not layers:
        return
    names, where = place(layers)
    yield Repair(
        ("frozen-layers",),
        "the training step of Keras",
        lambda v: with_(v, plain=True),
        "every trainable layer moved by train_step",
        f"{_short(names)}: not moved in {own.steps:,} steps",
        "take gradients of model.trainable_variables, and apply them all",
        "gradients = tape.gradient(loss, self.trainable_variables)",
        names,
        where,
        rank=2,
    )


def _adapted(layer: keras.layers.Layer) -> bool:
    return hasattr(layer, "adapt")


def glorot(shape: tuple[int, ...]) -> float:
    """Standard deviation of Glorot & Bengio's initialization of a kernel."""
    field = int(np.prod(shape[:-2])) if len(shape) > 2 else 1
    inputs, outputs = (shape[-2], shape[-1]) if len(shape) > 1 else (shape[0], 1)
    return float(np.sqrt(2.0 / (field * (inputs + outputs))))


def _short(names: str) -> str:
    each = names.split(", ")
    return names if len(each) <= 4 else f"{', '.join(each[:3])} and {len(each) - 3} more"


def _drawn(layers: list[keras.layers.Layer]) -> Edit:
    def edit(model: keras.Model) -> Undo:
        for seed, layer in enumerate(layers):
            kernel, bias = getattr(layer, "kernel", None), getattr(layer, "bias", None)
            if kernel is not None:
                kernel.assign(keras.initializers.GlorotUniform(seed)(kernel.shape))
            if bias is not None:
                bias.assign(np.zeros(bias.shape))
        return lambda: None  # the probe puts weights back itself

    return edit


def _unfrozen(model: keras.Model) -> Undo:
    layers = [layer for layer in model._flatten_layers() if not layer.trainable or layer.weights]
    kept = [(layer, layer.trainable) for layer in layers]
    variables = [(v, v.trainable) for layer in layers for v in layer._trainable_variables]
    for layer in layers:
        if not _adapted(layer):
            layer.trainable = True

    def undo() -> None:
        for layer, own in reversed(kept):
            layer._trainable = own
        for variable, own in variables:
            variable.trainable = own

    return undo
