"""A Problem: named splits, the kind of task, and what counts as better. Frozen, and free of any model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from keras_recipe.core.records import Finding, Findings, Objective
from keras_recipe.core.shown import shown

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["image", "table", "vector"]
Task = Literal["multiclass", "binary", "regression"]

TASKS: tuple[Task, ...] = ("multiclass", "binary", "regression")


class Rows(Protocol):
    """Inputs of one split: an array in memory, a memory map, or files decoded when asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(examples, *shape of one example)."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements that indexing returns: uint8 for pictures, float32 otherwise."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Examples of these rows (an array of integers or a slice), in that order."""
        ...


BUFFER_BYTES = 64 * 2**20
"""Inputs that are held at a time where not all of them are: what memory a pass over large data needs does not depend
on how many examples there are, nor on their size."""


def buffer_rows(x: Rows, most: int | None = None) -> int:
    """Examples that fit into a buffer, at least one and at most `most`."""
    row = int(np.prod(x.shape[1:])) * x.dtype.itemsize
    return max(1, min(BUFFER_BYTES // max(row, 1), len(x) if most is None else most))


@dataclass(frozen=True, eq=False)
class Split:
    """One part of the data.

    Attributes:
        x: inputs, (examples, *shape).
        y: labels, always in memory: int32 class indices (examples,), or float32 targets (examples, targets)
            in the user's unit.
        ids: what a person calls each example: its path, or its row number in the source.
        folder: where the ids are paths, what they are relative to.
        raw: of a table, its input columns as they were read, before they were encoded: rows in the order of `x`.
    """

    x: Rows
    y: np.ndarray
    ids: Sequence[str]
    folder: Path | None = None
    raw: pd.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.y)

    def sample(self, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and labels of at most `count` random rows, and at most a buffer: for a seed always the same."""
        count = buffer_rows(self.x, count)
        rows = np.arange(len(self))
        if len(self) > count:
            rows = np.sort(np.random.default_rng(seed).choice(len(self), count, replace=False))
        return self.x[rows], self.y[rows]

    @property
    def in_memory(self) -> bool:
        """True where `x` is a plain array: it then goes to the device once, as a whole."""
        return type(self.x) is np.ndarray


@dataclass(frozen=True)
class Column:
    """One input column of a table.

    A number becomes (value - mean) / scale, missing values 0, followed by a 0/1 column that marks them where
    `missing`. A category becomes one 0/1 column for each word of the vocabulary, and one for all other words.
    """

    name: str
    vocabulary: tuple[str, ...] | None = None
    mean: float = 0.0
    scale: float = 1.0
    missing: bool = False

    @property
    def width(self) -> int:
        """Number of encoded columns."""
        return 1 + self.missing if self.vocabulary is None else 1 + len(self.vocabulary)


@dataclass(frozen=True)
class Signature:
    """What a raw input looks like, and what the outputs mean: all that is needed to use the model on new files.

    Stored inside `model.keras`. JSON values only.

    Attributes:
        kind, task: see Problem.
        shape: of one encoded example, (height, width, channels) for pictures, (features,) otherwise.
        dtype: of one encoded example, "uint8" or "float32".
        classes: class names in the order of the outputs; empty for regression.
        target: name of the target column, for tables.
        targets: number of target values, for regression; 0 otherwise.
        columns: input columns in order, for tables; empty otherwise.
    """

    kind: Kind
    task: Task
    shape: tuple[int, ...]
    dtype: str
    classes: tuple[str, ...] = ()
    target: str = ""
    targets: int = 0
    columns: tuple[Column, ...] = ()

    @property
    def outputs(self) -> int:
        """Units of the last layer: classes, one for binary, targets for regression."""
        return {"multiclass": len(self.classes), "binary": 1, "regression": self.targets}[self.task]

    @property
    def features(self) -> dict[str, tuple[int, ...]]:
        """Positions of each feature in an encoded example: of a column of a table by its name, of a number of a vector
        by "0", "1", ...; pictures have none that means anything alone."""
        if self.kind == "image":
            return {}
        if self.kind == "vector":
            return {str(i): (i,) for i in range(math.prod(self.shape))}
        found, start = {}, 0
        for column in self.columns:
            found[column.name] = tuple(range(start, start + column.width))
            start += column.width
        return found

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Signature:
        """Inverse of `dataclasses.asdict` after a passage through JSON."""
        columns = tuple(
            Column(**c | {"vocabulary": None if c["vocabulary"] is None else tuple(c["vocabulary"])})
            for c in values["columns"]
        )
        tuples = {"shape": tuple(values["shape"]), "classes": tuple(values["classes"]), "columns": columns}
        return cls(**values | tuples)


