from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_recipe.compiled import build, loss
from keras_recipe.core.config import Config
from keras_recipe.data import load
from keras_recipe.data.augmentations import AUGMENTATIONS
from keras_recipe.loop import Loop, draws_from_tensorflow
from keras_recipe.objectives import predictions, targets
from keras_recipe.problem import Problem

CONFIG = Config("mlp(depth=1, width=8, dropout=0.3)", augmentation="noise(scale=0.1)")


def order(problem: Problem, seed: int = 0, batch: int = 16) -> np.ndarray:
    rows = np.random.default_rng(seed).permutation(len(problem.train))
    return rows[: len(rows) // batch * batch].reshape(-1, batch).astype("int32")


def loop_of(problem: Problem, config: Config = CONFIG) -> Loop:
    return Loop(lambda: build(problem, config))


def trained(loop: Loop, problem: Problem, seed: int, epochs: int = 2) -> list[np.ndarray]:
    loop.reset(seed)
    for epoch in range(epochs):
        loop.train(problem.train.x, targets(problem, problem.train.y), order(problem, epoch))
    return loop.state()


def equal(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_the_same_seed_gives_the_same_weights_to_the_bit(blobs: Problem) -> None:
    loop = loop_of(blobs)
    first = trained(loop, blobs, 1)
    other = trained(loop, blobs, 2)
    assert equal(first, trained(loop, blobs, 1))
    assert equal(first, trained(loop_of(blobs), blobs, 1))
    assert not equal(first, other)


def test_two_loops_in_two_threads_give_what_one_after_the_other_gives(stripes: Problem) -> None:
    config = Config("small_cnn(dropout=0.2, width=8)", augmentation="shift(factor=0.1)")
    loops = [loop_of(stripes, config) for _ in range(2)]
    alone = [trained(loop, stripes, seed) for seed, loop in enumerate(loops)]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda pair: trained(pair[1], stripes, pair[0]), enumerate(loops)))
    assert equal(alone[0], together[0])
    assert equal(alone[1], together[1])


@pytest.mark.parametrize("spec", ["mlp(depth=1, width=8)", "small_cnn(width=4)"])
def test_it_trains_as_fit_does(stripes: Problem, spec: str) -> None:
    """Same weights, same order of the data, no randomness: the same training, up to rounding."""
    config, rows = Config(spec), order(stripes)
    loop = loop_of(stripes, config)
    loop.reset(0)
    twin, _ = build(stripes, config)
    twin.set_weights(loop.model.get_weights())
    loop.train(stripes.train.x, stripes.train.y, rows)
    x, y = np.asarray(stripes.train.x)[rows.ravel()], stripes.train.y[rows.ravel()]
    twin.fit(x, y, batch_size=rows.shape[1], epochs=1, shuffle=False, verbose=0)
    for mine, theirs in zip(loop.model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=2e-3, atol=2e-5)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_augmentation_is_repeated_to_the_bit(name: str, blobs: Problem) -> None:
    rng = np.random.default_rng(0)
    colours = load((rng.integers(0, 256, (48, 8, 8, 3)).astype("uint8"), np.arange(48) % 3), name="colours")
    features = name in AUGMENTATIONS.of_stage("features")
    problem = blobs if features else colours
    config = Config("mlp(depth=1, width=8)" if features else "small_cnn(width=4)", augmentation=f"{name}()")
    loop = loop_of(problem, config)
    first = trained(loop, problem, 1)
    assert equal(first, trained(loop, problem, 1))
    assert equal(first, trained(loop_of(problem, config), problem, 1))
    plain = trained(loop_of(problem, config.replace(augmentation="")), problem, 1)
    assert not equal(first[: len(plain)], plain)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("change", [{"label_smoothing": 0.1}, {"augmentation": "mixup(alpha=1.0)"}], ids=str)
def test_softened_labels_make_a_model_less_certain(classes: int, change: dict[str, object]) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(96) % classes
    x = rng.integers(0, 20, (96, 8, 8, 3)) + 100 * y[:, None, None, None]
    problem = load((x.astype("uint8"), y), name="grey")
    certain = []
    config = Config("small_cnn(width=4)", "adam(learning_rate=0.01)")
    for tried in (config, config.replace(**change)):
        loop = loop_of(problem, tried)
        trained(loop, problem, 0, epochs=20)
        shares = predictions(problem, loop.predict(problem.train.x))
        assert np.mean(shares.argmax(axis=1) == problem.train.y) > 0.95
        certain.append(shares.max(axis=1).mean())
    assert certain[1] < certain[0] - 0.005


