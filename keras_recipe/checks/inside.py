"""Look inside the trained model: the weights of its first layer, and what its layers make of a few examples.

The essay: noise in the first-layer filters, where there should be nice edges, and odd artifacts in activations hint at
problems that no score shows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from keras_recipe import objectives
from keras_recipe.checks import check
from keras_recipe.core.records import Finding, Table
from keras_recipe.importance import FEATURES
from keras_recipe.job import Job
from keras_recipe.models.layers import Compute, Placed, inputs_of, outputs_of, placed
from keras_recipe.pictures import CELL, grid

if TYPE_CHECKING:
    import keras

FILTERS = 64
"""Filters in the picture, and in the comparison with noise."""

SHUFFLES = 99
"""Times that the pixels of the filters are shuffled: the smallest p-value is then .01."""

FROM_NOISE = 0.01
"""p-value up to which filters, or what training has changed of them, have more structure than their own pixels in
another order. The change says more: what is left of a random start is noise in healthy filters, too."""

PIXELS, LEAST = 25, 8
"""Fewest pixels of a filter, and fewest filters, that can be told from noise. Convolutions of 3x3 cannot, healthy ones
on digits included: they stay near their random start."""

DEAD_NORM = 0.01
"""Norm of a dead filter, as a part of what the median filter had before training (where these weights are known to be
pretrained: of the largest one)."""

DEAD = 0.5
"""Share of dead filters, or of units of one layer, from which on it is a warning. Convolutional networks on digits and
stripes had .05 at most, an embedded_mlp that was trained on points for a short while .125: no harm."""

UNMOVED = 1e-6
"""Relative change by training under which weights that are trained have not moved at all."""

SATURATED, SATURATED_SHARE = 0.02, 0.5
"""How near to the end of its range, in parts of it, a tanh or sigmoid hardly passes a gradient (6 % of its steepest
slope at most for tanh, 8 % for sigmoid; Glorot & Bengio, 2010, section 3), and the share of a layer's values from
which on it is a warning."""

EXAMPLES = 256
"""Validation examples that activations are taken of: a unit that is 0 for all of them is used for 1 in 85 at most."""

SHOWN, MAPS = 6, 4
"""Pictures whose activations are shown, and feature maps of each layer."""


@check("regularize", order=70)
def first_layer(job: Job) -> Iterator[Finding]:
    """Look at the first layer's weights: filters should be smooth, not noise, and few of them dead."""
    loop = job.trained() if job.trained is not None else None
    found = _first_weights(loop.model) if loop is not None else None
    if job.trained is None or found is None:
        return
    kernel = _kernel(found)
    start = next(_kernel(p) for p in placed(job.fresh(job.seed).model) if p.name == found.name)
    model = job.trained().model  # the same loop may have been given fresh weights
    moved = float(np.linalg.norm(kernel - start)) / max(float(np.linalg.norm(start)), 1e-12)
    shown = _as_pictures(job, model, kernel)
    if shown is None:
        if job.problem.signature.kind != "image":
            yield from _by_input(job, model, found, kernel, moved)
    else:
        yield _filters_finding(job, found, shown, _as_pictures(job, model, start), moved)
        yield from _dead_filters(found, shown, _as_pictures(job, model, start))
    if found.trainable and moved < UNMOVED:
        yield Finding(
            "warning",
            "frozen",
            f"training has not moved the weights of the first layer, {found.name!r}",
            "weights that differ from their start",
            f"a relative change of {moved:.1g}",
            "does a gradient reach it? is the learning rate 0?",
        )


