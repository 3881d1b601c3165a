"""Each cause twice: a small job with the fault is told its cause, its healthy twin is told nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

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
    widths: tuple[int, ...] = (32, 32)
    last: Any = "softmax"
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
    class_weight: dict[int, float] | None = None


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
    for width in given.widths:
        layers.append(keras.layers.Dense(width, activation=given.hidden, trainable=not given.frozen, **given.layer))
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
        class_weight=given.class_weight,
    )
    assert all(np.array_equal(a, v.numpy()) for a, v in zip(before, model.variables, strict=True)), (
        "weights were put back"
    )
    return found


def rare(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kept = (y == 0) | (np.arange(len(y)) % 10 == 0)
    return x[kept], y[kept]


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
    "tf.nn.softmax": dataclasses.replace(CLASSES, last=tf.nn.softmax),
    "weighted as it should be": dataclasses.replace(
        TWO, train=rare, held=rare, class_weight={0: 1.0, 1: 10.0}, epochs=10
    ),
    "evened out in training alone": dataclasses.replace(TWO, held=rare),
    "constrained, but loosely": dataclasses.replace(TWO, layer={"kernel_constraint": keras.constraints.MaxNorm(3)}),
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
    ("cast to whole numbers", dataclasses.replace(CLASSES, x=lambda x: (x / 255).astype("uint8")), [{"input-scale"}]),
    ("one row for all", dataclasses.replace(CLASSES, x=np.ones_like), [{"duplicates"}]),
    ("prepared apart", dataclasses.replace(CLASSES, held=lambda x, y: (20 * x + 7, y)), [{"preprocessing-mismatch"}]),
    ("numbered apart", dataclasses.replace(CLASSES, held=lambda x, y: (x, (y + 1) % 4)), [{"labels"}]),
    ("shuffled apart", dataclasses.replace(CLASSES, train=lambda x, y: (np.random.default_rng(2).permutation(x), y)),
     [{"labels"}]),
    ("noise", dataclasses.replace(CLASSES, train=with_noise), [{"labels"}]),
    ("missing", dataclasses.replace(CLASSES, x=missing), [{"nan-data"}]),
    ("sorted", dataclasses.replace(
        CLASSES, shuffle=False, train=lambda x, y: (x[np.argsort(y, kind="stable")], np.sort(y)),
        epochs=3, optimizer=lambda: keras.optimizers.Adam(0.02)), [{"shuffling"}]),
    ("split while sorted", dataclasses.replace(
        CLASSES, train=lambda x, y: (x[y < 3], y[y < 3]), held=lambda x, y: (x[y > 1], y[y > 1])), [{"shuffling"}]),
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
        TWO, widths=(32,) * 4, layer={"kernel_initializer": keras.initializers.RandomNormal(0, 20.0, seed=1)}),
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
    ("softmax over the batch", dataclasses.replace(CLASSES, last=lambda x: keras.activations.softmax(x, axis=0)),
     [{"last-activation"}]),
    ("constrained", dataclasses.replace(
        TWO, layer={"kernel_constraint": keras.constraints.MaxNorm(0.001)}), [{"regularization"}]),
    ("epsilon", dataclasses.replace(CLASSES, optimizer=lambda: keras.optimizers.Adam(0.01, epsilon=100.0)),
     [{"optimizer"}]),
    ("weights upside down", dataclasses.replace(TWO, train=rare, held=rare, class_weight={0: 10.0, 1: 1.0}, epochs=10),
     [{"imbalance"}, {"imbalance", "metric"}]),
    # Adam at .01 gets there in spite of it.
    ("hinge", dataclasses.replace(
        CLASSES, y=lambda y: np.eye(4)[y], loss="hinge", optimizer=lambda: keras.optimizers.SGD(0.02)), [{"loss"}]),
    ("zeros", dataclasses.replace(CLASSES, layer={"kernel_initializer": "zeros"}), [{"initializer"}]),
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


class Stepping(keras.Model):
    """Moves its head alone, or all of it, in a training step of its own."""

    def __init__(self, whole: bool) -> None:
        super().__init__()
        small = keras.initializers.RandomNormal(0, 0.01, seed=1)
        self.body, self.head = (
            keras.layers.Dense(32, "relu", kernel_initializer=small),
            keras.layers.Dense(1, "sigmoid"),
        )
        self.whole = whole

    def call(self, x: Any) -> Any:
        return self.head(self.body(x))

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        weights = self.trainable_variables if self.whole else self.head.trainable_variables
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        return {"loss": loss}


def stepping(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    model = Stepping(whole=not broken)
    x, y = data("two", 1000, 0)
    model(x[:2])
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    return model, x, y, {"epochs": 20}


class Subtracting(keras.Model):
    """Takes the error in a training step of its own, of targets as they come or in the shape of the outputs."""

    def __init__(self, shaped: bool) -> None:
        super().__init__()
        self.body, self.head = keras.layers.Dense(32, "relu"), keras.layers.Dense(1)
        self.shaped = shaped

    def call(self, x: Any) -> Any:
        return self.head(self.body(x))

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with tf.GradientTape() as tape:
            outputs = self(x, training=True)
            loss = tf.reduce_mean(((tf.reshape(y, tf.shape(outputs)) if self.shaped else y) - outputs) ** 2)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {"loss": loss}


def subtracting(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    model = Subtracting(shaped=not broken)
    x, y = data("regression", 1000, 0)
    model(x[:2])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model, x, y, {"epochs": 20}


def words(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether a word of the first half of the vocabulary comes before one of the second half."""
    generator = np.random.default_rng(5)
    y = generator.integers(0, 2, n)
    x = generator.integers(3, 60, (n, 8))
    first, second = np.sort(np.stack([generator.permutation(8)[:2] for _ in range(n)]), axis=1).T
    x[np.arange(n), first], x[np.arange(n), second] = 2 - y, 1 + y
    return x.astype("float32"), y


