"""The data of a `fit` as arrays, whatever it was given: arrays, frames, nested ones, tf.data, PyDataset, generators."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_recipe.core.errors import RecipeError
from keras_recipe.diagnosis.fitting import Fit
from keras_recipe.spread import evenly

ROWS, HELD = 12_000, 3_000
"""Training and validation examples that a diagnosis looks at; steps are never cut with them."""

AGAIN = 1000
"""Examples of a second pass that are compared with the first."""

BYTES = 2**28
"""Bytes of training examples at most."""

HOLD_OUT = 0.2
"""Share of the training rows that scores are taken on where the script validates on nothing of its own."""

WINDOW = 16
"""Examples in a row that are looked at together, at least, to see whether they come sorted."""

FEW = 30
"""Training rows below which none is held out: scores are then on the rows that were trained on."""

Nested = Any
"""An array, or a list or dictionary of arrays, examples first."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Examples.

    Attributes:
        x, y: nested arrays with as many examples each; y None where the model makes its own targets.
        weights: of the examples, (n,), or None.
    """

    x: Nested
    y: Nested
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(leaves(self.x)[0])

    def take(self, rows: np.ndarray) -> Rows:
        """These rows."""
        weights = None if self.weights is None else self.weights[rows]
        return Rows(mapped(lambda a: a[rows], self.x), mapped(lambda a: a[rows], self.y), weights)

    @cached_property
    def moments(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Mean and deviation of each array of numbers among the inputs: by column in tables, in one number else."""
        found = []
        for leaf in leaves(self.x):
            if leaf.dtype.kind not in "iuf" or (leaf.dtype.kind in "iu" and leaf.ndim == 2 and leaf.shape[1] > 1):
                found.append((np.zeros(1), np.ones(1)))
                continue
            values = leaf.astype("float64").reshape(len(leaf), -1)
            if values.shape[1] > 200:
                values = values.reshape(-1, 1)
            found.append((values.mean(axis=0), values.std(axis=0)))
        return found

    @cached_property
    def hashes(self) -> np.ndarray:
        """A number for each example that is the same for the same inputs, (n,) int64."""
        parts = [np.ascontiguousarray(leaf.reshape(len(leaf), -1)) for leaf in leaves(self.x)]
        joined = [b"|".join(p[i].tobytes() for p in parts) for i in range(len(self))]
        return np.array([hash(j) for j in joined], dtype="int64")


@dataclass(frozen=True, eq=False)
class Data:
    """What a fit trains on, and what scores are taken on.

    Attributes:
        train: training rows in the order in which they come.
        held: rows that are not trained on.
        own: whether `held` is the script's own validation data.
        validation: the script's own validation rows, also where they are not fit to be scored on; None without.
        total: training rows that the script has; more than `train` has where they were cut.
        batch: examples a gradient step.
        steps: gradient steps that the fit plans.
        epochs: passes that the fit plans.
        ordered: whether every epoch goes through the rows in the same order.
        arrays: whether `fit` was given arrays, which it shuffles itself.
        again: rows of a second pass over what is no arrays; None where there can be none.
    """

    train: Rows
    held: Rows
    own: bool
    validation: Rows | None
    total: int
    batch: int
    steps: int
    epochs: int
    ordered: bool
    arrays: bool
    again: Rows | None = None

    @property
    def toy(self) -> bool:
        """Whether there are so few rows that scores are on those that were trained on."""
        return self.held is self.train


def leaves(nested: Nested) -> list[Any]:
    """Its arrays, those of dictionaries by key."""
    if nested is None:
        return []
    if isinstance(nested, dict):
        return [leaf for key in sorted(nested) for leaf in leaves(nested[key])]
    if isinstance(nested, list | tuple):
        return [leaf for part in nested for leaf in leaves(part)]
    return [nested]


def mapped(function: Callable[[Any], Any], nested: Nested) -> Nested:
    """The same nest with `function` of each of its arrays."""
    if nested is None:
        return None
    if isinstance(nested, dict):
        return {key: mapped(function, value) for key, value in nested.items()}
    if isinstance(nested, list | tuple):
        return type(nested)(mapped(function, value) for value in nested)
    return function(nested)


def sorted_nest(nested: Nested) -> Nested:
    """The same nest, dictionaries by key, as `leaves` walks it."""
    if isinstance(nested, dict):
        return {key: sorted_nest(nested[key]) for key in sorted(nested)}
    if isinstance(nested, list | tuple):
        return type(nested)(sorted_nest(part) for part in nested)
    return nested