@check("regularize", order=80)
def activations(job: Job) -> Iterator[Finding]:
    """Look at activations: what the first and the last convolution see, and units that are dead or saturated."""
    loop = job.trained() if job.trained is not None else None
    if loop is None:
        return
    model, layers = loop.model, placed(loop.model)
    x, y = job.sample(job.problem.validation, EXAMPLES)
    rows, dead, saturated = [], [], []
    for layer, units, share, full in _units(model, layers, x):
        rows.append((layer.name, units, round(share, 4), None if full is None else round(full, 4)))
        if share > DEAD and layer.layer.trainable:
            dead.append((layer.name, share))
        if full is not None and full > SATURATED_SHARE:
            saturated.append((layer.name, full))
    artifact = _maps(job, model, layers, x[:SHOWN], y[:SHOWN])
    if not rows and artifact is None:
        return
    table = Table(("layer", "units", "dead", "saturated"), tuple(rows), bars="dead") if rows else None
    worst = max((row[2] for row in rows), default=0.0)
    texts = (
        f"at most {DEAD:.0%} of a layer's units dead, and {SATURATED_SHARE:.0%} of its values saturated",
        f"at most {worst:.1%} dead, over {len(x)} validation examples",
    )
    if not dead:
        message = "no layer has many units that are 0 for every example"
        if artifact:
            message += (
                "; in the picture: an example, where in it the model sees what it says, "
                "and feature maps of the first and of the last convolution"
            )
        yield Finding("ok", "activations", message, *texts, artifact=artifact, table=table)
    for name, share in dead[:1]:
        yield Finding(
            "warning",
            "activations",
            f"{share:.0%} of the units of {name!r} are 0 for every example: nothing passes them, no gradient either",
            *texts,
            "a smaller learning rate or a better initialization (He), another activation (leaky ReLU)",
            artifact=artifact,
            table=table,
        )
    for name, share in saturated[:1]:
        yield Finding(
            "warning",
            "activations",
            f"{share:.0%} of what {name!r} puts out is at the ends of its range: hardly a gradient passes",
            texts[0],
            f"{share:.1%} saturated",
            "smaller initial weights, normalized inputs, or ReLU",
            table=table if dead else None,
        )


def _first_weights(model: keras.Model) -> Placed | None:
    """The first layer with a kernel: a convolution or a dense layer."""
    return next((p for p in placed(model) if getattr(p.layer, "kernel", None) is not None), None)


def _kernel(found: Placed) -> np.ndarray:
    kernel: np.ndarray = found.layer.kernel.numpy()
    return kernel


def _as_pictures(job: Job, model: keras.Model, kernel: np.ndarray) -> np.ndarray | None:
    """Weights as (filters, height, width, 1 or 3); None where they are no pictures."""
    if job.problem.signature.kind != "image":
        return None
    if kernel.ndim == 4 and kernel.shape[2] in (1, 3):
        return kernel.transpose(3, 0, 1, 2)
    # A dense layer sees pictures as the layers before it have left them: smaller, or grey.
    shapes = [tuple(shape[1:]) for p in placed(model) if len(shape := getattr(p.layer.output, "shape", ())) == 4]
    for shape in (job.problem.signature.shape, *shapes):
        if kernel.ndim == 2 and shape[-1] in (1, 3) and kernel.shape[0] == math.prod(shape):
            return kernel.T.reshape(-1, *shape)
    return None


def _filters_finding(job: Job, found: Placed, filters: np.ndarray, start: np.ndarray | None, moved: float) -> Finding:
    count, height, width = filters.shape[:3]
    own, p = structure(filters, job.seed)
    change, q = structure(filters - start, job.seed) if start is not None and moved >= UNMOVED else (0.0, 1.0)
    said = f"the {count} filters of {height}x{width} of the first layer, {found.name!r}"
    said += "" if found.trainable else " (frozen)"
    evidence = {
        "layer": found.name, "concentration": own, "p-value": p, "concentration of the change": change,
        "p-value of the change": q, "relative change by training": moved,
    }  # fmt: skip
    artifact = _filters_picture(job, filters)
    expected = f"p at most {FROM_NOISE} against their own pixels, shuffled"
    measured = f"p = {p:.2g}" + (f"; of what training has changed of them, p = {q:.2g}" if moved >= UNMOVED else "")
    if min(p, q) <= FROM_NOISE:
        return Finding("ok", "filters", f"{said} have structure", expected, measured, "", evidence, artifact)
    if height * width < PIXELS or count < LEAST or not found.trainable or moved < UNMOVED:
        message = f"{said}: too small or too few to be told from noise by figures, have a look"
        return Finding("info", "filters", message, "", measured, "", evidence, artifact)
    return Finding(
        "warning",
        "filters",
        f"{said} look like noise",
        expected,
        measured,
        "do neighbouring pixels belong together, or was the picture reshaped wrongly? else train for longer",
        evidence,
        artifact,
    )


