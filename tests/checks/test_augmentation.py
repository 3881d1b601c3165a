"""Augmented examples keep their label, or the check says which do not."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_recipe import objectives
from keras_recipe.checks import CHECKS
from keras_recipe.compiled import build
from keras_recipe.core.config import Config
from keras_recipe.core.records import Finding
from keras_recipe.data import load
from keras_recipe.data.toys import line
from keras_recipe.job import Job
from keras_recipe.loop import Loop
from keras_recipe.problem import Problem


def sometimes_mirrored() -> keras.layers.Layer:
    """Mirror a quarter of the pictures."""

    class Mirror(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x, training=None):  # type: ignore[no-untyped-def]
            chance = keras.random.uniform((keras.ops.shape(x)[0], 1, 1, 1), seed=generator)
            return keras.ops.where(chance < 0.25, keras.ops.flip(x, axis=2), x) if training else x

    generator = keras.random.SeedGenerator(0)
    return Mirror()


def arrows(classes: int) -> Problem:
    """Bright on the left, on the right, or at the top: a mirror changes the first two into each other."""
    rng = np.random.default_rng(0)
    y = np.arange(300) % classes
    x = rng.integers(0, 40, (300, 8, 8, 1))
    x[y == 0, :, :3] += 180
    x[y == 1, :, 5:] += 180
    x[y == 2, :3] += 180
    return load((x.astype("uint8"), np.array(["left", "right", "top"])[y]), name="arrows")


def look(problem: Problem, augmentation: str, directory: Path) -> list[Finding]:
    config = Config("small_cnn(width=8)", "adam(learning_rate=0.01)", augmentation=augmentation)
    loop = Loop(lambda: build(problem, config))

    def trained() -> Loop:
        loop.reset(0)
        targets = objectives.targets(problem, problem.train.y)
        for epoch in range(20):
            rows = np.random.default_rng(epoch).permutation(len(problem.train))[:192].reshape(-1, 32)
            loop.train(problem.train.x, targets, rows)
        return loop

    job = Job(problem, directory, lambda seed: loop, 32, 0, trained=trained)
    return list(CHECKS.get("augmented_labels")(job))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("augmentation", ["shift(factor=0.1)", "shift(factor=0.1)|mixup(alpha=0.2)"])
def test_it_is_quiet_where_labels_are_kept(classes: int, augmentation: str, tmp_path: Path) -> None:
    (finding,) = look(arrows(classes), augmentation, tmp_path)
    assert finding.severity == "ok"
    assert finding.evidence["augmented"] > 0.9


@pytest.mark.parametrize("classes", [2, 3])
def test_a_mirror_that_changes_labels_is_named_with_pictures(classes: int, tmp_path: Path) -> None:
    (finding,) = look(arrows(classes), f"{__name__}:sometimes_mirrored()", tmp_path)
    assert finding.severity == "warning"
    assert finding.cause == "augmentation"
    assert finding.table is not None
    pairs = {row[:2] for row in finding.table.rows}
    assert pairs <= {("left", "right"), ("right", "left")}
    assert pairs
    assert finding.artifact is not None
    assert (tmp_path / finding.artifact).is_file()


def test_without_a_trained_model_classes_or_augmentation_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert look(arrows(2), "", tmp_path) == []
    loop = Loop(lambda: build(line(), Config("linear()", augmentation="noise()")))
    for trained in (lambda: loop, None):
        job = Job(line(), tmp_path, lambda seed: loop, 32, 0, trained=trained)
        assert list(CHECKS.get("augmented_labels")(job)) == []