def data_of(fit: Fit) -> Data:
    """Read the data of a fit.

    Raises:
        RecipeError: it holds no examples, or in a form that is not known.
    """
    arrays = _is_arrays(fit.x)
    if arrays:
        train, validation, total = _split_arrays(fit)
        batch = min(fit.batch_size or 32, total)
        steps = fit.steps_per_epoch or -(-total // batch)
    else:
        # A generator gives other examples in each epoch: all that it would give are read.
        passes = max(1, fit.epochs - fit.initial_epoch) if hasattr(fit.x, "__next__") else 1
        train, batch, seen, complete = _drained(fit.x, fit.steps_per_epoch and fit.steps_per_epoch * passes)
        counted = -(-seen // batch)
        steps = fit.steps_per_epoch or _length(fit.x) or counted
        total = seen if complete else max(seen, steps * batch)
        validation = _validation(fit)
    if len(train) < 2:
        raise RecipeError("two training examples or more", f"{len(train)}", "give fit some data")
    if fit.class_weight and isinstance(train.y, np.ndarray):
        train = replace(train, weights=_weighted(train, fit.class_weight))
    epochs = max(1, fit.epochs - fit.initial_epoch)
    held, kept, own = validation, train, validation is not None
    if held is None:
        held, kept = _held_out(train)
    ordered = (arrays and not fit.shuffle) or (not arrays and sorted_by_target(train.y, batch))
    again = None if arrays else _second_pass(fit.x)
    return Data(kept, held, own, validation, total, max(1, batch), steps * epochs, epochs, ordered, arrays, again)


def hold_out(data: Data) -> Data:
    """Score on training rows that are not trained on, because the script's own validation data cannot be trusted."""
    held, kept = _held_out(data.train)
    return replace(data, train=kept, held=held, own=False)


def _held_out(train: Rows) -> tuple[Rows, Rows]:
    if len(train) < FEW:
        return train, train
    order = np.random.default_rng(0).permutation(len(train))
    count = max(1, round(HOLD_OUT * len(train)))
    return train.take(np.sort(order[:count])), train.take(np.sort(order[count:]))


def _is_arrays(x: Any) -> bool:
    if isinstance(x, tf.data.Dataset | keras.utils.PyDataset) or x is None:
        return False
    return not (hasattr(x, "__next__") or type(x).__module__.startswith("torch."))


def _array(value: Any) -> Any:
    """An array of what Keras takes: arrays, tensors, frames and series, lists of numbers."""
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if hasattr(value, "numpy"):
        value = value.numpy()
    found = np.asarray(value)
    if found.dtype == object:
        try:
            found = found.astype("float32")
        except (TypeError, ValueError):
            found = found.astype(str)
    if found.dtype == np.float64:
        found = found.astype("float32")
    return found


def _nest(value: Any) -> Nested:
    if value is None:
        return None
    if isinstance(value, dict):
        return {key: _nest(part) for key, part in value.items()}
    if isinstance(value, list | tuple) and value and hasattr(value[0], "shape"):
        return [_nest(part) for part in value]
    return _array(value)


def _split_arrays(fit: Fit) -> tuple[Rows, Rows | None, int]:
    every = Rows(_nest(fit.x), _nest(fit.y), None if fit.sample_weight is None else _array(fit.sample_weight))
    lengths = {len(leaf) for leaf in [*leaves(every.x), *leaves(every.y)]}
    if len(lengths) != 1:
        raise RecipeError("as many inputs as targets", f"{sorted(lengths)} rows", "give arrays of the same length")
    total, validation = len(every), None
    if fit.validation_data is not None:
        validation = _validation(fit)
    elif fit.validation_split:
        total = int(total * (1 - fit.validation_split))
        validation = _cut(every.take(np.arange(total, len(every))), HELD)
    return _cut(every.take(np.arange(total)), ROWS), validation, total


def _validation(fit: Fit) -> Rows | None:
    given = fit.validation_data
    if given is None:
        return None
    if isinstance(given, tuple | list) and len(given) in (2, 3) and _is_arrays(given[0]):
        x, y, *weights = given
        return _cut(Rows(_nest(x), _nest(y), _array(weights[0]) if weights and weights[0] is not None else None), HELD)
    if _is_arrays(given):
        return _cut(Rows(_nest(given), None), HELD)
    found = _drained(given, None, HELD)[0]
    return found if len(found) else None


def _cut(rows: Rows, most: int) -> Rows:
    """At most this many rows, evenly from all, so that their order stays what it is."""
    bytes_each = sum(leaf[:1].nbytes for leaf in leaves(rows.x))
    most = max(64, min(most, BYTES // max(bytes_each, 1)))
    return rows if len(rows) <= most else rows.take(evenly(len(rows), most))


def _length(x: Any) -> int | None:
    if isinstance(x, tf.data.Dataset):
        found = int(x.cardinality())
        return found if found > 0 else None
    try:
        return len(x) or None
    except TypeError:
        return None


def _drained(x: Any, steps: int | None, most: int = ROWS) -> tuple[Rows, int, int, bool]:
    """Rows of one epoch of batches, the size of a batch, how many rows were seen, and whether these were all."""
    batches: list[Rows] = []
    seen, size, complete = 0, 0, False
    source = _batches(x)
    for batch in itertools.islice(source, steps):
        size = size or len(batch)
        batches.append(batch)
        seen += len(batch)
        bytes_each = sum(leaf[:1].nbytes for leaf in leaves(batch.x))
        if seen >= min(most, BYTES // max(bytes_each, 1)):
            break
    else:
        complete = True
    if not batches:
        raise RecipeError("batches of examples", "none", "give fit some data")
    return _joined(batches), size, seen, complete


def _second_pass(x: Any) -> Rows | None:
    """Rows of the next epoch. A PyDataset is copied, for it may change at the end of an epoch; a generator has none."""
    if isinstance(x, tf.data.Dataset):
        return _drained(x, None, AGAIN)[0]
    if isinstance(x, keras.utils.PyDataset):
        try:
            following = copy.deepcopy(x)
        except Exception:  # files, locks and other things that cannot be copied: the same epoch, read again
            return _drained(x, None, AGAIN)[0]
        following.on_epoch_end()
        return _drained(following, None, AGAIN)[0]
    return None


def _batches(x: Any) -> Iterator[Rows]:
    if isinstance(x, keras.utils.PyDataset):
        for index in range(x.num_batches or 10**9):
            yield _row_batch(x[index])
        return
    for batch in x:
        yield _row_batch(batch)


def _row_batch(batch: Any) -> Rows:
    if isinstance(batch, tuple) and len(batch) in (1, 2, 3):
        x, y, weights = (*batch, None, None)[:3]
    elif isinstance(batch, list) and len(batch) == 2:
        x, y, weights = batch[0], batch[1], None
    else:
        x, y, weights = batch, None, None
    return Rows(_nest(x), _nest(y), None if weights is None else _array(weights))


def _joined(batches: list[Rows]) -> Rows:
    def join(parts: list[Nested]) -> Nested:
        first = parts[0]
        if first is None:
            return None
        if isinstance(first, dict):
            return {key: join([p[key] for p in parts]) for key in first}
        if isinstance(first, list | tuple):
            return [join([p[i] for p in parts]) for i in range(len(first))]
        return np.concatenate([np.atleast_1d(p) for p in parts])

    weights = (
        None if batches[0].weights is None else np.concatenate([b.weights for b in batches if b.weights is not None])
    )
    return Rows(join([b.x for b in batches]), join([b.y for b in batches]), weights)


def _weighted(train: Rows, class_weight: dict[int, float]) -> np.ndarray:
    y = train.y
    labels = y.argmax(axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y)).astype(int)
    table = np.ones(int(max(labels.max(), *class_weight)) + 1)
    for label, weight in class_weight.items():
        table[int(label)] = weight
    found = table[labels]
    return found if train.weights is None else found * train.weights


def sorted_by_target(y: Nested, batch: int) -> bool:
    """Whether examples that follow each other are far more alike in their targets than chance would have it.

    How they stand within a batch does not matter: all that is asked is what batches are made of.

    Args:
        y: targets in the order in which they come.
        batch: examples a step; of fewer than WINDOW several steps are looked at together.
    """
    found, window = leaves(y), max(batch, WINDOW)
    if len(found) != 1 or len(found[0]) < 2 * window or found[0].dtype.kind not in "iufb":
        return False
    flat = found[0].reshape(len(found[0]), -1)
    one_hot = flat.shape[1] > 1 and set(np.unique(flat)) <= {0, 1}
    values = flat.argmax(axis=1) if one_hot else flat[:, 0].astype("float64")
    if not np.isfinite(values).all():
        return False
    known, places = np.unique(values, return_inverse=True)
    parts = len(values) // window
    if len(known) > max(20, len(values) // 20):
        within = values[: parts * window].reshape(parts, window).var(axis=1).mean()
        return bool(within < 0.05 * values.var())
    # Gini impurity (Breiman et al., 1984): how often two examples of a batch are of different classes.
    counts = np.stack([np.bincount(p, minlength=len(known)) for p in places[: parts * window].reshape(parts, window)])
    mixed = (1 - ((counts / window) ** 2).sum(axis=1)).mean()
    chance = (1 - ((np.bincount(places) / len(places)) ** 2).sum()) * (1 - 1 / window)
    return bool(mixed < 0.5 * chance)