def structure(filters: np.ndarray, seed: int) -> tuple[float, float]:
    """How far filters are from noise, whose power is the same at all spatial frequencies.

    Args:
        filters: (count, height, width, channels).
        seed: of the order in which pixels are shuffled, the same in all filters and channels: what these have in common
            stays as it is, and it is as if the pictures had been reshaped wrongly.

    Returns:
        the concentration of the mean power spectrum, which is its variance over its squared mean (0 where it is flat),
        and the p-value: how often the same pixels in another order are as concentrated.
    """
    rng = np.random.default_rng(seed)
    some = filters[np.sort(rng.permutation(len(filters))[:FILTERS])].astype("float64")
    count, height, width, channels = some.shape
    maps = some.transpose(0, 3, 1, 2).reshape(count, channels, height * width)
    maps = maps - maps.mean(axis=2, keepdims=True)
    maps /= np.maximum(np.sqrt(np.square(maps).mean(axis=2, keepdims=True)), 1e-12)
    if height * width < 3:
        return 0.0, 1.0

    def concentration(values: np.ndarray) -> float:
        power = np.square(np.abs(np.fft.fft2(values.reshape(-1, height, width)))).mean(axis=0).ravel()[1:]
        return float(power.var() / max(power.mean() ** 2, 1e-12))

    own = concentration(maps)
    shuffled = [concentration(maps[..., rng.permutation(height * width)]) for _ in range(SHUFFLES)]
    return own, (1 + sum(s >= own for s in shuffled)) / (SHUFFLES + 1)


def _dead_filters(found: Placed, filters: np.ndarray, start: np.ndarray | None) -> Iterator[Finding]:
    norms = np.sqrt(np.square(filters).sum(axis=(1, 2, 3)))
    before = norms if start is None or not found.trainable else np.sqrt(np.square(start).sum(axis=(1, 2, 3)))
    usual = float(np.median(before)) if found.trainable else float(norms.max())
    share = float((norms < DEAD_NORM * usual).mean())
    if found.trainable and share > DEAD:
        yield Finding(
            "warning",
            "filters",
            f"{share:.0%} of the filters of the first layer, {found.name!r}, are dead: their weights are nearly 0",
            f"at most {DEAD:.0%}",
            f"{share:.1%} below {DEAD_NORM:.0%} of the norm that they began with",
            "less weight decay or a smaller learning rate; is it a layer that training needs?",
        )


def _filters_picture(job: Job, filters: np.ndarray) -> str:
    norms = np.sqrt(np.square(filters).sum(axis=(1, 2, 3)))
    largest_first = np.argsort(-norms, kind="stable")[:FILTERS]
    some = filters[largest_first]
    span = np.maximum(np.abs(some).max(axis=(1, 2, 3), keepdims=True), 1e-12)
    captions = [f"norm {n:.2g}" for n in norms[largest_first]]
    # Grey is 0 in each: light weights want a light pixel, dark ones a dark one.
    path = grid(job.directory / "artifacts" / "first_layer.png", some / span, captions, span=(-1.0, 1.0))
    return str(path.relative_to(job.directory))