def test_cross_entropy_takes_indices_and_shares(blobs: Problem) -> None:
    logits = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    y = np.arange(6) % 3
    shares = keras.utils.to_categorical(y, 3)
    for smoothing in (0.0, 0.2):
        expected = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)(shares, logits)
        for labels in (y, shares):
            np.testing.assert_allclose(loss(blobs, smoothing, shares=True)(labels, logits), expected, rtol=1e-5)


def test_loss_and_outputs_are_those_of_the_steps(blobs: Problem) -> None:
    loop = loop_of(blobs, Config("linear()"))
    loop.reset(0, learning_rate=0.0)
    rows = order(blobs)
    losses, outputs = loop.train(blobs.train.x, blobs.train.y, rows)
    np.testing.assert_allclose(outputs, loop.predict(blobs.train.x)[rows.ravel()], rtol=1e-5)
    expected = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(blobs.train.y[rows.ravel()], outputs)
    assert losses.mean() == pytest.approx(float(expected), rel=1e-5)


def test_state_brings_everything_back(blobs: Problem) -> None:
    loop = loop_of(blobs)
    middle = trained(loop, blobs, 0, epochs=1)
    after = trained(loop, blobs, 0, epochs=2)
    loop.restore(middle)
    loop.train(blobs.train.x, blobs.train.y, order(blobs, 1))
    assert equal(loop.state(), after)


def test_one_trace_serves_seeds_rates_batch_sizes_and_lengths(blobs: Problem) -> None:
    loop = loop_of(blobs)
    for seed, rate, batch in ((0, 1e-3, 16), (1, 1e-2, 8), (2, 1e-4, 32)):
        loop.reset(seed, rate)
        loop.train(blobs.train.x, blobs.train.y, order(blobs, seed, batch))
        loop.train(blobs.train.x[:40], blobs.train.y[:40], order(blobs, seed, batch)[:1] % 40)
        assert float(loop.optimizer.learning_rate) == pytest.approx(rate)
    assert loop._train.experimental_get_tracing_count() == 1


def test_what_a_builder_has_assigned_is_put_back_and_fixed_seeds_stay_fixed(blobs: Problem) -> None:
    def made() -> tuple[keras.Model, None]:
        layers = [
            keras.layers.Dense(4, kernel_initializer=keras.initializers.GlorotUniform(seed=5)),
            keras.layers.Dense(4),
            keras.layers.Dense(3),
        ]
        model = keras.Sequential([keras.Input((4,)), *layers])
        layers[1].kernel.assign(np.full((4, 4), 7.0))
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model, None

    loop = Loop(made)
    fixed, assigned, drawn = (layer.kernel for layer in loop.model.layers)
    first = [v.numpy() for v in (fixed, drawn)]
    trained(loop, blobs, 3)
    loop.reset(4)
    np.testing.assert_array_equal(assigned, np.full((4, 4), 7.0))
    np.testing.assert_array_equal(fixed, first[0])
    assert not np.array_equal(drawn, first[1])


def test_a_layer_that_makes_its_own_variables_is_built_again_for_a_seed(blobs: Problem) -> None:
    class Own(keras.layers.Layer):
        def build(self, shape: tuple[int, ...]) -> None:
            self.scale = keras.Variable(np.random.random(4).astype("float32"))

        def call(self, x: object) -> object:
            return x * self.scale

    def made() -> tuple[keras.Model, None]:
        model = keras.Sequential([keras.Input((4,)), Own(), keras.layers.Dense(3)])
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model, None

    loop = Loop(made)
    states = []
    for seed in (1, 2, 1):
        loop.reset(seed)
        states.append(loop.model.layers[0].scale.numpy())
    np.testing.assert_array_equal(states[0], states[2])
    assert not np.array_equal(states[0], states[1])


def test_a_layer_that_draws_from_tensorflow_itself_repeats_too(blobs: Problem) -> None:
    class Noisy(keras.layers.Layer):
        def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
            return x + tf.random.normal(tf.shape(x)) if training else x

    def made() -> tuple[keras.Model, None]:
        model = keras.Sequential([keras.Input((4,)), Noisy(), keras.layers.Dense(3)])
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model, None

    loop = Loop(made)
    first = trained(loop, blobs, 1)
    other = trained(loop, blobs, 2)
    assert equal(first, trained(loop, blobs, 1))
    assert equal(first, trained(Loop(made), blobs, 1))
    assert not equal(first, other)
    assert not draws_from_tensorflow(tf.function(lambda: tf.constant(1.0)).get_concrete_function())


def test_seeding_leaves_the_callers_generators_alone(blobs: Problem) -> None:
    random.seed(7)
    np.random.seed(7)
    loop_of(blobs).reset(3)
    drawn = random.random(), np.random.random()
    random.seed(7)
    np.random.seed(7)
    assert drawn == (random.random(), np.random.random())
