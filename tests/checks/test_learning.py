"""Short runs: the same twice, shuffled labels, capacity, dynamics, the last bias."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_recipe import objectives
from keras_recipe.compiled import build
from keras_recipe.core.config import Config
from keras_recipe.core.records import Finding
from keras_recipe.data import load
from keras_recipe.data.toys import blobs, line, stripes
from keras_recipe.job import Job
from keras_recipe.loop import Loop
from keras_recipe.models import create
from keras_recipe.problem import Problem

Look = Callable[..., list[Finding]]
Alarms = Callable[[list[Finding]], set[str]]


def loop_of(problem: Problem, rate: float = 0.003) -> Loop:
    return Loop(lambda: build(problem, Config("mlp(depth=1, width=32)", f"adam(learning_rate={rate})")))


def restarted(loop: Loop) -> Callable[[int], Loop]:
    def fresh(seed: int) -> Loop:
        loop.reset(seed)
        return loop

    return fresh


def test_equal_seeds_give_equal_runs(look: Look) -> None:
    finding = look("same_seed", blobs())[0]
    assert finding.severity == "ok"
    assert finding.evidence["first"] == finding.evidence["second"] != finding.evidence["another seed"]


def test_weights_that_nobody_seeds_are_told(look: Look, alarms: Alarms) -> None:
    loop, chance = loop_of(blobs()), np.random.default_rng()

    def fresh(seed: int) -> Loop:
        loop.reset(seed)
        loop.model.layers[-1].bias.assign(chance.normal(size=3))
        return loop

    assert alarms(look("same_seed", blobs(), fresh=fresh)) == {"seed"}


def test_a_seed_that_is_not_used_is_told(look: Look, alarms: Alarms) -> None:
    loop = loop_of(blobs())

    def fresh(seed: int) -> Loop:
        loop.reset(0)
        return loop

    assert alarms(look("same_seed", blobs(), fresh=fresh)) == {"seed"}


def test_weights_that_are_trained_already_are_told(look: Look, alarms: Alarms) -> None:
    problem = blobs()
    loop = loop_of(problem, 0.01)
    loop.reset(0)
    order = np.random.default_rng(0).integers(len(problem.train), size=(300, 16))
    loop.train(problem.train.x, objectives.targets(problem, problem.train.y), order)
    trained = loop.state()

    def fresh(seed: int) -> Loop:
        loop.restore(trained)
        loop.optimizer.learning_rate = 0.0
        loop.optimizer.learning_rate.assign(0.0)
        return loop

    class Kept(Loop):
        """Weights that no training moves: a frozen model."""

        def train(self, x, y, order):  # type: ignore[no-untyped-def]
            found = super().train(x, y, order)
            self.restore(trained)
            return found

    loop.__class__ = Kept
    assert alarms(look("shuffled_labels", problem, fresh=fresh)) == {"leakage"}


@pytest.mark.parametrize("toy", [blobs, stripes])
def test_shuffled_labels_say_nothing(toy: Callable[[], Problem], look: Look, alarms: Alarms) -> None:
    assert not alarms(look("shuffled_labels", toy()))


def test_shuffling_leaves_no_class_a_label_of_its_own() -> None:
    from keras_recipe.checks.learning import _shuffled

    y = np.repeat(np.arange(3), 12)
    nonsense = _shuffled(y, 0)
    assert sorted(nonsense) == sorted(y)
    assert (np.array([np.bincount(nonsense[y == c], minlength=3) for c in range(3)]) == 4).all()


def test_a_wider_model_that_learns_more_slowly_is_told(look: Look, alarms: Alarms) -> None:
    problem = blobs()
    good, bad = restarted(loop_of(problem)), restarted(loop_of(problem, 5.0))
    assert not alarms(look("capacity", problem, fresh=good, wider=good))
    assert alarms(look("capacity", problem, fresh=good, wider=bad)) == {"architecture"}
    assert not look("capacity", problem)


def noisy() -> Problem:
    """Clouds that overlap, so that there is something to hesitate about."""
    generator = np.random.default_rng(0)
    y = np.arange(300) % 3
    return load(((np.eye(3)[y] + generator.normal(size=(300, 3))).astype("float32"), y))


@pytest.mark.parametrize("toy", [noisy, line])
def test_a_wild_learning_rate_is_seen_in_the_predictions(
    toy: Callable[[], Problem], look: Look, alarms: Alarms
) -> None:
    assert not alarms(look("prediction_dynamics", toy()))
    wild = restarted(loop_of(toy(), 3.0))
    assert alarms(look("prediction_dynamics", toy(), fresh=wild)) == {"learning-rate"}


def test_prediction_dynamics_are_a_picture(job_of: Callable[..., Job], look: Look, tmp_path: Path) -> None:
    finding = look("prediction_dynamics", blobs())[0]
    assert (tmp_path / str(finding.artifact)).read_bytes().startswith(b"\x89PNG")


def unbalanced() -> Problem:
    generator = np.random.default_rng(0)
    y = (np.arange(400) % 20 == 0).astype("int64")
    x = generator.normal(size=(400, 4)) + 2 * y[:, None]
    return load((x.astype("float32"), y))


def without_bias(problem: Problem) -> keras.Model:
    model = create("mlp(depth=1, width=32)", problem)
    model.get_layer("logits").bias.assign(np.zeros(problem.signature.outputs))
    loss = "mse" if problem.signature.task == "regression" else keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile("adam", loss)
    return model


def test_a_last_bias_of_zero_is_told_where_classes_are_not_balanced(look: Look, alarms: Alarms) -> None:
    assert not alarms(look("last_bias", unbalanced()))
    findings = look("last_bias", unbalanced(), without_bias)
    assert alarms(findings) == {"initializer"}
    assert "-2.9" in findings[0].hint  # the log of 1 to 19


def test_a_last_bias_far_from_the_mean_target_is_told(look: Look, alarms: Alarms) -> None:
    def shifted(problem: Problem) -> keras.Model:
        model = without_bias(problem)
        model.get_layer("logits").bias.assign([4.0])
        return model

    assert alarms(look("last_bias", line(), shifted)) == {"initializer"}


def test_a_person_below_a_dumb_baseline_is_told(look: Look) -> None:
    findings = look("dumb_baselines", replace(blobs(), human_score=0.2))
    assert findings[0].table is not None
    assert findings[0].table.rows[-1][:2] == ("a person", 0.2)
    assert "better than a person" in findings[1].message
    assert len(look("dumb_baselines", replace(blobs(), human_score=1.0))) == 1


def test_baselines_have_intervals(look: Look) -> None:
    table = look("dumb_baselines", blobs())[0].table
    assert table is not None
    assert [row[0] for row in table.rows] == ["majority", "linear", "nearest neighbours"]
    assert all(low <= score <= high for _, score, low, high in table.rows)  # type: ignore[operator]


def test_the_overfitted_batch_is_shown_with_its_predictions(look: Look, tmp_path: Path) -> None:
    finding = look("overfit_one_batch", stripes())[0]
    assert finding.table is not None
    assert all(label == prediction for label, prediction, _ in finding.table.rows)
    assert (tmp_path / str(finding.artifact)).is_file()


def test_a_model_too_small_to_know_labels_by_heart_is_told_from_others(look: Look) -> None:
    def linear(problem: Problem) -> keras.Model:
        model = create("linear()", problem)
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model

    assert "can be learnt by heart" in look("shuffled_labels", stripes())[0].message
    assert "are not learnt by heart" in look("shuffled_labels", blobs(), linear)[0].message