def _by_input(job: Job, model: keras.Model, found: Placed, kernel: np.ndarray, moved: float) -> Iterator[Finding]:
    """The weights of a table's first dense layer by input, in units of the input's deviation."""
    if found.within or len(job.problem.signature.features) > FEATURES:
        return
    x, _ = job.sample(job.problem.train, EXAMPLES)
    compute = inputs_of(model, [found])
    fed = np.concatenate([values[0] for values in compute(x)])
    names = _names(job, compute, x, fed) if fed.shape[1] == len(kernel) else None
    if names is None:
        return
    spread = fed.std(axis=0)
    spread = spread.reshape(spread.shape + (1,) * (kernel.ndim - spread.ndim))
    squares = np.square(kernel * spread).reshape(len(kernel), -1).sum(axis=1)
    sums: dict[str, float] = {}
    for name, square in zip(names, squares, strict=True):
        if name:
            sums[name] = sums.get(name, 0.0) + float(square)
    if not sums:
        return
    norms = sorted(((name, round(math.sqrt(s), 4)) for name, s in sums.items()), key=lambda n: -n[1])
    yield Finding(
        "info",
        "first-layer",
        f"weights of the first layer, {found.name!r}: largest on {norms[0][0]!r}, smallest on {norms[-1][0]!r}",
        evidence={"relative change by training": moved},
        table=Table(("input", "norm of its weights"), tuple(norms), bars="norm of its weights"),
    )


def _names(job: Job, compute: Compute, x: np.ndarray, fed: np.ndarray) -> list[str] | None:
    """The feature that each row of the first kernel is fed with: the one whose values, given to the examples in another
    order, change it; "" for a row that never changes. None where a row mixes several.

    Args:
        job: that trains the model.
        compute: inputs of the model -> what the first layer is fed with, (examples, rows, ...).
        x, fed: examples, and what it makes of them.
    """
    names = [""] * fed.shape[1]
    order = np.roll(np.arange(len(x)), 1)
    for name, positions in job.problem.signature.features.items():
        moved = x.reshape(len(x), -1).copy()
        moved[:, positions] = moved[order][:, positions]
        change = np.concatenate([values[0] for values in compute(moved.reshape(x.shape))]) != fed
        for row in np.flatnonzero(change.any(axis=(0, *range(2, fed.ndim)))):
            if names[row]:
                return None
            names[row] = name
    return names


def _units(
    model: keras.Model, layers: list[Placed], x: np.ndarray
) -> Iterator[tuple[Placed, int, float, float | None]]:
    """Layers with an activation: number of units, the share that is 0 for every example, and the share of values at
    the ends of the range (None where it has none). The last layer says what it says, and is left out."""
    active = [p for p in layers if _activation(p.layer) and p.layer is not layers[-1].layer]
    for group in {p.within: None for p in active}:
        some = [p for p in active if p.within == group]
        largest: list[np.ndarray] | None = None
        full = np.zeros(len(some))
        for values in outputs_of(model, some)(x):
            top = [np.abs(v).max(axis=tuple(range(v.ndim - 1))) for v in values]
            largest = top if largest is None else [np.maximum(a, b) for a, b in zip(largest, top, strict=True)]
            full += [
                len(v) * _ends(v, _activation(p.layer)) if _ranged(p) else 0.0
                for p, v in zip(some, values, strict=True)
            ]
        for p, most, sum_ in zip(some, largest or [], full, strict=True):
            yield p, len(most), float((most == 0).mean()), float(sum_ / len(x)) if _ranged(p) else None


def _ranged(p: Placed) -> bool:
    return _activation(p.layer) in ("tanh", "sigmoid")


def _ends(values: np.ndarray, activation: str) -> float:
    """Share of values near the ends of the activation's range."""
    low, high = (-1.0, 1.0) if activation == "tanh" else (0.0, 1.0)
    near = SATURATED * (high - low)
    return float(((values < low + near) | (values > high - near)).mean())


