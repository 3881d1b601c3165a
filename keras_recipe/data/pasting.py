"""Objects cut out of training pictures and pasted on the backgrounds of others.

Dwibedi et al., 2017, "Cut, Paste and Learn"; Ghiasi et al., 2021, "Simple Copy-Paste". These have masks drawn by
people. Here an object is what differs from the border of its picture, by Otsu's threshold (1979), and only where that
is plausible: one piece of a fair size that hardly touches the border.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from keras_recipe.problem import Problem, Split, buffer_rows

AREA = (0.04, 0.6)
"""Share of a picture that an object covers. Less is a speck; of more, little of the background is known."""

ON_BORDER = 0.15
"""Share of the border that an object may touch: one that fills its picture has no background."""

SEPARATED = 0.75
"""Least share of the variance (of the distance to the border's colour) that the two sides of the threshold explain. Two
halves of one Gaussian explain 0.64, of an even spread 0.75."""

ONE_PIECE = 0.7
"""Least share of the pixels beyond the threshold that belong to the largest piece."""

FEW_OBJECTS = 5
"""Objects of a class below which it is not worth pasting: the same few would be seen over and over."""

LOOKED_AT = 5_000
"""Pictures that are searched for objects at most, the same ones every time."""

GROUNDS = 1_000
"""Backgrounds that objects are pasted on at most: each is made once."""

_BINS = 64
_IN_PLANE = np.zeros((3, 3, 3), bool)
_IN_PLANE[1] = True
"""Neighbours of a pixel: those of its own picture."""


@dataclass(frozen=True, eq=False)
class Cuttings:
    """Objects and their backgrounds.

    Attributes:
        rows: of the training pictures that they are from, (objects,).
        masks: (objects, height, width), True on the object.
    """

    rows: np.ndarray
    masks: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


def objects(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Masks of what stands out from the border, (count, height, width), and which of them are plausible, (count,).

    Args:
        pictures: (count, height, width, channels), any range.
    """
    x = pictures.astype("float32")
    height, width = x.shape[1:3]
    ring = np.ones((height, width), bool)
    ring[1:-1, 1:-1] = False
    colour = np.median(x[:, ring], axis=1)
    distance = np.sqrt(((x - colour[:, None, None]) ** 2).sum(axis=-1))
    threshold, separated = _otsu(distance.reshape(len(x), -1))
    beyond = distance > threshold[:, None, None]
    labels, _ = ndimage.label(beyond, _IN_PLANE)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    flat = labels.reshape(len(x), -1)
    largest = flat[np.arange(len(x)), sizes[flat].argmax(axis=1)]
    masks = (labels == largest[:, None, None]) & beyond
    one_piece = masks.sum(axis=(1, 2)) >= ONE_PIECE * beyond.sum(axis=(1, 2))
    masks = ndimage.binary_fill_holes(masks, _IN_PLANE)
    area = masks.mean(axis=(1, 2))
    touching = masks[:, ring].mean(axis=1)
    plausible = separated & one_piece & (area >= AREA[0]) & (area <= AREA[1]) & (touching <= ON_BORDER)
    return masks, plausible


def _otsu(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Threshold of each row that explains most of its variance, (rows,), and whether it explains enough.

    Otsu, 1979, "A threshold selection method from gray-level histograms", for many histograms at once.
    """
    top = values.max(axis=1, keepdims=True)
    bins = np.minimum((values / np.maximum(top, 1e-9) * _BINS).astype("int64"), _BINS - 1)
    offsets = np.arange(len(values))[:, None] * _BINS
    counts = np.bincount((bins + offsets).ravel(), minlength=len(values) * _BINS).reshape(len(values), _BINS)
    share = counts / counts.sum(axis=1, keepdims=True)
    level = np.arange(_BINS) + 0.5
    below, mean = share.cumsum(axis=1), (share * level).cumsum(axis=1)
    total = mean[:, -1:]
    between = (total * below - mean) ** 2 / np.maximum(below * (1 - below), 1e-9)
    best = between[:, :-1].argmax(axis=1)
    variance = (share * (level - total) ** 2).sum(axis=1)
    explained = between[np.arange(len(values)), best] / np.maximum(variance, 1e-9)
    return (best + 1) / _BINS * top[:, 0], (explained > SEPARATED) & (top[:, 0] > 0)


def cuttings(train: Split, seed: int) -> Cuttings:
    """All objects of at most LOOKED_AT training pictures, drawn at random."""
    rows = np.sort(np.random.default_rng(seed).permutation(len(train))[:LOOKED_AT])
    size = buffer_rows(train.x, 512)
    found, kept = [], []
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        masks, plausible = objects(np.asarray(train.x[part]))
        found.append(masks[plausible])
        kept.append(part[plausible])
    return Cuttings(np.concatenate(kept), np.concatenate(found))


def unfit(problem: Problem, found: Cuttings) -> str:
    """Why there are too few objects to paste, "" where there are enough.

    Every class must have some: simulated examples of some classes only would change how often each comes.
    """
    searched = min(LOOKED_AT, len(problem.train))
    share = f"{len(found)} of {searched:,} training pictures show one object that stands out from their border"
    if len(found) < FEW_OBJECTS:
        return share
    if problem.signature.task == "regression":
        return ""
    counts = np.bincount(problem.train.y[found.rows], minlength=len(problem.signature.classes))
    least = int(counts.argmin())
    return f"{share}, {counts[least]} of {problem.label(least)!r}" if counts[least] < FEW_OBJECTS else ""


def background(pictures: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The pictures, float32, without their objects: they get the nearest colour around, a little blurred."""
    x = pictures.astype("float32")
    hidden = ndimage.binary_dilation(masks, _IN_PLANE)  # an object's edge is mixed with what is behind it
    # Other pictures are so far away that the nearest pixel is one of the same picture.
    away = 10.0 * sum(x.shape[1:3])
    index = ndimage.distance_transform_edt(
        hidden, sampling=(away, 1.0, 1.0), return_distances=False, return_indices=True
    )
    filled: np.ndarray = x[tuple(index)]
    sigma = max(x.shape[1:3]) / 32
    blurred = ndimage.gaussian_filter(filled, (0, sigma, sigma, 0), mode="nearest")
    filled[hidden] = blurred[hidden]
    return filled


def pasted(
    pictures: np.ndarray, masks: np.ndarray, grounds: np.ndarray, shifts: np.ndarray, soft: float = 0.5
) -> np.ndarray:
    """Objects on other backgrounds, (count, height, width, channels) in float32.

    Args:
        pictures, masks: with the objects.
        grounds: the backgrounds.
        shifts: rows and columns that each object moves by, (count, 2) whole numbers; what leaves the picture is cut.
        soft: pixels over which the edge is blended (Dwibedi et al., 2017, section 5.1): a hard edge is what a network
            would learn to look for.
    """
    height, width = pictures.shape[1:3]
    down, right = shifts[:, 0, None, None], shifts[:, 1, None, None]
    rows, columns = np.arange(height)[None, :, None] - down, np.arange(width)[None, None, :] - right
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    numbers = np.arange(len(pictures))[:, None, None]
    rows, columns = rows.clip(0, height - 1), columns.clip(0, width - 1)
    alpha = ndimage.gaussian_filter(masks.astype("float32"), (0, soft, soft), mode="constant")
    alpha = (alpha[numbers, rows, columns] * inside)[..., None]
    return alpha * pictures.astype("float32")[numbers, rows, columns] + (1 - alpha) * grounds


def paste(problem: Problem, count: int, seed: int, shift: float) -> tuple[np.ndarray, np.ndarray] | str:
    """Simulated examples, or why there are none; see `keras_recipe.data.synthetic.paste`."""
    generator = np.random.default_rng(seed)
    found = cuttings(problem.train, seed)
    if why := unfit(problem, found):
        return why
    thing = _as_frequent(problem, found, count, generator)
    behind = _backgrounds(problem, found, generator)
    ground = generator.integers(len(behind), size=count)
    height, width = problem.signature.shape[:2]
    most = np.array([round(shift * height), round(shift * width)])
    shifts = generator.integers(-most, most + 1, size=(count, 2))
    x = np.empty((count, *problem.signature.shape), problem.signature.dtype)
    size = buffer_rows(x, 256)
    for start in range(0, count, size):
        part = slice(start, start + size)
        a, b = thing[part], ground[part]
        made = pasted(np.asarray(problem.train.x[found.rows[a]]), found.masks[a], behind[b], shifts[part])
        x[part] = np.rint(made).clip(0, 255) if x.dtype == np.uint8 else made
    return x, problem.train.y[found.rows[thing]]


def _backgrounds(problem: Problem, found: Cuttings, generator: np.random.Generator) -> np.ndarray:
    """Pictures without their objects, at most GROUNDS and 256 MB of them, in the type of the problem."""
    row = int(np.prod(problem.signature.shape)) * np.dtype(problem.signature.dtype).itemsize
    drawn = generator.permutation(len(found))[: max(1, min(GROUNDS, 2**28 // row))]
    made = np.empty((len(drawn), *problem.signature.shape), problem.signature.dtype)
    size = buffer_rows(made, 64)
    for start in range(0, len(drawn), size):
        part = drawn[start : start + size]
        made[start : start + size] = background(np.asarray(problem.train.x[found.rows[part]]), found.masks[part])
    return made


def _as_frequent(problem: Problem, found: Cuttings, count: int, generator: np.random.Generator) -> np.ndarray:
    """Numbers of objects, their classes as frequent as in the training split."""
    if problem.signature.task == "regression":
        return generator.integers(len(found), size=count)
    classes = len(problem.signature.classes)
    wanted = generator.choice(classes, count, p=problem.label_frequencies())
    order = np.argsort(problem.train.y[found.rows], kind="stable")
    counts = np.bincount(problem.train.y[found.rows], minlength=classes)
    first = np.concatenate([[0], counts.cumsum()[:-1]])
    return order[first[wanted] + (generator.random(count) * counts[wanted]).astype("int64")]
