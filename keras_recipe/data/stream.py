"""tf.data.Datasets of (x, y), read once: into memory where they fit, else into a memory-mapped .npy."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from keras_recipe.core.errors import RecipeError
from keras_recipe.data.arrays import inputs_of, part_of_arrays
from keras_recipe.data.parts import NAMES, Reading, Source

BATCH = 256
"""Examples read in one go from a dataset that is not batched."""


def is_dataset(value: Any) -> bool:
    """Whether this is a tf.data.Dataset; without importing TensorFlow, which whoever has one has done."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(value, tensorflow.data.Dataset)


def read_datasets(datasets: tuple[Any, ...], reading: Reading) -> Source:
    """Parts train, validation and test, in this order, of one to three datasets. Raises RecipeError."""
    parts, kinds = {}, []
    for name, dataset in zip(NAMES, datasets, strict=False):
        x, y = materialise(dataset, name, reading)
        kind, parts[name] = part_of_arrays(x, y, name)
        kinds.append(kind)
    return Source("dataset", kinds[0], parts)


def materialise(dataset: Any, part: str, reading: Reading) -> tuple[np.ndarray, np.ndarray]:
    """All inputs and labels, in the dataset's order: x a plain array, or a memory map beyond `reading.memory` bytes.

    Raises RecipeError for a dataset that does not end, is empty, or does not give (x, y) of fixed shapes.
    """
    import tensorflow as tf

    inputs = Growing(part, reading)
    labels: list[np.ndarray] = []
    try:
        for x, y in _batched(dataset, part).prefetch(2).as_numpy_iterator():
            inputs.append(np.asarray(inputs_of(x, part)[1]))
            labels.append(y)
    except tf.errors.OpError as error:
        inputs.discard()
        message = str(error).splitlines()[0][:300]
        raise RecipeError("a dataset whose examples can be read and batched", message, "correct the dataset") from error
    except BaseException:
        inputs.discard()
        raise
    if not labels:
        raise RecipeError("examples", f"an empty dataset as the {part} part", "give a dataset with examples")
    return inputs.finish(), np.concatenate(labels)


class Growing:
    """An array that grows batch by batch: in memory, and in a file from the batch on that exceeds the memory."""

    def __init__(self, part: str, reading: Reading) -> None:
        self._part, self._reading = part, reading
        self._held: list[np.ndarray] = []
        self._spool: Spool | None = None

    def append(self, batch: np.ndarray) -> None:
        """Add a batch."""
        if self._spool is not None:
            self._spool.append(batch)
            return
        self._held.append(batch)
        if sum(b.nbytes for b in self._held) > self._reading.memory:
            self._spool = Spool(self._reading.cache, self._part, self._held)
            self._held = []

    def finish(self) -> np.ndarray:
        """The whole: a plain array, or a memory map."""
        return np.concatenate(self._held) if self._spool is None else self._spool.finish()

    def discard(self) -> None:
        """Delete what was written."""
        if self._spool is not None:
            self._spool.discard()


class Spool:
    """An .npy that grows batch by batch.

    Args:
        folder: where it is kept; None for a temporary file, which the system removes once nobody has it open.
        part: gives the file its name.
        batches: the first batches.
    """

    def __init__(self, folder: Path | None, part: str, batches: list[np.ndarray]) -> None:
        self._temporary = folder is None
        place = Path(tempfile.mkdtemp(prefix="keras_recipe_")) if folder is None else folder
        place.mkdir(parents=True, exist_ok=True)
        self.path = place / f"{part}.npy"
        self._partial = place / f"{part}.npy.partial"  # a file of that name may be mapped by an earlier problem
        self._file = self._partial.open("wb")
        self._shape, self._dtype, self._rows = batches[0].shape[1:], batches[0].dtype, 0
        self._header()
        for batch in batches:
            self.append(batch)

    def append(self, batch: np.ndarray) -> None:
        """Add a batch."""
        self._file.write(np.ascontiguousarray(batch).data)
        self._rows += len(batch)

    def finish(self) -> np.ndarray:
        """Close the file and map it into memory."""
        self._file.seek(0)
        self._header()
        self._file.close()
        self._partial.replace(self.path)
        mapped: np.ndarray = np.load(self.path, mmap_mode="r")
        if self._temporary:
            self.path.unlink()
            self.path.parent.rmdir()
        return mapped

    def discard(self) -> None:
        """Close and delete the unfinished file."""
        self._file.close()
        self._partial.unlink(missing_ok=True)
        if self._temporary:
            self.path.parent.rmdir()

    def _header(self) -> None:
        # numpy pads the header so that the number of rows can be rewritten in place.
        header = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False}
        np.lib.format.write_array_header_1_0(self._file, header | {"shape": (self._rows, *self._shape)})


def _batched(dataset: Any, part: str) -> Any:
    """The dataset in batches. Raises RecipeError where it is endless, or not of (x, y)."""
    import tensorflow as tf

    spec = dataset.element_spec
    pair = isinstance(spec, tuple) and len(spec) == 2 and all(isinstance(s, tf.TensorSpec) for s in spec)
    if not pair or spec[0].shape.rank is None or spec[1].shape.rank is None:
        raise RecipeError("a dataset of pairs (x, y) of tensors", f"{spec} in the {part} part", "map it to (x, y)")
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise RecipeError("a dataset that ends", f"an endless {part} part", "leave out repeat(), or add take(n)")
    return dataset if _is_batched(*(s.shape for s in spec)) else dataset.batch(BATCH)


def _is_batched(x: Any, y: Any) -> bool:
    """Both have a first axis, and it is the same one as far as can be told."""
    return x.rank > 1 and y.rank > 0 and x[0] == y[0]
