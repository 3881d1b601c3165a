"""Backprop charts what depends on what, in anybody's compiled model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_recipe.core.records import Finding
from keras_recipe.data.toys import blobs, stripes
from keras_recipe.problem import Problem, Split

Look = Callable[..., list[Finding]]
Alarms = Callable[[list[Finding]], set[str]]


def compiled(
    outputs: Callable[[Any], Any], shape: tuple[int, ...] = (4,), dtype: str = "float32"
) -> Callable[..., Any]:
    def make(problem: Problem) -> keras.Model:
        inputs = keras.Input(shape, dtype=dtype)
        model = keras.Model(inputs, outputs(inputs))
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model

    return make


def test_normalization_over_the_batch_is_no_mixing(look: Look, alarms: Alarms) -> None:
    net = compiled(lambda x: keras.layers.Dense(3)(keras.layers.BatchNormalization()(keras.layers.Dense(8)(x))))
    assert not alarms(look("dependencies", blobs(), net))


def test_a_reshape_that_mixes_examples_is_an_error(look: Look, alarms: Alarms) -> None:
    def mixed(x: Any) -> Any:
        h = keras.layers.Dense(8)(x)
        return keras.layers.Dense(3)(keras.ops.reshape(keras.ops.transpose(h), (-1, 8)))

    findings = look("dependencies", blobs(), compiled(mixed))
    assert next(f for f in findings if f.severity == "error").cause == "architecture"


def test_mixing_is_seen_behind_inputs_of_whole_numbers(look: Look) -> None:
    def mixed(x: Any) -> Any:
        h = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(x))
        return keras.layers.Dense(3)(h - keras.ops.mean(h, axis=0, keepdims=True))

    assert any(f.severity == "error" for f in look("dependencies", stripes(), compiled(mixed, (8, 8, 1), "uint8")))


def test_input_that_is_cut_off_is_told(look: Look, alarms: Alarms) -> None:
    findings = look("dependencies", blobs(), compiled(lambda x: keras.layers.Dense(3)(x[:, :1])))
    assert alarms(findings) == {"architecture"}
    assert any("3 of 4 input values" in f.measured for f in findings)
    nothing = look("dependencies", blobs(), compiled(lambda x: keras.layers.Dense(3)(keras.ops.zeros_like(x))))
    assert any("no output depends" in f.message for f in nothing)


def test_frozen_layers_are_named(look: Look) -> None:
    def frozen(x: Any) -> Any:
        return keras.layers.Dense(3)(keras.layers.Dense(8, name="kept", trainable=False)(x))

    assert any("kept" in f.message for f in look("dependencies", blobs(), compiled(frozen)))


def sequences() -> Problem:
    """The blobs as sequences of four times with one feature."""
    parts = [Split(s.x[:][..., None], s.y, s.ids) for s in (blobs().train, blobs().validation, blobs().test)]
    return replace(blobs(), train=parts[0], validation=parts[1], test=parts[2])


def sequence_findings(look: Look, layer: Any) -> list[Finding]:
    problem = sequences()
    every = [
        replace(s, y=np.repeat(s.y[:, None], 4, axis=1)) for s in (problem.train, problem.validation, problem.test)
    ]
    timed = replace(problem, train=every[0], validation=every[1], test=every[2])
    return look("dependencies", timed, compiled(lambda x: keras.layers.Dense(3)(layer(x)), (4, 1)))


def test_a_causal_layer_sees_the_past_only(look: Look, alarms: Alarms) -> None:
    findings = sequence_findings(look, keras.layers.Conv1D(8, 3, padding="causal"))
    assert any("up to t only" in f.message for f in findings)
    assert not alarms(findings)


def test_a_layer_that_sees_the_future_is_told(look: Look) -> None:
    findings = sequence_findings(look, keras.layers.Conv1D(8, 3, padding="same"))
    assert any("later inputs" in f.message for f in findings)
