"""Moves that simulate, judged by the climb on data made so that they help, and so that they hurt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from keras_recipe.core.config import Config
from keras_recipe.core.errors import RecipeError
from keras_recipe.core.journal import select
from keras_recipe.core.records import CheckRun, Decision, Plan, Trial
from keras_recipe.data import load, synthetic
from keras_recipe.data.synthetic import SYNTHETIC
from keras_recipe.data.toys import stripes
from keras_recipe.problem import Problem
from keras_recipe.recipe import Recipe
from keras_recipe.stages import simulation
from keras_recipe.stages.climb import climb
from keras_recipe.study import Study

HERE = __name__
MLP = Config("mlp(depth=1, width=16)", "adam(learning_rate=0.01)", batch_size=8, epochs=100)
CNN = Config("small_cnn(width=8)", "adam(learning_rate=0.003)", batch_size=16, epochs=15)


def cut(problem: Problem, rows: int) -> Problem:
    """The same with fewer training examples."""
    train = problem.train
    return replace(problem, train=replace(train, x=train.x[:rows], y=train.y[:rows], ids=list(train.ids[:rows])))


def rings(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points inside or outside of a circle, in three dimensions of which two count."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)).astype("float32")
    return x, (np.hypot(x[:, 0], x[:, 1]) > 1.2).astype("int32")


def few_points() -> Problem:
    return cut(load(rings(1200, 0), name="rings"), 24)


def simulator(problem: Problem, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The very process that made the data."""
    return rings(count, seed + 1)


def liar(problem: Problem, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The same with the wrong labels."""
    x, y = rings(count, seed + 1)
    return x, 1 - y


def fragile(problem: Problem, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Works for a few examples."""
    if count > 100:
        raise MemoryError("too many")
    return simulator(problem, count, seed)


@contextmanager
def study_of(problem: Problem, directory: Path, generator: str | None = None) -> Iterator[Study]:
    with Recipe(problem, directory, 900.0, workers=1, synthetic=generator).study() as study:
        yield study


def decisions(study: Study) -> list[Decision]:
    return select(list(study.journal), Decision)


def skips(study: Study) -> dict[str, str]:
    return {r.name: r.reason for r in select(list(study.journal), Plan) if r.key.startswith("skip/")}


def test_a_true_simulator_is_accepted_where_there_are_few_examples(tmp_path: Path) -> None:
    with study_of(few_points(), tmp_path, f"{HERE}:simulator()") as study:
        chosen = climb(study, MLP, "regularize", ("simulated_examples",))
        assert chosen.synthetic.startswith(f"{HERE}:simulator(share=")
        made = decisions(study)
        assert {d.change["synthetic"][1] for d in made} == {f"{HERE}:simulator(share={s})" for s in (0.1, 0.25, 0.5)}
        assert [d.accepted for d in made].count(True) == 1
        assert all(d.low > 0 and d.seeds >= 3 for d in made if d.accepted)
        (look,) = select(list(study.journal), CheckRun)
        assert look.findings[0].table is not None
        assert look.findings[0].evidence["examples"] == 1000
        count = len(study.journal)
        assert climb(study, MLP, "regularize", ("simulated_examples",)) == chosen
        assert len(study.journal) == count  # everything is read from the record


def test_wrong_labels_are_rejected(tmp_path: Path) -> None:
    with study_of(few_points(), tmp_path, f"{HERE}:liar()") as study:
        assert climb(study, MLP, "regularize", ("simulated_examples",)) == MLP
        assert len(decisions(study)) == 3
        assert not any(d.accepted for d in decisions(study))


def test_without_a_generator_the_record_says_so(tmp_path: Path) -> None:
    with study_of(few_points(), tmp_path) as study:
        assert climb(study, MLP, "regularize", ("simulated_examples", "pasted_objects", "gan_samples")) == MLP
        assert "--synthetic" in skips(study)["simulated_examples"]
        assert "vector" in skips(study)["gan_samples"]
        assert "vector" in skips(study)["pasted_objects"]


def test_a_generator_that_fails_in_the_end_is_skipped_with_the_reason(tmp_path: Path) -> None:
    with study_of(few_points(), tmp_path, f"{HERE}:fragile()") as study:
        assert climb(study, MLP, "regularize", ("simulated_examples",)) == MLP
        assert "MemoryError: too many" in skips(study)["simulated_examples"]


def test_a_generator_that_does_not_work_costs_no_run(tmp_path: Path) -> None:
    with (
        pytest.raises(RecipeError, match="nothing_like_it"),
        study_of(few_points(), tmp_path, f"{HERE}:nothing_like_it()"),
    ):
        pass
    with pytest.raises(RecipeError, match="vector"), study_of(few_points(), tmp_path, "gan()"):
        pass
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_finished_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "_timed", lambda problem, text, count: 100.0 * count)
    with study_of(few_points(), tmp_path, f"{HERE}:simulator()") as study:
        monkeypatch.setattr(study.learner, "simulated", None)
        assert climb(study, MLP, "regularize", ("simulated_examples",)) == MLP
        assert "budget" in skips(study)["simulated_examples"]
        assert len(select(list(study.journal), Trial)) == 3  # those of the incumbent


