"""Every check is proven twice: quiet on a healthy toy, firing on its broken twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_recipe.checks import CHECKS
from keras_recipe.compiled import build, optimizer
from keras_recipe.core.config import Config
from keras_recipe.core.records import Finding
from keras_recipe.data.toys import blobs, line, stripes
from keras_recipe.job import Job
from keras_recipe.loop import Loop
from keras_recipe.models import create
from keras_recipe.problem import Problem, Split

Compile = Callable[[Problem], keras.Model]


def job(problem: Problem, directory: Path, compiled: Compile | None = None, augmentation: str = "") -> Job:
    """A job of a small model, or of the user's compiled one."""

    def made() -> tuple[keras.Model, keras.Model | None]:
        if compiled is not None:
            return compiled(problem), None
        return build(problem, Config("mlp(depth=1, width=32)", "adam(learning_rate=0.003)", augmentation=augmentation))

    def fresh(seed: int) -> Loop:
        loop = Loop(made)
        loop.reset(seed)
        return loop

    return Job(problem, directory, fresh, batch_size=16, seed=0)


def found(name: str, examined: Job) -> list[Finding]:
    return list(CHECKS.get(name)(examined))


def alarms(findings: list[Finding]) -> set[str]:
    return {f.cause for f in findings if f.severity in ("warning", "error")}


def with_train(problem: Problem, x: np.ndarray | None = None, y: np.ndarray | None = None) -> Problem:
    x = np.asarray(problem.train.x) if x is None else x
    y = problem.train.y if y is None else y
    return replace(problem, train=Split(x, y, [str(i) for i in range(len(y))]))


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("toy", [stripes, blobs, line])
def test_a_check_is_quiet_on_a_healthy_toy(name: str, toy: Callable[[], Problem], tmp_path: Path) -> None:
    findings = found(name, job(toy(), tmp_path))
    assert not alarms(findings), findings
    assert all(not f.artifact or (tmp_path / f.artifact).is_file() for f in findings)


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_says_what_it_asks(name: str) -> None:
    assert CHECKS.describe(name).endswith(".")
    assert any(name in CHECKS.of_stage(stage) for stage in ("inspect", "baseline", "regularize"))


def test_what_reading_has_shown_is_passed_on(tmp_path: Path) -> None:
    told = Finding("warning", "data", "two files were left out")
    assert told in found("reading", job(replace(blobs(), findings=(told,)), tmp_path))


def test_a_rare_class_is_named(tmp_path: Path) -> None:
    problem = blobs()
    kept = np.concatenate([np.flatnonzero(problem.train.y != 1), np.flatnonzero(problem.train.y == 1)[:2]])
    broken = with_train(problem, np.asarray(problem.train.x)[kept], problem.train.y[kept])
    findings = found("label_balance", job(broken, tmp_path))
    assert alarms(findings) == {"imbalance"}
    assert f"'{problem.signature.classes[1]}'" in findings[0].message


def test_nan_inputs_stop_the_recipe(tmp_path: Path) -> None:
    x = np.asarray(blobs().train.x).copy()
    x[3, 1] = np.nan
    findings = found("value_ranges", job(with_train(blobs(), x), tmp_path))
    assert [(f.severity, f.cause) for f in findings] == [("error", "nan-data")]


def test_a_constant_feature_is_named(tmp_path: Path) -> None:
    x = np.asarray(blobs().train.x).copy()
    x[:, 2] = 7.0
    findings = found("value_ranges", job(with_train(blobs(), x), tmp_path))
    assert "[2]" in next(f for f in findings if f.severity == "warning").measured


def test_examples_show_every_class(tmp_path: Path) -> None:
    findings = found("examples", job(stripes(), tmp_path))
    assert findings[0].artifact
    assert (tmp_path / findings[0].artifact).read_bytes().startswith(b"\x89PNG")


def test_baselines_are_scored_on_the_validation_split(tmp_path: Path) -> None:
    scores = found("dumb_baselines", job(blobs(), tmp_path))[0].evidence["scores"]
    counts = np.bincount(blobs().validation.y)
    assert scores["majority"] in (counts / counts.sum()).tolist()
    assert scores["linear"] > 0.9


def confident(problem: Problem) -> keras.Model:
    model = create("linear()", problem)
    model.get_layer("logits").kernel.assign(model.get_layer("logits").kernel * 1e4)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def test_a_wild_initializer_is_seen_in_the_first_loss(tmp_path: Path) -> None:
    assert alarms(found("loss_at_init", job(blobs(), tmp_path, confident))) == {"initializer"}


def test_an_input_that_holds_the_label_is_seen_in_the_first_loss(tmp_path: Path) -> None:
    problem = blobs()
    leaking = with_train(problem, np.eye(4, dtype="float32")[problem.train.y])

    def knowing(problem: Problem) -> keras.Model:
        model = create("linear()", problem)
        model.get_layer("logits").kernel.assign(20 * np.eye(4, 3))
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model

    assert alarms(found("loss_at_init", job(leaking, tmp_path, knowing))) == {"leakage"}


def frozen(problem: Problem) -> keras.Model:
    model = create("mlp(depth=1, width=32)", problem)
    for layer in model.layers:
        layer.trainable = layer.name == "logits"
    model.get_layer("logits").kernel.assign(model.get_layer("logits").kernel * 0)
    model.get_layer("logits").trainable = False
    model.layers[1].trainable = False
    bias = keras.layers.Dense(3, name="bias", kernel_initializer="zeros")
    outputs = bias(keras.ops.zeros_like(model.output))
    broken = keras.Model(model.inputs[0], outputs)
    broken.compile(optimizer("adam()"), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return broken


def test_a_model_that_cannot_fit_one_batch_stops_the_recipe(tmp_path: Path) -> None:
    findings = found("overfit_one_batch", job(blobs(), tmp_path, frozen))
    assert alarms(findings) == {"architecture"}


def test_inputs_that_tell_nothing_are_no_better_than_zeros(tmp_path: Path) -> None:
    assert alarms(found("zeroed_input", job(blobs(), tmp_path, frozen))) == {"data"}


def test_the_tensors_just_before_the_net_are_augmented(tmp_path: Path) -> None:
    plain = found("just_before_the_net", job(blobs(), tmp_path))[0]
    noisy = found("just_before_the_net", job(blobs(), tmp_path, augmentation="noise(scale=1.0)"))[0]
    assert plain.evidence["first"] == np.asarray(job(blobs(), tmp_path).sample(blobs().train, 16)[0][0]).tolist()
    assert noisy.evidence["first"] != plain.evidence["first"]
