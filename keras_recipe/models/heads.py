"""First and last layers that every builder shares: normalization of the inputs, and logits that start unbiased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipe.core.errors import RecipeError, nearest
from keras_recipe.problem import buffer_rows
from keras_recipe.spread import evenly

if TYPE_CHECKING:
    import keras

    from keras_recipe.problem import Problem

SAMPLE = 4096
"""Examples that input statistics are taken from: their means are then known to 1.6 % of a standard deviation. Large
pictures: as many as fit a buffer, each of which brings thousands of pixels."""

LEAST = 4
"""Pixels of the smallest side that a picture is shown at: below that there is nothing to convolve."""

SHOWN = 256
"""Examples at a time where statistics of what the network sees are taken."""


def inputs(problem: Problem, *, size: int = 0, grey: bool = False, without: tuple[str, ...] = ()) -> tuple[Any, Any]:
    """The input tensor of a builder, and what the network behind it sees, as zero-mean, unit-variance float32.

    Pictures are normalized by channel, vectors by feature; tables arrive encoded and pass as they are. What makes the
    input smaller are layers of the model, so that it takes the examples as the problem has them.

    Args:
        problem: the data.
        size: pixels of the smaller side that pictures are shown at, 4 up to their own, averaged over what each pixel
            covers; 0 for their own.
        grey: show pictures in colour by their luminance (ITU-R BT.601), one channel.
        without: names of the features that are left out: columns of a table, or "0", "1", ... of a vector.

    Raises:
        RecipeError: a size, a feature or a colour that the data does not have, or no feature that is left.
    """
    import keras

    signature = problem.signature
    tensor = keras.Input(signature.shape, dtype=signature.dtype, name="inputs")
    x = _smaller(problem, tensor, size, grey) if signature.kind == "image" else _some(problem, tensor, without)
    _fits_kind(problem, size, grey, without)
    if signature.kind == "table":
        return tensor, x
    mean, variance = input_moments(problem) if x is tensor else _moments(_seen(tensor, x, input_sample(problem)))
    return tensor, keras.layers.Normalization(axis=-1, mean=mean, variance=variance, name="normalize")(x)


def shown_side(problem: Problem, size: int) -> int:
    """Pixels of the smaller side of pictures that are shown at `size`, see `inputs`."""
    return size or min(problem.signature.shape[:2])


def kept_positions(problem: Problem, without: tuple[str, ...]) -> list[int]:
    """Positions in an encoded example that are left without these features. Raises RecipeError."""
    features = problem.signature.features
    for name in without:
        if name not in features:
            raise RecipeError(f"the name of a feature of {problem.name}", repr(name), nearest(name, features))
    kept = [p for name, positions in features.items() if name not in without for p in positions]
    if not kept:
        raise RecipeError("at least one feature that is left", f"without={without!r}", "leave fewer out")
    return kept


def _smaller(problem: Problem, x: Any, size: int, grey: bool) -> Any:
    """Pictures as they are shown: grey first, which leaves a third to be resized."""
    import keras

    height, width, channels = problem.signature.shape
    if grey and channels != 1:
        if channels != 3:
            raise RecipeError("pictures of one or three channels", f"{channels} channels", "leave grey=True out")
        x = keras.ops.image.rgb_to_grayscale(keras.ops.cast(x, "float32"))
    own = min(height, width)
    if size and not LEAST <= size <= own:
        raise RecipeError(f"a size of {LEAST} to {own} pixels", str(size), "give another size")
    if not size or size == own:
        return x
    shape = round(height * size / own), round(width * size / own)
    return keras.layers.Resizing(*shape, antialias=True, dtype="float32", name="smaller")(x)


def _some(problem: Problem, x: Any, without: tuple[str, ...]) -> Any:
    import keras

    return keras.ops.take(x, kept_positions(problem, without), axis=1) if without else x


def _fits_kind(problem: Problem, size: int, grey: bool, without: tuple[str, ...]) -> None:
    """Raise RecipeError for an argument that means nothing for this kind of data."""
    picture = problem.signature.kind == "image"
    given = {"without": without} if picture else {"size": size, "grey": grey}
    for name, value in given.items():
        if value:
            kind = "tables and vectors" if picture else "pictures"
            raise RecipeError(f"{name} for {kind} only", f"{name}={value!r} for {problem.name}", "leave it out")


def _seen(tensor: Any, x: Any, sample: np.ndarray) -> np.ndarray:
    """What the network sees of these examples before they are normalized."""
    import keras

    shown = keras.Model(tensor, x)
    parts = [sample[start : start + SHOWN] for start in range(0, len(sample), SHOWN)]
    return np.concatenate([np.asarray(shown(part, training=False)) for part in parts])


def input_moments(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance over the last axis (channels or features) of a fixed sample of the training split."""
    return _moments(input_sample(problem))


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sample = values.astype("float64")
    axes = tuple(range(sample.ndim - 1))
    variance = sample.var(axis=axes)
    return sample.mean(axis=axes).astype("float32"), np.where(variance > 0, variance, 1.0).astype("float32")


def input_sample(problem: Problem, most: int = SAMPLE) -> np.ndarray:
    """A fixed sample of training inputs, spread evenly over the split: at most so many rows, and at most a buffer."""
    count = buffer_rows(problem.train.x, min(most, problem.given))
    return problem.train.x[evenly(problem.given, count)]


def head(problem: Problem, features: Any) -> Any:
    """Last layer: one unit an output, its bias set so that the first predictions are the label frequencies.

    Classification starts at log frequencies (log odds for binary), so that the first epochs are not spent on
    learning the bias; standardized regression targets start at 0, their mean.
    """
    import keras

    signature = problem.signature
    # Small weights (0.01, as in the last layer of Simonyan & Zisserman, 2014, and of most ImageNet code since): what
    # the untrained features say is noise, and the first loss should be that of the label frequencies.
    small = keras.initializers.RandomNormal(stddev=0.01)
    layer = keras.layers.Dense(signature.outputs, kernel_initializer=small, name="logits", dtype="float32")
    outputs = layer(features)
    if signature.task != "regression":
        frequencies = np.clip(problem.label_frequencies(), 1e-6, 1.0)
        bias = np.log(frequencies) if signature.task == "multiclass" else np.log(frequencies[1:] / frequencies[:1])
        layer.bias.assign(bias)
    return outputs


def fits(model: keras.Model, problem: Problem, spec: str) -> keras.Model:
    """The model, its output shape proven to be that of the problem. Raises RecipeError."""
    expected, received = (None, problem.signature.outputs), getattr(model, "output_shape", None)
    if received != expected:
        raise RecipeError(
            f"a model with outputs of shape {expected} for this {problem.signature.task} problem",
            f"{spec}, whose outputs have shape {received}",
            "end the builder with keras_recipe.models.heads.head(problem, features)",
        )
    return model
