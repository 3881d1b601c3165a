"""A pretrained backbone is one only if its weights are in it, and if it sees pictures as it did when it was trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from keras_recipe.checks import check
from keras_recipe.core.records import Finding, Table
from keras_recipe.job import Job
from keras_recipe.models.conventions import CONVENTIONS, levels_of
from keras_recipe.spread import evenly

if TYPE_CHECKING:
    import keras

    from keras_recipe.models.backbones import Origin

UNTOUCHED = 0.5
"""Share of layers that may look as their initializer left them. Of MobileNet and MobileNetV2 trained on ImageNet none
does; of networks that were only built, all do."""

CERTAIN = 1e-3
"""Two-sample Kolmogorov-Smirnov p-value under which a kernel is not what its initializer draws."""

VALUES = 4000
"""Values of a kernel that are compared: a spread that differs by a tenth is then seen."""

LAYERS = 60
"""Layers that are compared, spread evenly over the network."""

KERNELS = (
    ("kernel", "kernel_initializer"),
    ("kernel", "depthwise_initializer"),
    ("depthwise_kernel", "depthwise_initializer"),
)
"""Attributes of a layer's kernel and of its initializer: of most layers, of depthwise and of separable convolutions."""

PICTURES = 128
"""Pictures that statistics are taken from."""

BETTER, FAR = 3.0, 0.03
"""Another range of pixels is the right one if the statistics of the first batch normalization are this many times
nearer to it, and by more than this (nats). Flowers behind MobileNet and MobileNetV2: .01 to .05 as trained, .06 to .17
with red and blue exchanged, .3 and more in the range 0..1, above 5,000 in 0..255. Drawings in grey: .4 to .9 as
trained, and no other range is three times nearer."""

HOPELESS = 1.0
"""Distance (nats) from which on it is an error."""


@check("baseline", order=4)
def backbone_weights(job: Job) -> Iterator[Finding]:
    """Pretrained weights must be in the backbone: compare each layer with what its initializer draws."""
    trunk = _backbone(job)
    if trunk is None:
        return
    origin = getattr(trunk, "origin", None)
    claimed = bool(origin and origin.weights)
    known, untouched = _compared(trunk)
    if not known:
        return
    share = len(untouched) / known
    measured = f"{len(untouched)} of {known} layers are as an initializer leaves them"
    expected = f"at most {UNTOUCHED:.0%} of the layers" if claimed or not trunk.trainable else ""
    evidence = {"compared": known, "untouched": untouched[:100]}
    if share > UNTOUCHED and (claimed or not trunk.trainable):
        what = (
            "weights were loaded, but most layers are untouched" if claimed else "the frozen backbone was never trained"
        )
        yield Finding(
            "error",
            "pretrained",
            f"{what}: its features are random",
            expected,
            measured,
            "load pretrained weights, or train the backbone",
            evidence,
        )
        return
    yield Finding("ok" if claimed else "info", "pretrained", _described(origin), expected, measured, "", evidence)


@check("baseline", order=6)
def backbone_input(job: Job) -> Iterator[Finding]:
    """Pixels must reach a pretrained backbone in the form it was trained with: judged by its own statistics."""
    trunk = _backbone(job)
    first = _first_norm(trunk) if trunk is not None else None
    if trunk is not None and first is None and (origin := getattr(trunk, "origin", None)) and origin.weights:
        what = "the form of the pixels cannot be judged: the backbone has stored no statistics of a batch"
        yield Finding("info", "preprocessing", what, "", f"it is fed as {origin.name} says", "", {})
    if trunk is None or first is None or _is_untouched(first):
        return
    import keras

    pictures, _ = job.sample(job.problem.train, PICTURES)
    model = job.fresh(job.seed).model
    inner = keras.Model(trunk.inputs[0], first.input)
    fed = np.asarray(keras.Model(model.inputs[0], _fed(trunk))(pictures))
    distances = {"as it is": _distance(inner, first, fed)}
    levels = _levels(job, pictures, fed.shape[1:3])
    for name, convention in CONVENTIONS.items():
        for bgr in (False, True) if job.problem.signature.shape[-1] == 3 else (False,):
            x = convention.apply(levels)
            said = f"{name}, {'B, G, R' if bgr != convention.bgr else 'R, G, B'}"
            distances[said] = _distance(inner, first, x[..., ::-1] if bgr else x)
    best = min(distances, key=lambda name: distances[name])
    own, least = distances["as it is"], distances[best]
    table = Table(("pixels", "distance in nats"), tuple((name, round(d, 3)) for name, d in distances.items()))
    measured = f"{own:.3g} nats from the statistics that {first.name!r} has stored; {least:.3g} for {best}"
    evidence = {"layer": first.name, "distances": distances}
    if own > BETTER * least and own - least > FAR:
        yield Finding(
            "error" if own - least > HOPELESS else "warning",
            "preprocessing",
            f"the backbone was trained on pixels in another form: {best}",
            "pictures in the form that the backbone was trained on",
            measured,
            "give the convention of the backbone: convention='...' for `backbone`, or its own preprocess_input",
            evidence,
            table=table,
        )
        return
    yield Finding(
        "ok",
        "preprocessing",
        "pictures reach the backbone in the form that it was trained on",
        "no other form that is nearer",
        measured,
        "",
        evidence,
        table=table,
    )


