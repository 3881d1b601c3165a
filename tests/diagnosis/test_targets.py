"""What targets mean, and scores that no loss has a say in."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_recipe.diagnosis.targets import LossOf, area, dumb, loss_of, score, target_of

SPARSE = LossOf("sparse_categorical_crossentropy")


@pytest.mark.parametrize(
    ("y", "loss", "units", "kind", "classes"),
    [
        (np.array([0, 1, 2, 1]), SPARSE, 3, "multiclass", 3),
        (np.array([[0], [1], [2], [1]]), SPARSE, 5, "multiclass", 5),
        (np.eye(4), LossOf("categorical_crossentropy"), 4, "multiclass", 4),
        (np.array([0.0, 1.0, 1.0]), LossOf("binary_crossentropy"), 1, "binary", 2),
        (np.array([-1, 1, 1]), LossOf("hinge"), 1, "binary", 2),
        (np.array([0, 1, 1]), SPARSE, 2, "multiclass", 2),
        (np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]]), LossOf("binary_crossentropy"), 3, "multilabel", 3),
        (np.array([0.1, 3.2, 2.5]), LossOf("mean_squared_error"), 1, "regression", 1),
        (np.random.default_rng(0).normal(size=(9, 2)), LossOf("mean_squared_error"), 2, "regression", 2),
        (np.array([0, 1, 2, 3]), LossOf("binary_crossentropy"), 1, "multiclass", 4),
    ],
)
def test_what_targets_mean(y: np.ndarray, loss: LossOf, units: int, kind: str, classes: int) -> None:
    found = target_of(y, loss, units)
    assert (found.kind, found.classes) == (kind, classes)


def test_losses_by_name_and_form() -> None:
    assert loss_of("mse") == LossOf("mean_squared_error")
    assert loss_of(keras.losses.BinaryCrossentropy(from_logits=True)) == LossOf("binary_crossentropy", True)
    assert loss_of(lambda y, p: 0.0) == LossOf("")
    assert loss_of(None) == LossOf("")


@given(st.integers(0, 50), st.sampled_from(["multiclass", "binary", "multilabel", "regression"]))
def test_perfect_is_one_and_a_constant_is_dumb(seed: int, kind: str) -> None:
    generator = np.random.default_rng(seed)
    if kind == "multiclass":
        y, loss, units = np.arange(40) % 4, SPARSE, 4
        perfect = np.eye(4)[y]
    elif kind == "binary":
        y, loss, units = generator.permutation(np.arange(40) % 2), LossOf("binary_crossentropy"), 1
        perfect = y[:, None].astype(float)
    elif kind == "multilabel":
        y, loss, units = generator.integers(0, 2, (40, 3)), LossOf("binary_crossentropy"), 3
        y[:2], y[2] = [[0, 0, 0], [1, 1, 1]], [1, 1, 0]
        perfect = y.astype(float)
    else:
        y, loss, units = generator.normal(size=40), LossOf("mean_squared_error"), 1
        perfect = y[:, None]
    target = target_of(y, loss, units)
    assert score(target, y, perfect) == pytest.approx(1.0)
    constant = np.tile(np.mean(perfect, axis=0), (40, 1))
    assert score(target, y, constant) == pytest.approx(dumb(target, y), abs=0.26 if kind != "regression" else 1e-9)
    assert score(target, y, np.full_like(perfect, np.nan)) <= dumb(target, y) + 1e-9


def test_area_under_the_curve_counts_ties_half() -> None:
    from sklearn.metrics import roc_auc_score

    generator = np.random.default_rng(0)
    positive, value = generator.random(200) < 0.3, np.round(generator.normal(size=200), 1)
    assert area(positive, value) == pytest.approx(roc_auc_score(positive, value))
