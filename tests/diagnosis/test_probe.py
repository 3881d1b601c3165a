"""Short trainings are those of fit, are the same each time, and leave no trace."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_recipe as kr
from keras_recipe.diagnosis.case import open_case
from keras_recipe.diagnosis.fitting import bound
from keras_recipe.diagnosis.probe import Probe, Variant
from keras_recipe.diagnosis.rows import data_of, leaves


def clouds(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    y = np.arange(n) % 3
    x = np.random.default_rng(0).normal(size=(n, 4)) + 2 * np.eye(4)[y]
    return x.astype("float32"), y


class Stepping(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.last = keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3, activation="softmax")

    def call(self, x: Any) -> Any:
        return self.last(self.hidden(x))

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        self.optimizer.apply_gradients(
            zip(tape.gradient(loss, self.trainable_variables), self.trainable_variables, strict=True)
        )
        return {"loss": loss}


def models() -> dict[str, keras.Model]:
    inputs = keras.Input((4,))
    functional = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(keras.layers.Dense(8)(inputs)))
    dropping = [keras.layers.Dense(8, activation="relu"), keras.layers.Dropout(0.3), keras.layers.BatchNormalization()]
    return {
        "sequential, not built": keras.Sequential([*dropping, keras.layers.Dense(3, activation="softmax")]),
        "functional": functional,
        "subclassed, with a step of its own": Stepping(),
    }


@pytest.mark.parametrize("name", models())
def test_a_training_is_repeated_to_the_bit_and_undone(name: str) -> None:
    x, y = clouds()
    model = models()[name]
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    fit = bound(model, (x, y), {"epochs": 3, "batch_size": 20})
    case = open_case(fit, data_of(fit))
    before = [v.numpy() for v in model.variables]
    probe = Probe(model, case.data, case.rates, None)
    first, again = probe.train(Variant()), probe.train(Variant())
    np.testing.assert_array_equal(first.losses, again.losses)
    np.testing.assert_array_equal(leaves(first.outputs)[0], leaves(again.outputs)[0])
    assert first.losses[-5:].mean() < first.losses[:5].mean()
    faster = probe.train(Variant(rate=0.1))
    assert not np.array_equal(first.losses, faster.losses)
    for value, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(value, variable.numpy())


@pytest.mark.parametrize("form", ["arrays", "tf.data", "PyDataset", "generator", "frame", "dictionary"])
def test_every_form_of_data_is_read(form: str) -> None:
    import pandas as pd

    x, y = clouds()

    class Batches(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 10

        def __getitem__(self, i: int) -> tuple[np.ndarray, np.ndarray]:
            return x[30 * i : 30 * i + 30], y[30 * i : 30 * i + 30]

    def endless() -> Any:
        while True:
            for i in range(10):
                yield x[30 * i : 30 * i + 30], y[30 * i : 30 * i + 30]

    given: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
        "arrays": ((x, y), {"batch_size": 30}),
        "tf.data": ((tf.data.Dataset.from_tensor_slices((x, y)).batch(30),), {}),
        "PyDataset": ((Batches(),), {}),
        "generator": ((endless(),), {"steps_per_epoch": 10}),
        "frame": ((pd.DataFrame(x), pd.Series(y)), {"batch_size": 30}),
        "dictionary": (({"a": x}, y), {"batch_size": 30}),
    }
    args, kwargs = given[form]
    data = data_of(bound(models()["functional"], args, {"epochs": 4, **kwargs}))
    assert (data.batch, data.steps, data.epochs) == (30, 40, 4)
    assert len(data.train) + len(data.held) == (1200 if form == "generator" else 300)
    rows = {r.tobytes() for part in (data.train, data.held) for r in leaves(part.x)[0]}
    assert rows == {r.tobytes() for r in x}


def test_the_callback_diagnoses_a_run_that_does_not_learn_and_leaves_the_other_alone() -> None:
    x, y = clouds()
    for rate, sick in ((0.01, False), (1e-8, True)):
        model = models()["functional"]
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        watching = kr.callbacks.Diagnose(budget="20s", verbose=0)
        model.fit(x, y, epochs=8, verbose=0, callbacks=[watching], validation_split=0.2)
        assert bool(watching.symptoms) is sick
        assert (watching.diagnosis is not None) is sick
    assert [f.cause for f in watching.diagnosis.faults if f.severity == "ERROR"] == ["learning-rate"]
