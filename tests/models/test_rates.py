"""The pretrained part of a model moves at its share of the rate, whatever the optimizer divides by."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_recipe.models.rates import discriminative, slow


def model_of(factor: float | None) -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    trunk_inputs = keras.Input((4,))
    trunk = keras.Model(trunk_inputs, keras.layers.Dense(4)(trunk_inputs), name="backbone")
    if factor is not None:
        slow(trunk, factor)
    return keras.Model(inputs, keras.layers.Dense(1)(trunk(inputs)))


def moved(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> list[np.ndarray]:
    x = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
    before = [np.asarray(v) for v in model.trainable_variables]
    model.compile(discriminative(optimizer, model), "mse")
    model.fit(x, x.sum(axis=1), batch_size=16, epochs=1, verbose=0)
    return [np.asarray(v) - b for v, b in zip(model.trainable_variables, before, strict=True)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.optimizers.SGD(0.1),
        lambda: keras.optimizers.Adam(0.1),
        lambda: keras.optimizers.RMSprop(0.1),
        lambda: keras.optimizers.AdamW(0.1, weight_decay=0.5),
    ],
)
def test_a_slowed_layer_takes_a_step_of_its_share_and_the_others_a_whole_one(make) -> None:  # type: ignore[no-untyped-def]
    whole, part = moved(model_of(None), make()), moved(model_of(0.1), make())
    for index, (a, b) in enumerate(zip(whole, part, strict=True)):
        np.testing.assert_allclose(b, a * (0.1 if index < 2 else 1.0), rtol=2e-3, atol=1e-6)


def test_a_slowed_layer_is_found_in_a_model_inside_a_model() -> None:
    whole, part = (
        moved(keras.Sequential([keras.Input((4,)), model_of(f)]), keras.optimizers.SGD(0.1)) for f in (None, 0.1)
    )
    for index, (a, b) in enumerate(zip(whole, part, strict=True)):
        np.testing.assert_allclose(b, a * (0.1 if index < 2 else 1.0), rtol=2e-3, atol=1e-6)


def test_a_model_without_slowed_layers_leaves_the_optimizer_alone() -> None:
    optimizer = keras.optimizers.Adam()
    assert discriminative(optimizer, model_of(None)) is optimizer
    assert not optimizer.built


def test_weights_that_are_not_trained_do_not_matter() -> None:
    model = model_of(0.1)
    model.get_layer("backbone").trainable = False
    moved(model, keras.optimizers.Adam(0.1))


@pytest.mark.parametrize("factor", [0.0, -1.0, 1.5])
def test_a_share_outside_of_its_range_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="share of the learning rate"):
        slow(model_of(None).get_layer("backbone"), factor)