def _activation(layer: Any) -> str:
    """Name of what a layer applies to its outputs; "" for nothing."""
    if type(layer).__name__ in ("ReLU", "LeakyReLU", "ELU", "PReLU"):
        return type(layer).__name__.lower()
    name = getattr(getattr(layer, "activation", None), "__name__", "")
    return "" if name == "linear" else str(name)


def _maps(job: Job, model: keras.Model, layers: list[Placed], x: np.ndarray, y: np.ndarray) -> str | None:
    """Picture of a few examples, of where the model sees the class that it names, and of some feature maps."""
    if job.problem.signature.kind != "image" or not len(x):
        return None
    ends = _stages(layers)
    if not ends:
        return None
    first, last = (next(iter(outputs_of(model, [p])(x)))[0] for p in (ends[0], ends[-1]))
    said = objectives.predictions(job.problem, model(x, training=False).numpy())
    chosen = said.argmax(axis=1) if job.problem.signature.task != "regression" else np.zeros(len(x), int)
    seen = _class_activation(layers, last, chosen)
    low, high = (0.0, 255.0) if x.dtype == np.uint8 else (float(x.min()), float(x.max()))
    cells, captions = [], []
    for i in range(len(x)):
        guess = job.problem.label(chosen[i] if job.problem.signature.task != "regression" else said[i])
        cells.append(_cell((x[i].astype("float32") - low) / max(high - low, 1e-9), scaled=True))
        captions.append(f"{job.problem.label(y[i])}: {guess}")
        if seen is not None:
            cells.append(_cell(seen[i][..., np.newaxis]))
            captions.append(f"where it sees {guess}")
        for name, maps in (("first", first), ("last", last)):
            for channel in np.sort(np.argsort(-maps.var(axis=(0, 1, 2)), kind="stable")[:MAPS]):
                cells.append(_cell(maps[i, ..., channel, np.newaxis]))
                captions.append(f"{name}, {channel}")
    path = grid(
        job.directory / "artifacts" / "activations.png", np.stack(cells), captions, columns=len(cells) // len(x)
    )
    return str(path.relative_to(job.directory))


def _stages(layers: list[Placed]) -> list[Placed]:
    """For each convolution the layer where its stage ends: the last one with feature maps before the next kernel."""
    ends: list[Placed] = []
    for p in layers:
        if len(getattr(p.layer.output, "shape", ())) != 4:
            continue
        if getattr(p.layer, "kernel", None) is not None:
            ends.append(p)
        elif ends and (_activation(p.layer) or type(p.layer).__name__ in ("BatchNormalization", "Add")):
            ends[-1] = p
    return ends


def _class_activation(layers: list[Placed], maps: np.ndarray, chosen: np.ndarray) -> np.ndarray | None:
    """Class activation maps (Zhou et al., 2016, section 2), (examples, height, width): feature maps weighed as the last
    layer weighs them. None where that layer does not take their average over the picture."""
    kernel = getattr(layers[-1].layer, "kernel", None)
    pooled = any(type(p.layer).__name__ == "GlobalAveragePooling2D" for p in layers)
    if kernel is None or not pooled or kernel.shape[0] != maps.shape[-1]:
        return None
    weights = kernel.numpy()
    # One output says how much speaks for the second class.
    each = weights[:, chosen] if weights.shape[1] > 1 else weights * np.where(chosen == 0, -1.0, 1.0)
    return np.einsum("nhwc,cn->nhw", maps, each)


def _cell(values: np.ndarray, *, scaled: bool = False) -> np.ndarray:
    """One picture as uint8 (CELL, CELL, 3); from its darkest to its lightest value where it is not scaled to 0..1."""
    if not scaled:
        values = (values - values.min()) / max(float(values.max() - values.min()), 1e-9)
    grey = (np.clip(values, 0, 1) * 255).round().astype("uint8")
    image = Image.fromarray(grey[..., 0] if grey.shape[-1] == 1 else grey).convert("RGB")
    smooth = max(image.size) > CELL
    return np.asarray(image.resize((CELL, CELL), Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST))
