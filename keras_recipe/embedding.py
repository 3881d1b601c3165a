"""The end of a model, kept for views that have no Keras: what it makes of examples just before it decides, and how its
decisions change with the threshold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from keras_recipe.checkpoint import write_arrays
from keras_recipe.models.layers import inputs_of, placed
from keras_recipe.pictures import cell, value_span
from keras_recipe.problem import Problem, Split
from keras_recipe.spread import evenly

if TYPE_CHECKING:
    import keras

FILE, SPRITE = "artifacts/embedding.npz", "artifacts/embedding.png"
"""In the run directory."""

EXAMPLES = 1000
"""Validation examples, evenly spread: more are slow to look around in."""

INPUT_VALUES = 2**24
"""Input values of all of these: a hundred pictures of 224x224, which a ResNet sees in a few seconds."""

WIDTH = 256
"""Numbers that an example becomes; more are turned into as many principal components."""

THUMBNAIL = 32
"""Side of an example's picture in pixels."""

CLASSES = 20
"""Classes that have a curve of their own, the first ones."""

THRESHOLDS = 101
"""Of a curve, from 0 to 1 at equal distances."""


def write(directory: Path, problem: Problem, model: keras.Model, validation: np.ndarray, test: np.ndarray) -> None:
    """Write FILE, and SPRITE where the examples are pictures.

    Args:
        directory: of the run.
        problem: whose examples are shown.
        model: encoded inputs in, logits or standardized targets out.
        validation, test: predictions for both splits, as `objectives.predictions` returns them.

    FILE holds `features` (examples, width), `names` (columns,) and `texts` (examples, columns) of the same examples;
    for classes also `classes` (curves,) and `counts` (curves, 4, THRESHOLDS) on the test split, true and false
    positives, true and false negatives.
    """
    split = problem.validation
    count = min(EXAMPLES, max(1, INPUT_VALUES // max(1, int(np.prod(problem.signature.shape)))))
    rows = evenly(len(split), count)
    x = np.asarray(split.x[rows])
    found = penultimate(model, x)
    if found is None:
        return
    names, texts = _told(problem, split, validation, rows)
    arrays = {"features": found, "names": np.array(names), "texts": np.array(texts)}
    if problem.signature.task != "regression":
        shown = [1] if problem.signature.task == "binary" else list(range(len(problem.signature.classes)))[:CLASSES]
        counts = [precision_recall(problem.test.y == c, test[:, c]) for c in shown]
        arrays |= {"classes": np.array([problem.label(c) for c in shown]), "counts": np.stack(counts)}
    if problem.signature.kind == "image":
        path = directory / SPRITE
        path.parent.mkdir(parents=True, exist_ok=True)
        sprite(x).save(path, optimize=True)
    write_arrays(directory / FILE, arrays)


def penultimate(model: keras.Model, x: np.ndarray) -> np.ndarray | None:
    """What the last weights of a model are fed with, (examples, at most WIDTH) float32; None for a model that is no
    graph of layers."""
    last = [p for p in placed(model) if getattr(p.layer, "kernel", None) is not None]
    if not last or last[-1].within:
        return None
    fed = np.concatenate([values[0] for values in inputs_of(model, last[-1:])(x)]).reshape(len(x), -1)
    if fed.shape[1] <= WIDTH:
        return fed
    u, s, _ = np.linalg.svd(fed - fed.mean(axis=0), full_matrices=False)
    components: np.ndarray = (u * s)[:, :WIDTH].astype("float32")
    return components


def precision_recall(positive: np.ndarray, score: np.ndarray) -> np.ndarray:
    """True positives, false positives, true negatives, false negatives at each threshold, (4, THRESHOLDS); an example
    counts as positive where its score is not below the threshold."""
    bucket = np.clip(np.floor(score * (THRESHOLDS - 1) + 1e-6), 0, THRESHOLDS - 1).astype(int)
    true = np.bincount(bucket[positive], None, THRESHOLDS)[::-1].cumsum()[::-1]
    false = np.bincount(bucket[~positive], None, THRESHOLDS)[::-1].cumsum()[::-1]
    return np.stack([true, false, false[0] - false, true[0] - true])


def sprite(x: np.ndarray) -> Image.Image:
    """Pictures (count, height, width, 1 or 3) as one square sheet of thumbnails, row by row."""
    side, span = int(np.ceil(np.sqrt(len(x)))), value_span(x)
    sheet = Image.new("RGB", (side * THUMBNAIL, side * THUMBNAIL), "white")
    for i, picture in enumerate(x):
        sheet.paste(cell(picture, span, THUMBNAIL), (i % side * THUMBNAIL, i // side * THUMBNAIL))
    return sheet


def _told(problem: Problem, split: Split, predicted: np.ndarray, rows: np.ndarray) -> tuple[list[str], list[list[str]]]:
    y, label = split.y, problem.label
    if problem.signature.task == "regression":
        names = ["target", "prediction", "example"]
        return names, [[label(y[r]), label(predicted[r]), split.ids[r]] for r in rows]
    said = predicted.argmax(axis=1)
    names = ["is", "the model says", "right", "example"]
    told = [[label(y[r]), label(said[r]), "yes" if said[r] == y[r] else "no", split.ids[r]] for r in rows]
    return names, told
