"""Networks for tables and vectors that come near boosted trees."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipe.models import model_of
from keras_recipe.models.heads import head, input_moments, input_sample, inputs, kept_positions

if TYPE_CHECKING:
    import keras

    from keras_recipe.problem import Problem


EDGE_ROWS = 2**15
"""Training examples at most whose numbers are cut into bins: rare values count, which a small sample does not hold."""


@model_of("features")
def embedded_mlp(
    problem: Problem,
    width: int = 256,
    depth: int = 2,
    dropout: float = 0.0,
    embedding: int = 16,
    bins: int = 64,
    without: tuple[str, ...] = (),
) -> keras.Model:
    """Multilayer perceptron on piecewise linear embeddings of numbers (Gorishniy et al., 2022, sections 3.2 and 3.3).

    The quantiles of a number cut its range into bins, see `edges`. It becomes one value a bin, 0 below, 1 above and
    linear inside, then goes through a small dense layer of its own with ReLU: networks are slow to learn what jumps
    along a feature, which trees cut out at once. Categories pass as they are.

    Args:
        problem: a table or vectors.
        width: units of each hidden layer, at least 1.
        depth: hidden layers, at least 1.
        dropout: share of hidden activations dropped, 0 to below 1.
        embedding: values that one number becomes, at least 1.
        bins: that the range of a number is cut into, at least 1; fewer where it takes fewer values.
        without: features that are left out, see `heads.inputs`.
    """
    import keras

    tensor, x = inputs(problem, without=without)
    x = keras.layers.Flatten()(x)
    numbers, others = _positions(problem)
    place = {position: index for index, position in enumerate(kept_positions(problem, without))}
    numbers, others = [p for p in numbers if p in place], [p for p in others if p in place]
    parts = []
    if numbers:
        cuts = _edges(problem, numbers, bins)
        parts.append(_embedded(keras.ops.take(x, [place[p] for p in numbers], axis=1), cuts, embedding))
    if others:
        parts.append(keras.ops.take(x, [place[p] for p in others], axis=1))
    x = keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    for _ in range(depth):
        x = keras.layers.Dense(width, activation="relu", kernel_initializer="he_normal")(x)
        if dropout:
            x = keras.layers.Dropout(dropout)(x)
    return keras.Model(tensor, head(problem, x), name="embedded_mlp")


def _positions(problem: Problem) -> tuple[list[int], list[int]]:
    """Positions of numbers in an encoded example, and of everything else: words, and marks of missing numbers."""
    if problem.signature.kind != "table":
        return list(range(math.prod(problem.signature.shape))), []
    numbers, start = [], 0
    for column in problem.signature.columns:
        if column.vocabulary is None:
            numbers.append(start)
        start += column.width
    return numbers, sorted({*range(start)} - {*numbers})


def _edges(problem: Problem, numbers: list[int], bins: int) -> list[np.ndarray]:
    """Edges of the bins of each number, as the model's normalized inputs have it: at least two, rising."""
    sample = input_sample(problem, EDGE_ROWS).astype("float64").reshape(-1, math.prod(problem.signature.shape))
    if problem.signature.kind != "table":  # whose encoding is normalized already
        mean, variance = input_moments(problem)
        sample = (sample - mean) / np.sqrt(variance)
    return [edges(sample[:, number], bins) for number in numbers]


def edges(values: np.ndarray, bins: int) -> np.ndarray:
    """Values that cut the range of these, (n,), into so many bins at most: two or more, rising.

    Quantiles, where a value that fills more than a bin counts as one. Plain quantiles would all be the same where most
    values are: of adult's capital gains, 92 % are 0, and 64 quantiles leave 6 bins for 118 others, which tell the class
    nearly by themselves. Every value is an edge where there are no more than edges.
    """
    seen, counts = np.unique(values, return_counts=True)
    if len(seen) == 1:
        return np.array([seen[0], seen[0] + 1.0])
    if len(seen) <= bins + 1:
        return seen
    # Where the k most frequent values fill a bin each, this is what each of the other bins gets.
    falling = np.sort(counts)[::-1]
    each = falling[::-1].cumsum()[::-1][:bins] / (bins - np.arange(bins))
    full = each[np.argmax(falling[:bins] <= each)]
    below = np.cumsum(np.minimum(counts, full))
    return np.unique(seen[np.searchsorted(below, np.linspace(0, below[-1], bins + 1))])


def _embedded(numbers: Any, cuts: list[np.ndarray], embedding: int) -> Any:
    import keras

    bins = max(map(len, cuts)) - 1
    scale, offset = np.zeros((len(cuts), bins)), np.zeros((len(cuts), bins))
    for row, e in enumerate(cuts):
        scale[row, : len(e) - 1] = 1 / np.diff(e)
        offset[row, : len(e) - 1] = -e[:-1] / np.diff(e)
    # (batch, numbers, bins); a number with fewer bins has zeros behind them.
    x = keras.ops.repeat(keras.ops.expand_dims(numbers, -1), bins, axis=-1)
    x = keras.layers.Rescaling(scale.tolist(), offset.tolist(), name="bins")(x)
    x = keras.layers.ReLU(max_value=1.0)(x)
    x = keras.layers.EinsumDense(
        "nfk,fkd->nfd",
        (len(cuts), embedding),
        activation="relu",
        bias_axes="fd",
        kernel_initializer=keras.initializers.RandomNormal(stddev=math.sqrt(2 / bins)),
        name="embeddings",
    )(x)
    return keras.layers.Flatten()(x)