def test_what_takes_too_long_is_given_up(tmp_path: Path) -> None:
    def slow(problem: Problem, count: int, seed: int, *, told: synthetic.Told) -> tuple[np.ndarray, np.ndarray]:
        """Tells, after the deadline."""
        told(0, 1)
        raise AssertionError

    SYNTHETIC.register(slow)
    try:
        with study_of(few_points(), tmp_path) as study:
            assert "budget" in simulation.made(study, "regularize", "slow()", seconds=-1.0)
            assert not select(list(study.journal), CheckRun)
    finally:
        del SYNTHETIC._functions["slow"]


def scenes(n: int, ground_tells: Callable[[np.ndarray, np.random.Generator], np.ndarray], seed: int) -> np.ndarray:
    """A wide or a tall bar, by class, on a dark or a light ground, by `ground_tells` (0 or 1)."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    rows, columns = np.mgrid[:16, :16]
    middle = rng.integers(6, 10, (2, n, 1, 1))
    down, right = np.abs(rows - middle[0]), np.abs(columns - middle[1])
    wide = (down < 2) & (right < 5)
    tall = (right < 2) & (down < 5)
    bar = np.where(y[:, None, None] == 0, wide, tall)
    ground = 20 + 90 * ground_tells(y, rng)[:, None, None]
    x = np.where(bar, 220, ground) + rng.normal(scale=5, size=bar.shape)
    return x.clip(0, 255).astype("uint8")[..., None]


def with_training(x: np.ndarray, y: np.ndarray, own: np.ndarray, name: str) -> Problem:
    """The problem of `x`, but trained on `own`."""
    problem = load((x, y), name=name)
    train = problem.train
    return replace(
        problem, train=replace(train, x=own, y=(np.arange(len(own)) % 2).astype("int32"), ids=list(range(len(own))))
    )


def test_pasting_is_accepted_where_the_ground_tells_the_class_in_training_only(tmp_path: Path) -> None:
    x = scenes(600, lambda y, rng: rng.integers(0, 2, len(y)), 1)
    own = scenes(80, lambda y, rng: np.where(rng.random(len(y)) < 0.97, y, 1 - y), 2)
    with study_of(with_training(x, np.arange(600) % 2, own, "grounds"), tmp_path) as study:
        chosen = climb(study, CNN, "regularize", ("pasted_objects",))
        assert chosen.synthetic.startswith("paste(share=")
        assert any(d.accepted for d in decisions(study))
        (look,) = select(list(study.journal), CheckRun)
        assert (tmp_path / str(look.findings[0].artifact)).is_file()
        assert look.findings[0].evidence["examples"] == 1000


def test_pasting_is_rejected_where_the_ground_is_the_class(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def grounds(n: int) -> np.ndarray:
        y = np.arange(n) % 2
        x = np.repeat((20 + 90 * y)[:, None, None], 16, 1).repeat(16, 2) + rng.normal(scale=5, size=(n, 16, 16))
        x[:, 5:10, 5:10] = 220
        return x.clip(0, 255).astype("uint8")[..., None]

    with study_of(with_training(grounds(300), np.arange(300) % 2, grounds(80), "places"), tmp_path) as study:
        start = CNN.replace(epochs=8)
        assert climb(study, start, "regularize", ("pasted_objects",)) == start
        assert len(decisions(study)) == 2
        assert not any(d.accepted for d in decisions(study))


def quick(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    monkeypatch.setattr(synthetic.gan, "__defaults__", (steps,))


def bright_halves(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise that is brighter above or below; a fifth of the labels is wrong."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    x = rng.integers(0, 120, (n, 6, 5, 1))
    x[y == 0, :3] += 60
    x[y == 1, 3:] += 60
    return x.astype("uint8"), np.where(rng.random(n) < 0.2, 1 - y, y)


def test_a_gan_is_accepted_where_its_samples_keep_a_model_from_learning_by_heart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It draws what most pictures of a class look like, and noise that the model has not seen."""
    quick(monkeypatch, 400)
    validation = bright_halves(400, 1)
    data = load(bright_halves(100, 0), validation=validation, test=validation, metric="log_loss", name="halves")
    start = MLP.with_args("model", width=32).replace(batch_size=20, epochs=24)
    with study_of(data, tmp_path) as study:
        assert climb(study, start, "regularize", ("gan_samples",)).synthetic == "gan(share=0.25)"
        (accepted,) = [d for d in decisions(study) if d.accepted]
        assert accepted.low > 0


def test_a_gan_that_has_not_learnt_the_classes_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch, 1)
    start = CNN.replace(epochs=8)
    with study_of(stripes(), tmp_path) as study:
        assert climb(study, start, "regularize", ("gan_samples",)) == start
        assert len(decisions(study)) == 2
        assert not any(d.accepted for d in decisions(study))