@dataclass(frozen=True, eq=False)
class Problem:
    """Data and an objective.

    Attributes:
        name: for directories and titles.
        signature: what an example is.
        train, validation: the two splits that decisions are made on.
        test: the split that is read once, at the end.
        objective: metric that decides, with its direction.
        loss: name of the training loss (see `keras_recipe.objectives.LOSSES`).
        fingerprint: identifies data, split, loss and objective.
        human_score: the user's figure for what a person reaches, in the objective's unit.
        split_by: how rows were assigned, for the report ("stratified, seed 0", "given", "groups of ...", ...).
        findings: what reading the data has shown (files skipped, cells missing, ...).
        additions: for each source of examples that were added to the training split, behind its own and in this order,
            what identifies them with those before, and how many they are. A config says which of them it is trained on.
    """

    name: str
    signature: Signature
    train: Split
    validation: Split
    test: Split
    objective: Objective
    loss: str
    fingerprint: str
    human_score: float | None = None
    split_by: str = ""
    findings: tuple[Finding, ...] = field(default=())
    additions: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "findings", Findings(self.findings))

    def _repr_html_(self) -> str:
        return shown("problem", self.summary(), self.findings)

    @property
    def more(self) -> str:
        """Identifies all examples that were added; "" for none."""
        return self.additions[-1][0] if self.additions else ""

    @property
    def added(self) -> int:
        """How many they are."""
        return sum(count for _, count in self.additions)

    def trained_on(self, more: str) -> int:
        """Examples of the training split, the first so many, that a config with this `more_data` is trained on.

        Raises:
            ValueError: no examples go by this name.
        """
        names = ["", *(name for name, _ in self.additions)]
        if more not in names:
            raise ValueError(f"Expected a config without more data, or with one of {names[1:]}. Received {more!r}.")
        return self.given + sum(count for _, count in self.additions[: names.index(more)])

    @property
    def given(self) -> int:
        """Examples of the training split before more were added. What is taken from the split without training
        (means, frequencies) is that of these, so that a trial is the same whether others lie beside them or not."""
        return len(self.train) - self.added

    def summary(self) -> dict[str, Any]:
        """JSON values for the first record of a journal and for `inspect`."""
        s = self.signature
        return {
            "name": self.name,
            "kind": s.kind,
            "task": s.task,
            "shape": list(s.shape),
            "dtype": s.dtype,
            "classes": list(s.classes),
            "target": s.target,
            "targets": s.targets,
            "loss": self.loss,
            "human_score": self.human_score,
            "sizes": {"train": len(self.train), "validation": len(self.validation), "test": len(self.test)},
            "in_memory": self.train.in_memory,
            "split_by": self.split_by,
        } | ({"added": self.added} if self.added else {})

    def label(self, y: Any) -> str:
        """A label as a person calls it: the name of its class, or its target values."""
        if self.signature.classes:
            return self.signature.classes[int(y)]
        return ", ".join(f"{float(v):.6g}" for v in np.ravel(y))

    def label_frequencies(self) -> np.ndarray:
        """Share of each class in the training split, (classes,), summing to 1."""
        counts = np.bincount(self.train.y[: self.given], minlength=len(self.signature.classes))
        return counts / counts.sum()

    def target_moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each regression target in the training split; 1 where constant."""
        y = self.train.y[: self.given]
        deviation = y.std(axis=0)
        return y.mean(axis=0), np.where(deviation > 0, deviation, 1.0).astype("float32")
