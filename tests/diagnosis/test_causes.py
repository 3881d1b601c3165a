"""Each cause twice: a small job with the fault is told its cause, its healthy twin is told nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest

import keras_recipe as kr
from keras_recipe.core.diagnosis import CAUSES, Diagnosis

SEED = 0


@dataclass(frozen=True)
class Given:
    """One small job, as a script would write it.

    Attributes:
        task: "classes" (4 clouds, two on each side of a cross), "two" (a ring around a disc) or "regression".
        x, y: what is done to inputs and targets of both splits, `held` to those of validation alone.
    """

    task: str = "classes"
    hidden: str | None = "relu"
    depth: int = 2
    last: str | None = "softmax"
    units: int = 0
    loss: Any = "sparse_categorical_crossentropy"
    optimizer: Callable[[], Any] = lambda: keras.optimizers.Adam(0.01)
    metrics: tuple[str, ...] = ()
    epochs: int = 12
    batch: int = 32
    shuffle: bool = True
    x: Callable[[np.ndarray], np.ndarray] = lambda x: x
    y: Callable[[np.ndarray], np.ndarray] = lambda y: y
    held: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] = lambda x, y: (x, y)
    train: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] = lambda x, y: (x, y)
    layer: dict[str, Any] = dataclasses.field(default_factory=dict)
    frozen: bool = False
    dropout: float = 0.0
    normalized: dict[str, Any] | None = None


def data(task: str, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    if task == "regression":
        x = generator.normal(size=(n, 4))
        y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.05 * generator.normal(size=n)
        return x.astype("float32"), (y / y.std()).astype("float32")
    if task == "two":
        x = generator.uniform(-2, 2, size=(n, 4))
        return x.astype("float32"), (np.hypot(x[:, 0], x[:, 1]) < 1.6).astype("float32")
    y = np.arange(n) % 4
    generator.shuffle(y)
    angle = np.pi / 2 * y + np.pi * generator.integers(0, 2, n) * (y % 2 == 0)
    centres = np.stack([np.cos(angle), np.sin(angle), y > 1, y % 2 * 0.5], axis=1)
    return (2 * centres + 0.5 * generator.normal(size=(n, 4))).astype("float32"), y


def diagnosed(given: Given) -> Diagnosis:
    keras.utils.set_random_seed(SEED)
    x, y = data(given.task, 1000, 0)
    held_x, held_y = data(given.task, 400, 1)
    x, y = given.train(given.x(x), given.y(y))
    held_x, held_y = given.held(given.x(held_x), given.y(held_y))
    layers: list[Any] = [keras.Input(x.shape[1:])]
    for _ in range(given.depth):
        layers.append(keras.layers.Dense(32, activation=given.hidden, trainable=not given.frozen, **given.layer))
        if given.normalized is not None:
            layers.append(keras.layers.BatchNormalization(**given.normalized))
        if given.dropout:
            layers.append(keras.layers.Dropout(given.dropout))
    units = given.units or {"classes": 4}.get(given.task, 1)
    model = keras.Sequential([*layers, keras.layers.Dense(units, activation=given.last)])
    model.compile(given.optimizer(), given.loss, metrics=list(given.metrics))
    before = [v.numpy() for v in model.variables]
    found = kr.diagnose(
        model,
        x,
        y,
        validation_data=(held_x, held_y),
        epochs=given.epochs,
        batch_size=given.batch,
        shuffle=given.shuffle,
    )
    assert all(np.array_equal(a, v.numpy()) for a, v in zip(before, model.variables, strict=True)), (
        "weights were put back"
    )
    return found


CLASSES = Given()
TWO = Given("two", last="sigmoid", loss="binary_crossentropy", epochs=20)
REGRESSION = Given("regression", last=None, loss="mse", epochs=20)
HEALTHY = {
    "classes": CLASSES,
    "two": TWO,
    "regression": REGRESSION,
    "logits": dataclasses.replace(
        CLASSES, last=None, loss=lambda y, p: keras.losses.sparse_categorical_crossentropy(y, p, from_logits=True)
    ),
    "dropout": dataclasses.replace(CLASSES, dropout=0.2),
    "normalized": dataclasses.replace(CLASSES, normalized={}),
    "one-hot": dataclasses.replace(CLASSES, y=lambda y: np.eye(4)[y], loss="categorical_crossentropy"),
    "adam at .03": dataclasses.replace(CLASSES, optimizer=lambda: keras.optimizers.Adam(0.03)),
    "sgd": dataclasses.replace(CLASSES, optimizer=lambda: keras.optimizers.SGD(0.1, momentum=0.9)),
    "tanh": dataclasses.replace(TWO, hidden="tanh"),
    "sorted, but shuffled": dataclasses.replace(
        CLASSES, train=lambda x, y: (x[np.argsort(y, kind="stable")], np.sort(y))
    ),
    "rare, but weighed by nothing and found": dataclasses.replace(TWO, metrics=("accuracy",)),
    "mae": dataclasses.replace(REGRESSION, metrics=("mae",)),
}


def with_noise(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    wrong = generator.random(len(y)) < 0.25
    return x, np.where(wrong, generator.permutation(y), y)


def overlapping(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known_x, known_y = data("classes", 1000, 0)
    return np.concatenate([x[:200], known_x[:200]]), np.concatenate([y[:200], known_y[:200]])


def missing(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x[::50, 1] = np.nan
    return x


BROKEN: list[tuple[str, Given, list[set[str]]]] = [
    ("pixels", dataclasses.replace(CLASSES, x=lambda x: x * 300, optimizer=lambda: keras.optimizers.SGD(0.05)),
     [{"input-scale"}, {"learning-rate"}]),
    ("targets", dataclasses.replace(REGRESSION, y=lambda y: 5000 + 2000 * y), [{"target-scale"}]),
    ("fractions", dataclasses.replace(CLASSES, y=lambda y: y / 255), [{"labels"}]),
    ("prepared apart", dataclasses.replace(CLASSES, held=lambda x, y: (20 * x + 7, y)), [{"preprocessing-mismatch"}]),
    ("shuffled apart", dataclasses.replace(CLASSES, train=lambda x, y: (np.random.default_rng(2).permutation(x), y)),
     [{"labels"}]),
    ("noise", dataclasses.replace(CLASSES, train=with_noise), [{"labels"}]),
    ("missing", dataclasses.replace(CLASSES, x=missing), [{"nan-data"}]),
    ("sorted", dataclasses.replace(
        CLASSES, shuffle=False, train=lambda x, y: (x[np.argsort(y, kind="stable")], np.sort(y)),
        epochs=3, optimizer=lambda: keras.optimizers.Adam(0.02)), [{"shuffling"}]),
    ("softmax over one", dataclasses.replace(TWO, last="softmax"), [{"last-activation"}, {"units"}]),
    ("relu at the end", dataclasses.replace(CLASSES, last="relu"), [{"last-activation"}]),
    ("bounded", dataclasses.replace(REGRESSION, last="sigmoid", y=lambda y: 3 + 3 * y),
     [{"last-activation"}, {"last-activation", "loss"}]),
    ("negative targets", dataclasses.replace(REGRESSION, last="relu"), [{"last-activation"}]),
    ("one unit for four", dataclasses.replace(CLASSES, units=1, last="sigmoid", loss="binary_crossentropy"),
     [{"units", "loss"}, {"units", "last-activation", "loss"}, {"units", "last-activation", "loss", "labels"}]),
    ("linear", dataclasses.replace(TWO, hidden=None), [{"hidden-activation"}]),
    ("too low", dataclasses.replace(CLASSES, optimizer=lambda: keras.optimizers.Adam(1e-6)), [{"learning-rate"}]),
    ("too high", dataclasses.replace(CLASSES, optimizer=lambda: keras.optimizers.Adam(20.0)), [{"learning-rate"}]),
    ("negative", dataclasses.replace(CLASSES, optimizer=lambda: keras.optimizers.SGD(-0.05)), [{"learning-rate"}]),
    ("clipped", dataclasses.replace(CLASSES, optimizer=lambda: keras.optimizers.SGD(0.1, clipnorm=1e-8)),
     [{"gradient-clipping"}]),
    ("large kernels", dataclasses.replace(
        TWO, depth=4, layer={"kernel_initializer": keras.initializers.RandomNormal(0, 20.0, seed=1)}),
     [{"initializer"}]),
    ("dead", dataclasses.replace(CLASSES, layer={"bias_initializer": keras.initializers.Constant(-30)}),
     [{"dead-units", "initializer"}]),
    ("dropped", dataclasses.replace(TWO, dropout=0.9), [{"dropout"}]),
    ("penalized", dataclasses.replace(TWO, layer={"kernel_regularizer": keras.regularizers.L1(0.2)}),
     [{"regularization"}]),
    ("frozen", dataclasses.replace(
        TWO, frozen=True, layer={"kernel_initializer": keras.initializers.RandomNormal(0, 0.01, seed=1)}),
     [{"frozen-layers"}, {"frozen-layers", "initializer"}, {"initializer"}]),
    ("stale statistics", dataclasses.replace(CLASSES, x=lambda x: 30 * x + 50, normalized={"momentum": 0.99999}),
     [{"batch-normalization"}, {"batch-normalization", "input-scale"}]),
    ("accuracy of a regression", dataclasses.replace(REGRESSION, metrics=("accuracy",)), [{"metric"}]),
    ("overlap", dataclasses.replace(CLASSES, held=overlapping), [{"leakage"}]),
    ("copied", dataclasses.replace(
        REGRESSION, train=lambda x, y: (np.column_stack([x, 3 * y + 1]).astype("float32"), y),
        held=lambda x, y: (np.column_stack([x, 3 * y + 1]).astype("float32"), y)), [{"leakage"}]),
    ("low rate and linear", dataclasses.replace(TWO, hidden=None, optimizer=lambda: keras.optimizers.Adam(1e-6)),
     [{"hidden-activation", "learning-rate"}]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "accepted"), BROKEN, ids=[name for name, _, _ in BROKEN])
def test_a_fault_is_named(name: str, given: Given, accepted: list[set[str]]) -> None:
    found = diagnosed(given)
    named = {f.cause for f in found.faults if f.severity == "ERROR"}
    assert named in accepted, [(f.severity, f.cause, f.message) for f in found.faults]
    assert not found.ok
    assert all(f.cause in CAUSES and f.expected and f.measured and f.hint for f in found.faults)


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_job_is_told_nothing(name: str) -> None:
    found = diagnosed(HEALTHY[name])
    assert found.ok, [(f.severity, f.cause, f.message) for f in found.faults]
