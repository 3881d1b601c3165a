"""Picture files as rows. There is one definition of "this file at height x width", and everything uses it.

Decoding runs inside TensorFlow's own threads, a whole batch per call: no Python is executed for a single example.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_recipe.core.errors import RecipeError
from keras_recipe.core.records import Finding
from keras_recipe.spread import evenly

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"})
"""Endings of the files that `tf.io.decode_image` reads."""

BATCH = 256
"""Pictures decoded in one go when a whole folder is read: at 96 x 96 colour pixels, 7 MB."""


def decode_picture(path: Any, height: int, width: int, channels: int) -> Any:
    """The picture in this file: a uint8 tensor (height, width, channels), of the first frame if it is animated.

    Resized bilinearly with antialiasing, sides independently; for one channel, colours become luma (ITU-R BT.601).

    Args:
        path: scalar string tensor.
        height, width: in pixels.
        channels: 1 or 3.
    """
    import tensorflow as tf

    picture = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
    picture = tf.image.resize(tf.ensure_shape(picture, (None, None, 3)), (height, width), antialias=True)
    if channels == 1:
        picture = tf.tensordot(picture, tf.constant([[0.299], [0.587], [0.114]]), 1)
    return tf.cast(tf.clip_by_value(tf.round(picture), 0.0, 255.0), tf.uint8)


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Pictures that stay in their files until they are asked for.

    Attributes:
        paths: (examples,) array of str objects.
        size: (height, width, channels) of every picture as it is returned.
    """

    paths: np.ndarray
    size: tuple[int, int, int]

    @classmethod
    def of(cls, paths: Sequence[str], size: tuple[int, int, int]) -> ImageFiles:
        """From a sequence of paths."""
        array = np.empty(len(paths), dtype=object)
        array[:] = list(paths)
        return cls(array, size)

    @property
    def shape(self) -> tuple[int, ...]:
        """(examples, height, width, channels)."""
        return (len(self.paths), *self.size)

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8, values 0..255."""
        return np.dtype("uint8")

    def __len__(self) -> int:
        return len(self.paths)

    def select(self, rows: np.ndarray) -> ImageFiles:
        """Some of these files."""
        return ImageFiles(self.paths[rows], self.size)

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Decode these rows in parallel: uint8 (rows, height, width, channels).

        Raises RecipeError for a file that has gone or been damaged since it was checked.
        """
        chosen = self.paths[rows]
        if isinstance(chosen, str):
            return self[[rows]][0]
        if not len(chosen):
            return np.empty((0, *self.size), "uint8")
        import tensorflow as tf

        try:
            return _decoder(self.size)(tf.constant(list(chosen))).numpy()
        except tf.errors.OpError as error:
            bad = undecodable(ImageFiles(chosen, self.size))
            raise corrupt([str(chosen[i]) for i in bad], "restore these files and run again") from error


@functools.cache
def _decoder(size: tuple[int, int, int]) -> Any:
    """One traced function a size: (rows,) paths -> (rows, *size). A call builds no new graph."""
    import tensorflow as tf

    picture = tf.autograph.experimental.do_not_convert(lambda path: decode_picture(path, *size))

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)], autograph=False)
    def decode(paths: Any) -> Any:
        pictures = tf.data.Dataset.from_tensor_slices(paths).map(picture, num_parallel_calls=tf.data.AUTOTUNE)
        return pictures.batch(tf.size(paths, tf.int64)).get_single_element()

    return decode


def read_all(files: ImageFiles) -> tuple[np.ndarray, np.ndarray]:
    """Decode every file once, tolerating bad ones: (uint8 pictures, rows that could be decoded)."""
    pictures = np.empty(files.shape, "uint8")
    good = np.zeros(len(files), bool)
    for rows, batch in _tolerant(files, keep=True):
        pictures[rows] = batch
        good[rows] = True
    return pictures, np.flatnonzero(good)


def undecodable(files: ImageFiles) -> np.ndarray:
    """Rows whose file cannot be decoded, found in one pass that holds a few batches in memory."""
    bad = np.ones(len(files), bool)
    for rows, _ in _tolerant(files, keep=False):
        bad[rows] = False
    return np.flatnonzero(bad)


def _tolerant(files: ImageFiles, *, keep: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of (rows, pictures) of the files that can be decoded; of each only one value unless `keep`."""
    import tensorflow as tf

    @tf.autograph.experimental.do_not_convert
    def picture(row: Any, path: Any) -> Any:
        decoded = decode_picture(path, *files.size)
        return row, decoded if keep else decoded[0, 0, 0]

    dataset = (
        tf.data.Dataset.from_tensor_slices((np.arange(len(files)), list(files.paths)))
        .map(picture, num_parallel_calls=tf.data.AUTOTUNE)
        .ignore_errors()
        .batch(BATCH)
        .prefetch(2)
    )
    yield from dataset.as_numpy_iterator()


def natural_size(paths: Sequence[str], wanted: tuple[int, int] | None = None) -> tuple[int, int, int]:
    """(height, width, channels) for a folder of pictures, from the headers of up to 256 of them.

    Pictures of one and the same size up to 96 x 96 keep it. Otherwise a square: the largest of 32, 64, 96 that is not
    above the median of the shorter sides, or that median where it is less than 32. The cap is there because networks
    trained from scratch on a CPU gain little above it. One channel where all of them are grey, else three.
    """
    headers = _headers([paths[i] for i in evenly(len(paths), 256)])
    channels = 1 if headers and all(grey for _, _, grey in headers) else 3
    if wanted is not None:
        return (*wanted, channels)
    sizes = {(h, w) for h, w, _ in headers}
    if len(sizes) == 1 and max(max(size) for size in sizes) <= 96:
        return (*sizes.pop(), channels)
    median = int(np.median([min(h, w) for h, w, _ in headers])) if headers else 32
    side = max((s for s in (32, 64, 96) if s <= median), default=max(1, median))
    return side, side, channels


def _headers(paths: Sequence[str]) -> list[tuple[int, int, bool]]:
    """(height, width, is grey) of the files whose header can be read; no pixel is."""
    from PIL import Image

    found = []
    for path in paths:
        try:
            with Image.open(path) as image:
                found.append((image.height, image.width, image.mode in ("1", "L", "LA", "I;16", "I")))
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue  # the tolerant decoding pass reports it
    return found


def corrupt(paths: Sequence[str], do: str) -> RecipeError:
    """The error that lists undecodable files."""
    return RecipeError("pictures that can be decoded", f"{len(paths)} undecodable: {listed(paths)}", do)


def skipped(paths: Sequence[str]) -> Finding:
    """The warning that lists undecodable files which were left out."""
    return Finding(
        "warning",
        "corrupt",
        f"{len(paths)} undecodable pictures were skipped: {listed(paths)}",
        expected="every picture can be decoded",
        measured=f"{len(paths)} cannot",
        hint="restore or delete these files",
        evidence={"paths": list(paths)},
    )


def listed(names: Sequence[str], most: int = 10) -> str:
    """The first ten, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more


def is_picture(path: Path) -> bool:
    """Whether the name ends like that of a picture that can be read."""
    return path.suffix.lower() in SUFFIXES
