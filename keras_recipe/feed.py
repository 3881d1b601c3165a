"""One split as the loop takes it: whole where it is in memory, else a buffer at a time, read ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf

from keras_recipe import objectives
from keras_recipe.loop import Apply
from keras_recipe.problem import Problem, Split, buffer_rows

Tensors = tuple[tf.Tensor, tf.Tensor]


class Feed:
    """One split as the loop takes it: whole where it fits in memory, else a buffer at a time, read ahead."""

    def __init__(self, problem: Problem, split: Split) -> None:
        self.split = split
        self.targets = objectives.targets(problem, split.y)
        self._whole: Tensors | None = None
        if split.in_memory:
            self._whole = tf.constant(np.asarray(split.x)), tf.constant(self.targets)

    def steps(self, order: np.ndarray, chunk: Callable[[], int]) -> Iterator[tuple[Tensors, np.ndarray, np.ndarray]]:
        """Walk over an epoch's `order` (steps, batch) in calls of `chunk()` steps.

        Yields:
            inputs and targets, the order to gather from them, and the row numbers of the split that this means.
        """
        if self._whole is not None:
            start = 0
            while start < len(order):
                part = order[start : start + chunk()]
                yield self._whole, part, part
                start += len(part)
            return
        parts = _split_evenly(order, buffer_rows(self.split.x) // order.shape[1])
        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(self._read, parts[0])
            for index, part in enumerate(parts):
                tensors = ahead.result()
                if index + 1 < len(parts):
                    ahead = reader.submit(self._read, parts[index + 1])
                yield tensors, np.arange(part.size, dtype="int32").reshape(part.shape), part

    def predict(self, apply: Apply, rows: np.ndarray | None = None) -> np.ndarray:
        """What `apply` makes of these rows, of the whole split by default, (rows, units)."""
        if self._whole is not None:
            return apply(self._whole[0] if rows is None else tf.gather(self._whole[0], rows))
        rows = np.arange(len(self.split)) if rows is None else rows
        parts = _split_evenly(rows, buffer_rows(self.split.x))
        return np.concatenate([apply(tf.constant(self.split.x[part])) for part in parts])

    def _read(self, part: np.ndarray) -> Tensors:
        rows = part.ravel()
        return tf.constant(self.split.x[rows]), tf.constant(self.targets[rows])


def _split_evenly(rows: np.ndarray, size: int) -> list[np.ndarray]:
    return np.array_split(rows, -(-len(rows) // max(1, size)))
