"""A small class-conditional GAN."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from keras_recipe.core.errors import RecipeError
from keras_recipe.data import adversarial, load
from keras_recipe.data.adversarial import Adversaries, unfit
from keras_recipe.data.synthetic import simulate
from keras_recipe.data.toys import blobs, stripes
from keras_recipe.problem import Problem


def halves(dtype: str = "uint8") -> Problem:
    """Pictures (6, 5, 1) that are bright above or below; of 0..255, or of -1..1 in float32."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    x = rng.integers(0, 40, (120, 6, 5, 1))
    x[y == 0, :3] += 200
    x[y == 1, 3:] += 200
    pictures = x.astype("uint8") if dtype == "uint8" else (x / 127.5 - 1).astype("float32")
    return load((pictures, np.array(["above", "below"])[y]), name="halves")


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_samples_show_the_class_that_they_are_labelled_with(dtype: str) -> None:
    told: list[tuple[int, int]] = []
    data = halves(dtype)
    made = simulate(data, "gan(steps=400)", 200, lambda done, total: told.append((done, total)))
    x = np.asarray(made.x, "float32")
    assert told == [(done, 400) for done in range(0, 400, adversarial.CHUNK)]
    brighter = (x[:, :3].mean(axis=(1, 2, 3)) < x[:, 3:].mean(axis=(1, 2, 3))).astype(int)
    names = np.array(data.signature.classes)[made.y]
    assert np.mean((names == "below") == brighter) > 0.9
    assert len(np.unique(x, axis=0)) > 100
    assert 0.35 < made.y.mean() < 0.65


def test_the_same_seed_gives_the_same_samples() -> None:
    one, two = (simulate(halves(), "gan(steps=3)", 20) for _ in range(2))
    np.testing.assert_array_equal(one.x, two.x)
    np.testing.assert_array_equal(one.y, two.y)


def test_training_stops_when_it_is_told_to() -> None:
    def stop(done: int, total: int) -> None:
        if done:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        simulate(halves(), "gan(steps=1000)", 20, stop)


@pytest.mark.parametrize("shape", [(8, 8, 1), (7, 9, 3), (32, 32, 3)])
def test_pictures_of_any_small_shape_are_drawn(shape: tuple[int, int, int]) -> None:
    x = np.random.default_rng(0).integers(0, 256, (80, *shape)).astype("uint8")
    pair = Adversaries(load((x, np.arange(80) % 2), name="any"), 0)
    assert pair.sample(np.array([0, 1, 1]), np.random.default_rng(0)).shape == (3, *shape)


def test_what_it_cannot_learn_is_said() -> None:
    assert unfit(stripes()) == ""
    assert "vector" in unfit(blobs())
    assert "33 x 33" in unfit(stripes(size=33))
    assert "'0'" in unfit(stripes(n=60))
    assert "classes" in unfit(replace(stripes(), signature=replace(stripes().signature, task="regression")))
    with pytest.raises(RecipeError, match="33 x 33"):
        simulate(stripes(size=33), "gan()", 10)


def test_its_price_is_measured_before_it_is_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = adversarial.seconds(halves(), 10), adversarial.seconds(halves(), 100_000)
    assert 0 < few < many