def reading(pooling: Any, scale: float = 1.0) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    x, y = words(1500)
    layers = [keras.Input((8,)), keras.layers.Embedding(60, 16), pooling, keras.layers.Dense(1, "sigmoid")]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    return model, x * scale, y, {"epochs": 10}


def tokens(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    return reading(keras.layers.Flatten(), 1 / 60 if broken else 1.0)


def order(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    return reading(keras.layers.GlobalAveragePooling1D() if broken else keras.layers.GRU(16))


def padded(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    """Eight words of which one tells the class, and zeros behind them, masked or not."""
    generator = np.random.default_rng(6)
    y, x = generator.integers(0, 2, 1000), np.zeros((1000, 120), "int32")
    x[:, :8] = generator.integers(20, 60, (1000, 8))
    x[:, 2] = 1 + 8 * y + generator.integers(0, 8, 1000)
    layers = [keras.layers.Embedding(60, 16, mask_zero=not broken), keras.layers.LSTM(16)]
    model = keras.Sequential([keras.Input((120,), dtype="int32"), *layers, keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    return model, x, y, {"epochs": 5}


def series(window: int, offset: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    level = np.sin(np.arange(1200) / 100) + noise * np.random.default_rng(0).normal(size=1200)
    x = np.stack([level[k : k + window] for k in range(1200 - window)])[..., None].astype("float32")
    return x, level[window - offset : 1200 - offset].astype("float32")


def recurrent(x: np.ndarray, y: np.ndarray, **layer: Any) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    model = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.SimpleRNN(8, **layer), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model, x, y, {"epochs": 6}


def peeking(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    return recurrent(*(series(6, 1, 0.3) if broken else series(6, 0, 0.0)))


def growing(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    kernel = keras.initializers.Orthogonal(3.0 if broken else 1.0, seed=0)
    return recurrent(*series(12, 0, 0.1), activation="relu", recurrent_initializer=kernel)


def augmenting(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    x, y = data("classes", 1000, 0)
    noise = keras.layers.GaussianNoise(1.0 if broken else 0.01)
    dense = [keras.layers.Dense(32, "relu"), keras.layers.Dense(4, "softmax")]
    model = keras.Sequential([keras.Input((4,)), noise, *dense])
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    return model, x / 10, y, {"epochs": 8}


class Batches(keras.utils.PyDataset):
    """Gives its first batch alone, or all of them."""

    def __init__(self, first_alone: bool) -> None:
        super().__init__()
        self.x, self.y = data("classes", 640, 0)
        self.first_alone = first_alone

    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        start = 0 if self.first_alone else 32 * index
        return self.x[start : start + 32], self.y[start : start + 32]


def batches(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(4, "softmax")])
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    return model, Batches(broken), None, {"epochs": 8, "validation_data": data("classes", 300, 1)}


def outputs(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    x, y = data("regression", 1000, 0)
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(32, "relu")(inputs)
    model = keras.Model(inputs, [keras.layers.Dense(1)(hidden), keras.layers.Dense(1)(hidden)])
    model.compile(keras.optimizers.Adam(0.01), ["mse", "mse"], loss_weights=[1.0, 1e-7] if broken else [1.0, 0.5])
    return model, x, [x[:, 0] + x[:, 1], y], {"epochs": 15}


def drowned(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    """A class and a price, whose squared error is a million times the cross-entropy, or about as large."""
    x, inside = data("two", 1200, 0)
    price = (2000 + 900 * x[:, 2] + 500 * np.abs(x[:, 3])) / (1 if broken else 1000)
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(32, "relu")(inputs)
    heads = [keras.layers.Dense(1, "sigmoid", name="inside")(hidden), keras.layers.Dense(1, name="price")(hidden)]
    model = keras.Model(inputs, heads[::-1])
    model.compile(keras.optimizers.Adam(0.01), {"inside": "binary_crossentropy", "price": "mse"})
    return model, x, {"price": price.astype("float32"), "inside": inside}, {"epochs": 15}


def prices_of_days(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    """A price for each of twelve days, in cents or in hundreds."""
    x = np.random.default_rng(0).normal(size=(600, 12, 4)).astype("float32")
    y = (40000 + 9000 * x[..., :1] + 5000 * np.abs(x[..., 1:2])) / (1 if broken else 10000)
    dense = [keras.layers.Dense(32, "relu"), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((12, 4)), *dense])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model, x, y.astype("float32"), {"epochs": 12}


def apart(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    """Two outputs, and inputs that are shuffled without the labels of either."""
    model, x, y, _ = outputs(False)
    held = (x[700:], [part[700:] for part in y])
    x = np.random.default_rng(0).permutation(x[:700]) if broken else x[:700]
    return model, x, [part[:700] for part in y], {"epochs": 8, "validation_data": held}


def renumbered(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    """A hundred rows, and forty of which the classes are numbered in another order."""
    (x, y), (held_x, held_y) = (data("classes", n, seed) for n, seed in ((100, 0), (40, 1)))
    model, _, _, _ = batches(False)
    held_y = np.array([2, 1, 0, 3])[held_y] if broken else held_y
    return model, x, y, {"epochs": 30, "validation_data": (held_x, held_y)}


def vocabulary(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    """Words of which half are commoner in one class, and validation rows of another vocabulary, or of the same."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 1200)
    own = generator.random((1200, 12)) < 0.75
    x = 1 + generator.integers(0, 20, (1200, 12)) + 20 * np.where(own, y[:, None], 1 - y[:, None])
    other = generator.permutation(np.arange(1, 41))
    layers = [keras.layers.Embedding(41, 8), keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1, "sigmoid")]
    model = keras.Sequential([keras.Input((12,), dtype="int32"), *layers])
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    held = (other[x[900:] - 1] if broken else x[900:], y[900:])
    return model, x[:900], y[:900], {"epochs": 8, "validation_data": held}


def encoded(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    """Keys stand for the mean target of their training rows: of one or two each, or of some sixty each, which tells as
    much of new rows."""
    generator = np.random.default_rng(0)
    x, y = data("two", 1400, 0)
    told = np.where(generator.random(1400) < 0.95, y, 1 - y).astype(int)
    keys = generator.integers(0, 1400, 1400) if broken else 9 * told + generator.integers(0, 9, 1400)
    train, held = np.split(np.arange(1400), [1000])
    sums, counts = np.bincount(keys[train], y[train], 1400), np.bincount(keys[train], minlength=1400)
    code = np.where(counts > 0, sums / np.maximum(counts, 1), y[train].mean())[keys]
    x = np.column_stack([x, code]).astype("float32")
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    return model, x[train], y[train], {"epochs": 15, "validation_data": (x[held], y[held])}


def exclusive_or(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(16, "tanh"), keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.SGD(1e-4 if broken else 0.5), "binary_crossentropy")
    return model, x, np.array([0, 1, 1, 0], "float32"), {"epochs": 500, "batch_size": 4}


def pipeline(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    """Noise in the pipeline, far above the signal or so that it hides a little."""
    x, y = data("classes", 800, 0)
    noise = 12.0 if broken else 0.6
    rows = (
        tf.data.Dataset.from_tensor_slices((x, y)).map(lambda a, b: (a + noise * tf.random.normal((4,)), b)).batch(32)
    )
    model, _, _, arguments = batches(False)
    return model, rows, None, arguments


def coding(broken: bool) -> tuple[keras.Model, Any, Any, dict[str, Any]]:
    """An autoencoder with a code of one unit, or of six."""
    x = np.random.default_rng(0).normal(size=(800, 6)).astype("float32")
    widths = (32, 1 if broken else 6, 32)
    layers = [keras.Input((6,)), *(keras.layers.Dense(n, "relu") for n in widths), keras.layers.Dense(6)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model, x, x, {"epochs": 15}


JOBS: list[tuple[Callable[[bool], Any], list[set[str]]]] = [
    (stepping, [{"frozen-layers"}]),
    (subtracting, [{"loss"}]),
    (tokens, [{"input-scale"}]),
    (order, [{"architecture"}]),
    (peeking, [{"leakage"}]),
    (growing, [{"exploding-gradient"}]),
    (augmenting, [{"augmentation"}]),
    (batches, [{"duplicates"}]),
    (outputs, [{"loss"}]),
    (drowned, [{"target-scale"}]),
    (prices_of_days, [{"target-scale"}]),
    (apart, [{"labels"}]),
    (pipeline, [{"augmentation"}]),
    (coding, [{"units"}]),
    (renumbered, [{"labels"}]),
    (vocabulary, [{"preprocessing-mismatch"}]),
    (exclusive_or, [{"learning-rate"}]),
]


@pytest.mark.parametrize(("job", "accepted"), JOBS, ids=[job.__name__ for job, _ in JOBS])
def test_jobs_of_other_kinds_and_their_healthy_twins(job: Callable[[bool], Any], accepted: list[set[str]]) -> None:
    for broken in (True, False):
        keras.utils.set_random_seed(SEED)
        model, x, y, arguments = job(broken)
        found = kr.diagnose(model, x, y, **arguments)
        named = {f.cause for f in found.faults if f.severity == "ERROR"}
        assert named in accepted if broken else not named, [(f.severity, f.cause, f.message) for f in found.faults]


def test_padding_is_what_a_mask_mends() -> None:
    """A plain network would name the architecture, too."""
    for broken in (True, False):
        keras.utils.set_random_seed(SEED)
        model, x, y, arguments = padded(broken)
        found = kr.diagnose(model, x, y, **arguments)
        assert [f.check for f in found.faults if f.severity == "ERROR"] == (["padding"] if broken else [])


def test_a_column_that_was_made_of_the_targets_is_named() -> None:
    for broken in (True, False):
        keras.utils.set_random_seed(SEED)
        model, x, y, arguments = encoded(broken)
        found = kr.diagnose(model, x, y, **arguments)
        assert [f.check for f in found.faults if f.severity == "ERROR"] == (["column_by_heart"] if broken else [])


@pytest.mark.parametrize("kind", ["evened out in training", "numbers with a far value", "without the rarest class"])
def test_columns_that_say_less_of_other_rows_were_not_made_of_the_targets(kind: str) -> None:
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(12000, 6)).astype("float32"), generator.integers(0, 2, 12000)
    last, loss = (3, "softmax"), "sparse_categorical_crossentropy"
    held = slice(3000, 4500)
    if kind == "numbers with a far value":  # one row of a number of its own, far out in a column
        y = (1000 + 300 * x[:, 0] + 100 * x[:, 1]).astype("int64")
        y[0], x[0, 5] = 9000, 500.0
        last, loss = (1, None), "mse"
    elif kind == "without the rarest class":
        y[:3000] = np.where(generator.random(3000) < 0.01, 2, y[:3000])
        x[:, 0] += 4 * y
        x[:, 5] = y == 2
    else:  # the second class is one in 150 of the rows that come later
        x += y[:, None] * np.array([1, 1, 1, 1, 1, 3], "float32")
        held = 3000 + np.flatnonzero((y[3000:] == 0) | (generator.random(9000) < 1 / 150))
    layers = [keras.layers.BatchNormalization(), keras.layers.Dense(32, "relu"), keras.layers.Dense(*last)]
    model = keras.Sequential([keras.Input((6,)), *layers])
    model.compile(keras.optimizers.Adam(0.01), loss)
    found = kr.diagnose(model, x[:3000], y[:3000], validation_data=(x[held], y[held]), epochs=2)
    assert not any(f.check in ("column_by_heart", "same_world") for f in found.faults)


def test_many_classes_with_a_row_each_are_not_taken_to_be_renumbered() -> None:
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(100, 8))
    y = np.arange(2100) % 100
    x = (centres[y] + 0.8 * generator.normal(size=(2100, 8))).astype("float32")
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(100, "softmax")])
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    found = kr.diagnose(model, x[:2000], y[:2000], validation_data=(x[2000:], y[2000:]), epochs=6)
    assert not any(f.check == "same_world" for f in found.faults)


def test_outputs_and_targets_go_together_whatever_the_order_of_their_names() -> None:
    """The first output comes second in the alphabet."""
    x, _ = data("two", 600, 0)
    kind, value = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0), x[:, 2] + 0.1 * x[:, 3]
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(32, "relu")(inputs)
    heads = [keras.layers.Dense(1, name="value")(hidden), keras.layers.Dense(3, "softmax", name="kind")(hidden)]
    losses = ["mse", "sparse_categorical_crossentropy"]
    for given in (losses, dict(zip(("value", "kind"), losses, strict=True))):
        model = keras.Model(inputs, heads)
        model.compile(keras.optimizers.Adam(0.01), given)
        found = kr.diagnose(model, x, {"value": value, "kind": kind}, epochs=20)
        assert found.ok
        assert found.figures["score"] > 0.8


def test_inputs_that_are_alike_may_have_several_labels() -> None:
    """Votes of yes and no repeat by themselves, and a pipeline shuffles them."""
    generator = np.random.default_rng(0)
    x = generator.integers(0, 2, (600, 5)).astype("float32")
    y = (x.sum(axis=1) + generator.normal(0, 1.5, 600) > 2.5).astype("float32")
    rows = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(600).batch(32)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    found = kr.diagnose(model, rows, epochs=6)
    assert found.ok, [(f.severity, f.cause, f.message) for f in found.faults]
