"""The third and fourth part of the recipe in a `fit` of one's own."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest

import keras_recipe as kr
from keras_recipe.data.toys import blobs, line, stripes
from keras_recipe.problem import Problem


def fit(problem: Problem, model: str, rate: float, epochs: int, callback: Any, **more: Any) -> keras.Model:
    keras.utils.set_random_seed(0)
    built = kr.models.create(model, problem)
    if problem.signature.task == "regression":
        built.compile(keras.optimizers.Adam(rate), "mse")
    else:
        binary = problem.signature.task == "binary"
        losses = keras.losses.BinaryCrossentropy if binary else keras.losses.SparseCategoricalCrossentropy
        metric = keras.metrics.BinaryAccuracy("accuracy", threshold=0.0) if binary else "accuracy"
        built.compile(keras.optimizers.Adam(rate), losses(from_logits=True), metrics=[metric])
    x, y = np.asarray(problem.train.x[:]), problem.train.y
    built.fit(x, y, batch_size=16, epochs=epochs, verbose=0, callbacks=[callback], **more)
    return built


def held_out(problem: Problem) -> dict[str, Any]:
    return {"validation_data": (np.asarray(problem.validation.x[:]), problem.validation.y)}


def test_training_ends_when_the_training_split_is_fitted() -> None:
    overfit = kr.callbacks.Overfit()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(blobs(), "mlp(depth=1, width=16)", 0.01, 200, overfit)
    assert overfit.fitted
    assert overfit.values[-1] >= 0.99
    assert all(v < 0.99 for v in overfit.values[:-1])
    assert len(overfit.values) < 200
    assert overfit.finding.severity == "ok"


@pytest.mark.parametrize(
    ("model", "rate", "epochs", "hint"),
    [
        ("linear()", 1e-9, 6, "kr.diagnose"),
        ("mlp(depth=1, width=32)", 0.01, 5, "longer"),
        ("linear()", 0.1, 60, "larger model"),
    ],
)
def test_what_is_not_fitted_is_told_with_what_to_do(model: str, rate: float, epochs: int, hint: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2)).astype("float32")
    problem = kr.load((x, (x[:, 0] * x[:, 1] > 0) | (x[:, 0] > 1)), name="half of it is no line")
    overfit = kr.callbacks.Overfit()
    with pytest.warns(UserWarning, match=hint):
        fit(problem, model, rate, epochs, overfit)
    assert overfit.finding.severity == "warning"
    assert len(overfit.losses) == epochs


def test_any_metric_may_say_when_it_is_fitted() -> None:
    overfit = kr.callbacks.Overfit(target=0.05, monitor="loss")
    fit(line(), "linear()", 0.03, 100, overfit)
    assert overfit.fitted
    assert overfit.losses[-1] <= 0.05 < overfit.losses[0]
    with pytest.raises(ValueError, match="monitor="):
        fit(line(), "linear()", 0.03, 1, kr.callbacks.Overfit())


def test_a_gap_to_validation_is_told_with_what_regularizes() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 40)).astype("float32")
    problem = kr.load((x, (x[:, 0] + rng.normal(size=200) > 0).astype(int)), validation=0.4, name="few")
    regularize = kr.callbacks.Regularize()
    with pytest.warns(UserWarning, match="it overfits.*augmentation"):
        fit(problem, "mlp(depth=2, width=64)", 0.01, 60, regularize, **held_out(problem))
    assert regularize.variance > 0.1 > regularize.bias
    early = kr.callbacks.Regularize()
    fit(problem, "mlp(depth=2, width=64)", 0.001, 2, early, **held_out(problem))
    assert early.finding.severity != "warning"


def test_what_is_not_fitted_is_not_to_be_regularized() -> None:
    regularize = kr.callbacks.Regularize()
    fit(stripes(), "linear()", 0.0001, 2, regularize, **held_out(stripes()))
    assert regularize.bias > regularize.variance
    assert "fit first" in regularize.finding.hint
    with pytest.raises(ValueError, match="validation_data"):
        fit(blobs(), "linear()", 0.01, 1, kr.callbacks.Regularize())


def test_the_update_of_each_kernel_is_measured_beside_its_size() -> None:
    ratios = {}
    for rate in (0.01, 0.001):
        callback = kr.callbacks.UpdateRatio()
        model = fit(blobs(), "mlp(depth=1, width=16)", rate, 3, callback)
        assert len(callback.history) == 3
        assert set(callback.history[0]) == {v.path for v in model.weights if v.path.endswith("kernel")}
        ratios[rate] = np.mean([*callback.history[0].values()])
    assert 1e-4 < ratios[0.001] < 0.1
    assert ratios[0.01] == pytest.approx(10 * ratios[0.001], rel=0.2)


def test_a_pipeline_of_augmentations_is_a_model_for_a_data_set_of_ones_own() -> None:
    problem = stripes()
    augment = kr.pipeline("flip()|shift(factor=0.2)", problem)
    x = np.asarray(problem.train.x[:8])
    changed = np.asarray(augment(x, training=True))
    assert changed.shape == x.shape
    assert changed.dtype == x.dtype
    assert (changed != x).any()
