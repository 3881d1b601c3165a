"""Use backprop to chart dependencies: the output for an example must depend on that example, and on all of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_recipe import objectives
from keras_recipe.checks import check
from keras_recipe.core.records import Finding
from keras_recipe.job import Job

EXAMPLES = 8
"""Examples of the batch: one is enough to be mixed up with."""

FAINT = 1e-6
"""Share of the largest gradient below which there is none: rounding, in float32."""


@check("baseline", order=60)
def dependencies(job: Job) -> Iterator[Finding]:
    """Gradients of each output: other examples, later times, inputs and weights that play no part."""
    x, y = job.sample(job.problem.train, EXAMPLES)
    loop = job.fresh(job.seed)
    model, inputs = _differentiable(loop.model, x)
    if inputs is None:
        yield Finding("info", "architecture", "inputs are whole numbers, which have no gradients: not charted")
    else:
        yield from _examples(model, inputs)
        yield from _inputs(model, inputs)
        yield from _times(model, inputs)
    yield from _weights(job, loop.model, x, y)


def _differentiable(model: Any, x: np.ndarray) -> tuple[Any, Any]:
    """The model, or the part of it behind the first layers that take whole numbers, with a float batch for it."""
    import keras
    import tensorflow as tf

    if "int" not in str(model.inputs[0].dtype):
        return model, tf.constant(x, model.inputs[0].dtype)
    for layer in model.layers[1:]:
        output = getattr(layer, "output", None)
        if output is None or isinstance(output, list | tuple) or "float" not in str(output.dtype):
            continue
        if isinstance(layer, keras.layers.Embedding):
            return model, None
        try:
            front, rest = keras.Model(model.inputs[0], output), keras.Model(output, model.outputs[0])
        except ValueError:  # the input goes other ways, too
            return model, None
        return rest, tf.convert_to_tensor(front(x, training=False))
    return model, None


def _gradient(model: Any, x: Any, chosen: Any) -> np.ndarray:
    """Gradient of some outputs, by a random projection, for each input: as float64 of the shape of x."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = chosen(tf.cast(_single(model(x, training=False)), "float32"))
        weights = np.random.default_rng(0).normal(size=outputs.shape)
        projected = tf.reduce_sum(outputs * tf.constant(weights, "float32"))
    gradient = tape.gradient(projected, x)
    return np.zeros(x.shape) if gradient is None else np.asarray(gradient, "float64")


def _single(outputs: Any) -> Any:
    return outputs[0] if isinstance(outputs, list | tuple) else outputs


def _examples(model: Any, x: Any) -> Iterator[Finding]:
    count = len(x)
    strength = np.stack(
        [np.abs(_gradient(model, x, lambda o, i=i: o[i])).reshape(count, -1).max(axis=1) for i in range(count)]
    )
    own, others = np.diag(strength), strength - np.diag(np.diag(strength))
    expected = "a gradient at the example itself only"
    evidence = {"largest at itself": float(own.max()), "largest at another": float(others.max())}
    if others.max() > FAINT * max(own.max(), 1e-30):
        pairs = int((others > FAINT * own.max()).sum())
        yield Finding(
            "error",
            "architecture",
            "the output for one example depends on other examples of the batch",
            expected,
            f"{pairs} pairs of {count * (count - 1)} are tied",
            "a reshape or transpose that mixes the batch axis with another one, or a sum over the wrong axis",
            evidence,
        )
        return
    if own.max() == 0:
        yield Finding(
            "warning",
            "architecture",
            "no output depends on the input",
            expected,
            "no gradient at all",
            "is something cut off, rounded or overwritten on the way?",
            evidence,
        )
        return
    yield Finding("ok", "architecture", "each output depends on its own example only", expected, evidence=evidence)


def _inputs(model: Any, x: Any) -> Iterator[Finding]:
    """Features or pixels without influence on any output, for any of the examples."""
    gradient = np.abs(_gradient(model, x, lambda o: o)).max(axis=0)
    if gradient.max() == 0:
        return
    unused = np.flatnonzero(gradient.ravel() <= FAINT * gradient.max())
    share = len(unused) / gradient.size
    measured = f"{len(unused):,} of {gradient.size:,} input values have no influence"
    severity: Any = "ok" if not len(unused) else "info" if share < 0.5 else "warning"
    yield Finding(
        severity,
        "architecture",
        "every input value can change the output" if not len(unused) else "some input values change no output",
        "influence of each",
        measured,
        "cropped, strided over, or met by dead units?" if len(unused) else "",
        {"first": unused[:20].tolist()},
    )


def _times(model: Any, x: Any) -> Iterator[Finding]:
    """For sequences (examples, times, features) to outputs a time: which inputs each output sees."""
    outputs = _single(model(x, training=False))
    if len(outputs.shape) != 3 or len(x.shape) != 3 or outputs.shape[1] != x.shape[1]:
        return
    times = int(outputs.shape[1])
    seen = np.stack([np.abs(_gradient(model, x, lambda o, t=t: o[:, t])).max(axis=(0, 2)) for t in range(times)])
    seen = seen > FAINT * max(seen.max(), 1e-30)
    ahead = np.triu(seen, 1)
    blind = np.flatnonzero(~seen.any(axis=1))
    evidence = {"sees the future": bool(ahead.any()), "blind": blind.tolist()}
    if len(blind):
        message = f"outputs at {len(blind)} of {times} times see no input at all"
        yield Finding("warning", "architecture", message, "output t sees inputs up to t", "", "", evidence)
    elif ahead.any():
        first = int(np.flatnonzero(ahead.any(axis=1))[0])
        message = f"outputs see later inputs, from time {first} on: no model to predict the future with"
        hint = "use causal padding, one direction, or a causal mask, if later inputs are what it should predict"
        yield Finding("info", "architecture", message, "output t sees inputs up to t", "it sees beyond", hint, evidence)
    else:
        message = "the output at time t sees inputs up to t only"
        yield Finding("ok", "architecture", message, evidence=evidence)


def _weights(job: Job, model: Any, x: np.ndarray, y: np.ndarray) -> Iterator[Finding]:
    """Weights that no gradient reaches, and those that are frozen."""
    import tensorflow as tf

    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        loss = model.compute_loss(y=objectives.targets(job.problem, y), y_pred=model(x, training=True), training=True)
    gradients = tape.gradient(loss, [v.value for v in variables])
    cut = [v.path for v, g in zip(variables, gradients, strict=True) if g is None]
    frozen = [layer.name for layer in model.layers if layer.weights and not layer.trainable]
    evidence = {"without a gradient": cut, "frozen layers": frozen}
    if cut or not variables:
        yield Finding(
            "warning",
            "frozen-layers",
            f"no gradient reaches {', '.join(cut[:5])}" if cut else "the model has no weight to train",
            "a gradient for every trainable weight",
            f"{len(cut)} of {len(variables)} weights have none",
            "is their output used?",
            evidence,
        )
        return
    note = f"; frozen: {', '.join(frozen[:5])}" if frozen else ""
    yield Finding(
        "info" if frozen else "ok",
        "frozen-layers",
        f"a gradient reaches all {len(variables)} trainable weights{note}",
        evidence=evidence,
    )
