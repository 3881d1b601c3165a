"""Simulated examples: what a generator must return, and how they get among the real ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from keras_recipe.core.config import Config
from keras_recipe.core.errors import RecipeError
from keras_recipe.data import synthetic
from keras_recipe.data.synthetic import SYNTHETIC, joined, simulate
from keras_recipe.data.toys import blobs, line, stripes
from keras_recipe.problem import Problem

HERE = __name__


def copies(problem: Problem, count: int, seed: int, offset: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Training examples once more."""
    rows = np.random.default_rng(seed).integers(len(problem.train), size=count)
    x = np.asarray(problem.train.x[rows])
    return (x + offset).astype(x.dtype), problem.train.y[rows]


def broken(problem: Problem, count: int, seed: int, how: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Wrong in the way that is asked for."""
    x, y = copies(problem, count, seed)
    if how == "raises":
        raise ZeroDivisionError("no examples")
    return {
        "few": lambda: (x[1:], y[1:]),
        "pair": lambda: x,
        "type": lambda: (x.astype("float64"), y),
        "nan": lambda: (np.where(np.arange(count)[:, None] == 1, np.nan, x).astype("float32"), y),
        "unit": lambda: (x * 1000, y),
        "unknown": lambda: (x, y + 1),
        "names": lambda: (x, np.full(count, "a")),
        "float": lambda: (x, y.astype("float32")),
        "column": lambda: (x, y[:, None]),
    }[how]()


@pytest.mark.parametrize("problem", [blobs(), stripes(), line()], ids=lambda p: p.name)
def test_what_a_generator_of_the_user_makes_is_taken(problem: Problem) -> None:
    made = simulate(problem, f"{HERE}:copies(share=0.5)", 40)
    assert made.x.shape == (40, *problem.signature.shape)
    assert made.x.dtype == problem.train.x.dtype
    assert made.y.dtype == problem.train.y.dtype
    assert len(made.ids) == 40


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("few", r"shape \(40, 4\).*\n.*\(39, 4\)"),
        ("pair", "pair"),
        ("type", r"float32.*\n.*float64.*\n.*astype"),
        ("nan", "finite"),
        ("unit", "range"),
        ("unknown", "0 to 2"),
        ("names", "0 to 2"),
        ("float", "0 to 2"),
        ("column", r"\(40,\)"),
        ("raises", "ZeroDivisionError: no examples"),
    ],
)
def test_what_are_no_examples_is_refused_with_what_was_expected(how: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        simulate(blobs(), f"{HERE}:broken(how={how!r})", 40)


def test_pictures_of_another_range_are_refused() -> None:
    def dim(problem: Problem, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Levels of 0..1 among those of 0..255."""
        x, y = copies(problem, count, seed)
        return (x / 255).astype("uint8"), y

    SYNTHETIC.register(dim)
    try:
        with pytest.raises(RecipeError, match="range"):
            simulate(stripes(), "dim()", 40)
    finally:
        del SYNTHETIC._functions["dim"]


@pytest.mark.parametrize("text", ["copies", "copies(share=0.0)", "copies(share=1.0)", "copies(share=True)"])
def test_an_unknown_generator_and_a_share_of_nothing_are_refused(text: str) -> None:
    spec = text.replace("copies", f"{HERE}:copies") if "share" in text else text
    with pytest.raises(RecipeError, match=r"share|generator"):
        synthetic.check(spec)
    with pytest.raises(RecipeError, match="'offset'"):
        synthetic.check(f"{HERE}:copies(ofset=1.0)")


def test_the_share_is_the_mixture_s_and_all_else_the_generator_s() -> None:
    a, b = f"{HERE}:copies(share=0.1, offset=1.0)", f"{HERE}:copies(offset=1.0)"
    assert synthetic.generator_of(a) == synthetic.generator_of(b)
    assert synthetic.share_of(a) == 0.1
    assert synthetic.share_of(b) == synthetic.SHARE
    real, moved = simulate(blobs(), f"{HERE}:copies(share=0.9)", 20), simulate(blobs(), a, 20)
    np.testing.assert_allclose(moved.x, np.asarray(real.x) + 1.0, rtol=1e-6)


def test_a_config_spells_its_generator_in_one_way_and_it_is_one_leaf() -> None:
    config = Config("linear()", synthetic="paste( size=3,share=0.5 )")
    assert config.leaves()["synthetic"] == "paste(share=0.5, size=3)"
    assert Config.from_leaves(config.leaves()) == config
    assert Config("linear()").synthetic == ""


def test_a_generator_that_listens_is_told_how_far_it_is() -> None:
    def slow(problem: Problem, count: int, seed: int, *, told: synthetic.Told) -> tuple[np.ndarray, np.ndarray]:
        """Tells."""
        told(1, 2)
        return copies(problem, count, seed)

    SYNTHETIC.register(slow)
    heard: list[tuple[int, int]] = []
    try:
        simulate(blobs(), "slow()", 10, lambda done, total: heard.append((done, total)))
        assert heard == [(1, 2)]
        with pytest.raises(TimeoutError):
            simulate(blobs(), "slow()", 10, lambda done, total: (_ for _ in ()).throw(TimeoutError()))
    finally:
        del SYNTHETIC._functions["slow"]


def test_the_pool_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = blobs()
    assert synthetic.pool_size(problem) == 1000 > 4 * len(problem.train)
    assert synthetic.pool_size(blobs(n=1000)) == 4 * len(blobs(n=1000).train)
    monkeypatch.setattr(synthetic, "POOL_BYTES", 10 * 16)
    assert synthetic.pool_size(problem) == 10
    monkeypatch.setattr(synthetic, "POOL_ROWS", 9)
    assert synthetic.pool_size(problem) == 9


def test_large_data_is_joined_without_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = stripes()
    pool = simulate(problem, f"{HERE}:copies()", 30)
    small = joined(problem.train, pool)
    monkeypatch.setattr(synthetic, "JOINED_BYTES", 1000)
    large = joined(problem.train, pool)
    assert small.in_memory
    assert not large.in_memory
    rows = np.arange(len(small))[::-1]
    np.testing.assert_array_equal(small.x[rows], large.x[rows])
    np.testing.assert_array_equal(small.y, large.y)
    assert list(small.ids) == list(large.ids)


def test_the_content_is_the_source_of_a_user_s_generator() -> None:
    assert "once more" in synthetic.content_of(f"{HERE}:copies(share=0.2)")
    assert synthetic.content_of("") == ""


def test_generators_of_pictures_are_for_pictures() -> None:
    pictures, vectors = stripes().signature, blobs().signature
    for name in [*SYNTHETIC.of_stage("pictures"), *SYNTHETIC.of_stage("classes")]:
        assert synthetic.applies(f"{name}()", pictures)
        assert not synthetic.applies(f"{name}()", vectors)
    for name in SYNTHETIC.of_stage("classes"):
        assert not synthetic.applies(f"{name}()", replace(pictures, task="regression"))
    assert synthetic.applies("", vectors)
    assert synthetic.applies(f"{HERE}:copies()", vectors)


def test_what_is_paid_once_is_told_from_what_each_example_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = blobs()
    monkeypatch.setattr(synthetic, "_timed", lambda problem, text, count: 10.0 + 0.01 * count)
    seconds, how = synthetic.seconds_of(problem, "any()")
    assert seconds == pytest.approx(10.0 + 0.01 * synthetic.pool_size(problem))
    assert how.startswith("10 s")
    monkeypatch.setattr(synthetic, "_timed", lambda problem, text, count: 1e-4 * count)
    assert synthetic.seconds_of(problem, "any()")[0] == pytest.approx(1e-4 * synthetic.pool_size(problem))