def _described(origin: Origin | None) -> str:
    if origin is None:
        return "the backbone has been trained before"
    trained = f"weights of {origin.weights}" if origin.weights else "random weights"
    said = f"{origin.name}, {trained}, sees {origin.side} pixels"
    if origin.enlarged > 1:
        said += f": pictures are enlarged {origin.enlarged:.2g} times, so that its first layers do not destroy them"
    if origin.trained_side and origin.trained_side != origin.side:
        said += f" (trained at {origin.trained_side})"
    return said


def _backbone(job: Job) -> keras.Model | None:
    """The nested model that pictures go through first: the layer "backbone", or the only model among the layers."""
    if job.problem.signature.kind != "image":
        return None
    import keras

    nested = [layer for layer in job.fresh(job.seed).model.layers if isinstance(layer, keras.Model)]
    named = [layer for layer in nested if layer.name == "backbone"]
    found = named or nested
    return found[0] if len(found) == 1 and isinstance(found[0].inputs, list) else None


def _compared(trunk: keras.Model) -> tuple[int, list[str]]:
    """How many layers could be compared with their initializers, and the names of those that look untouched."""
    import keras

    from keras_recipe.reseed import seeded

    layers = [
        layer
        for layer in trunk._flatten_layers(include_self=False)
        if isinstance(layer, keras.layers.BatchNormalization) or _kernel(layer) is not None
    ]
    chosen = [layers[i] for i in evenly(len(layers), LAYERS)]
    with seeded(0):
        return len(chosen), [layer.name for layer in chosen if _is_untouched(layer)]


def _kernel(layer: keras.layers.Layer) -> tuple[Any, Any] | None:
    """A layer's kernel and the initializer that drew it."""
    for attribute, drawn_by in KERNELS:
        variable, initializer = getattr(layer, attribute, None), getattr(layer, drawn_by, None)
        if variable is not None and initializer is not None and "seed" in initializer.get_config():
            return variable, initializer
    return None


def _is_untouched(layer: keras.layers.Layer) -> bool:
    found = _kernel(layer)
    if found is None:
        return all(_is_initial(v) for v in layer.variables)
    variable, initializer = found
    own = np.asarray(variable).ravel()
    drawn = np.asarray(initializer.clone()(variable.shape)).ravel()
    step = max(1, len(own) // VALUES)
    return bool(stats.ks_2samp(own[::step], drawn[::step]).pvalue > CERTAIN)


def _is_initial(variable: Any) -> bool:
    """Whether a weight or statistic of a batch normalization is what it is built with."""
    start = 1.0 if variable.name in ("gamma", "moving_variance") else 0.0
    return bool((np.asarray(variable) == start).all())


def _first_norm(trunk: keras.Model) -> keras.layers.BatchNormalization | None:
    import keras

    return next((layer for layer in trunk.layers if isinstance(layer, keras.layers.BatchNormalization)), None)


def _fed(trunk: keras.Model) -> Any:
    """The tensor that the model feeds to the backbone."""
    return trunk._inbound_nodes[-1].input_tensors[0]


def _levels(job: Job, pictures: np.ndarray, side: tuple[int, int]) -> np.ndarray:
    """Pictures as levels 0..255, R, G, B, of the size that the backbone sees."""
    import keras

    stretch = levels_of(job.problem)
    x = np.asarray(
        keras.layers.Resizing(*side, antialias=True)(pictures.astype("float32") * stretch.scale + stretch.offset)
    )
    return np.repeat(x, 3, axis=-1) if x.shape[-1] == 1 else x


def _distance(inner: keras.Model, norm: keras.layers.BatchNormalization, x: np.ndarray) -> float:
    """Mean Kullback-Leibler divergence, by channel, of what reaches `norm` from what it has stored, as Gaussians."""
    values = np.asarray(inner(x, training=False), "float64")
    axes = tuple(range(values.ndim - 1))
    mean, variance = values.mean(axis=axes), values.var(axis=axes) + norm.epsilon
    stored = np.asarray(norm.moving_variance, "float64") + norm.epsilon
    shift = (mean - np.asarray(norm.moving_mean, "float64")) ** 2
    return float(np.mean((variance / stored + shift / stored - 1 - np.log(variance / stored)) / 2))
