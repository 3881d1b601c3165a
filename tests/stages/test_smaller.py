"""What makes the model smaller is kept if validation does not suffer, and only then."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_recipe.core import journal as journals
from keras_recipe.core.config import Config
from keras_recipe.core.journal import read, select
from keras_recipe.core.records import CheckRun, Decision, Plan, Trial
from keras_recipe.data import load
from keras_recipe.problem import Problem
from keras_recipe.recipe import Recipe
from keras_recipe.stages.climb import climb
from keras_recipe.stages.incumbent import Incumbent
from keras_recipe.stages.signals import signals
from keras_recipe.study import Study

MLP = Config("mlp(depth=1, width=16)", "adam(learning_rate=0.01)", batch_size=32, epochs=12)
CNN = Config("small_cnn(width=8)", "adam(learning_rate=0.003)", batch_size=32, epochs=5)


@contextmanager
def study_of(problem: Problem, folder: Path) -> Iterator[Study]:
    with Recipe(problem, folder, 900.0, workers=1).study() as study:
        yield study


def decisions(study: Study) -> list[Decision]:
    return select(list(study.journal), Decision)


def vectors(useful: int, idle: int, rows: int = 900, noise: float = 0.3) -> Problem:
    """The class is the sign of the sum of the first features, some labels are wrong; the idle ones say nothing."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, useful + idle)).astype("float32")
    y = (x[:, :useful].sum(axis=1) + noise * rng.normal(size=rows) > 0).astype("int32")
    return load((x, y), validation=0.5, name="vectors")


def pictures(kind: str, rows: int = 400) -> Problem:
    """Two classes of pictures (16, 16, 3): one half is brighter ("coarse"), stripes of one pixel that stand or lie
    ("fine"), or red against green of equal luminance ("colour"); one in ten labels is wrong."""
    rng = np.random.default_rng(0)
    y = np.arange(rows) % 2
    x = np.full((rows, 16, 16, 3), 128.0)
    if kind == "coarse":
        x[y == 0, :8] += 60
        x[y == 1, 8:] += 60
    elif kind == "fine":
        wave = np.where(np.arange(16) % 2, 60.0, -60.0)
        x[y == 0] += wave[:, None, None]
        x[y == 1] += wave[None, :, None]
    else:
        x[y == 0, ..., 0] += 60
        x[y == 1, ..., 1] += 60 * 0.299 / 0.587
    x += rng.normal(scale=15, size=x.shape)
    wrong = rng.random(rows) < 0.1
    return load((x.clip(0, 255).astype("uint8"), np.where(wrong, 1 - y, y)), validation=0.5, name=kind)


def accepted(made: list[Decision]) -> list[Decision]:
    return [d for d in made if d.accepted]


@pytest.mark.parametrize(
    ("move", "leaf", "helps", "hurts"),
    [("smaller_pictures", "model.size", "coarse", "fine"), ("grey_pictures", "model.grey", "coarse", "colour")],
)
def test_pictures_are_made_smaller_where_that_costs_nothing(
    move: str, leaf: str, helps: str, hurts: str, tmp_path: Path
) -> None:
    with study_of(pictures(helps), tmp_path / helps) as study:
        chosen = climb(study, CNN, "regularize", (move,))
        kept = accepted(decisions(study))
        assert [[*d.change] for d in kept] == [[leaf]]
        assert kept[0].low > -kept[0].margin
        assert "fewer inputs" in kept[0].reason
        assert chosen.digest() == kept[0].after
        if move == "smaller_pictures":  # the smaller of both candidates
            assert dict(chosen.leaves())["model.size"] == 8
    with study_of(pictures(hurts), tmp_path / hurts) as study:
        chosen = climb(study, CNN, "regularize", (move,))
        first, *others = decisions(study)
        assert not first.accepted
        assert first.config[leaf] in (8, True)
        if move == "smaller_pictures":  # the next larger candidate gets its chance, and is judged by itself
            assert [d.config[leaf] for d in others] == [12]
        assert chosen == CNN or others[0].accepted


def test_features_that_say_nothing_are_dropped_and_what_is_left_is_measured_again(tmp_path: Path) -> None:
    with study_of(vectors(useful=3, idle=5), tmp_path) as study:
        chosen = climb(study, MLP, "regularize", ("drop_features",))
        without = chosen.leaves().get("model.without")
        assert isinstance(without, tuple)
        assert {"3", "4", "5", "6", "7"} >= {*without}
        assert len(without) >= 4
        measured = [c for c in select(list(study.journal), CheckRun) if c.check == "permutation_importance"]
        assert len(measured) >= 2
        assert {r[0] for r in measured[0].findings[0].evidence["importance"][:3]} == {"0", "1", "2"}
        assert len(measured[0].findings[0].table.rows) == 8  # type: ignore[union-attr]
        assert len(measured[1].findings[0].table.rows) == 8 - len(accepted(decisions(study))[0].config["model.without"])  # type: ignore[union-attr, arg-type]
        assert "fewer weights" in accepted(decisions(study))[0].reason


def test_features_that_share_what_they_say_are_not_all_dropped(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    signal = rng.normal(size=(900, 1))
    x = np.concatenate([signal + 0.5 * rng.normal(size=(900, 4)), rng.normal(size=(900, 1))], axis=1).astype("float32")
    problem = load((x, (signal[:, 0] > 0).astype("int32")), validation=0.5, name="shared")
    with study_of(problem, tmp_path) as study:
        chosen = climb(study, MLP, "regularize", ("drop_features",))
        dropped = chosen.leaves().get("model.without", ())
        assert len({"0", "1", "2", "3"} - {*dropped}) >= 2  # type: ignore[misc]


def test_where_every_feature_counts_none_is_dropped(tmp_path: Path) -> None:
    with study_of(vectors(useful=3, idle=0), tmp_path) as study:
        assert climb(study, MLP, "regularize", ("drop_features",)) == MLP
        assert not decisions(study)
        skips = {p.name for p in select(list(study.journal), Plan) if p.key.startswith("skip/")}
        assert skips == {"drop_features"}


def test_a_second_time_importances_are_read_from_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with study_of(vectors(useful=2, idle=2), tmp_path) as study:
        first = climb(study, MLP, "regularize", ("drop_features",))
        count = len(study.journal)
        monkeypatch.setattr("keras_recipe.training.run_trial", None)
        monkeypatch.setattr("keras_recipe.stages.features.importances", None)
        assert climb(study, MLP, "regularize", ("drop_features",)) == first
        assert len(study.journal) == count


def test_a_run_that_goes_on_from_any_record_ends_with_the_same_journal(tmp_path: Path) -> None:
    problem = vectors(useful=2, idle=2, rows=400)

    def run(folder: Path) -> list[dict[str, Any]]:
        with study_of(problem, folder) as study:
            study.trials("overfit", [(MLP, 0)])
            climb(study, signals(study, MLP), "regularize", ("drop_features", "narrower"))
        lines = (folder / journals.FILE).read_text().splitlines()
        return [{k: v for k, v in json.loads(line).items() if "seconds" not in k and k != "elapsed"} for line in lines]

    whole = run(tmp_path / "whole")
    for kept in (0.4, 0.8):
        cut = tmp_path / f"cut at {kept}"
        shutil.copytree(tmp_path / "whole", cut)
        lines = (cut / journals.FILE).read_text().splitlines(keepends=True)
        (cut / journals.FILE).write_text("".join(lines[: int(len(lines) * kept)]))
        assert run(cut) == whole


def test_a_narrower_model_is_kept_where_it_does_as_well(tmp_path: Path) -> None:
    with study_of(vectors(useful=2, idle=1, noise=0.8), tmp_path / "helps") as study:
        wide = MLP.with_args("model", width=32)
        assert climb(study, wide, "regularize", ("narrower",)) == wide.with_args("model", width=16)
        decision = decisions(study)[0]
        assert decision.margin > 0
        assert "fewer weights" in decision.reason
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 900)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    ring = load((x.astype("float32"), (np.floor(angle / (np.pi / 4)) % 2).astype("int32")), validation=0.5, name="ring")
    with study_of(ring, tmp_path / "hurts") as study:  # eight sectors, which few units cannot cut out
        config = MLP.with_args("model", width=8).replace(epochs=60)
        assert climb(study, config, "regularize", ("narrower",)) == config
        assert decisions(study)


def decided(problem: Problem, folder: Path, config: Config, move: str) -> tuple[Config, list[Decision]]:
    with study_of(problem, folder) as study:
        return climb(study, config, "regularize", (move,)), decisions(study)


def refused(folder: Path, made: list[Decision]) -> bool:
    """Whether the move was judged and rejected, or given up after a few epochs."""
    given_up = any(r.key.startswith("hopeless/") for r in read(folder))
    return given_up or (bool(made) and not any(d.accepted for d in made))


def test_depthwise_convolutions_are_kept_where_channels_need_not_be_mixed(tmp_path: Path) -> None:
    chosen, made = decided(pictures("coarse"), tmp_path / "helps", CNN, "depthwise")
    assert chosen == CNN.with_args("model", depthwise=True)
    assert "fewer weights" in made[-1].reason
    chosen, made = decided(mixed_channels(), tmp_path / "hurts", CNN, "depthwise")
    assert chosen == CNN
    assert refused(tmp_path / "hurts", made)


def mixed_channels() -> Problem:
    """Pictures whose class is where the ones of a random pattern lie, which many 3x3 filters tell apart at once."""
    rng = np.random.default_rng(0)
    y = np.arange(900) % 4
    pattern = rng.choice([-50.0, 50.0], (4, 3, 3))
    x = rng.normal(128, 30, (900, 8, 8, 1))
    for row, c in enumerate(y):
        top, left = rng.integers(0, 6, 2)
        x[row, top : top + 3, left : left + 3, 0] += pattern[c]
    return load((x.clip(0, 255).astype("uint8"), y), validation=0.5, name="patterns")


def test_pooling_is_kept_where_the_place_does_not_matter(tmp_path: Path) -> None:
    flat = CNN.with_args("model", pooling=False).replace(epochs=24)
    chosen, made = decided(mixed_channels(), tmp_path / "helps", flat, "pool_instead_of_flatten")
    assert chosen == flat.with_args("model", pooling=True)
    assert "fewer weights" in made[-1].reason
    rng = np.random.default_rng(0)
    y = np.arange(600) % 4  # in which quarter a spot lies: padding alone tells
    x = rng.normal(100, 10, (600, 16, 16, 1))
    for row, c in enumerate(y):
        top, left = rng.integers(2, 5, 2) + np.array([8 * (c // 2), 8 * (c % 2)])
        x[row, top : top + 2, left : left + 2] += 80
    spots = load((x.clip(0, 255).astype("uint8"), y), validation=0.5, name="spots")
    flat = flat.replace(epochs=5)  # padding tells, too, in time
    chosen, made = decided(spots, tmp_path / "hurts", flat, "pool_instead_of_flatten")
    assert chosen == flat
    assert refused(tmp_path / "hurts", made)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets what may be lost."""
    return lambda margin: monkeypatch.setattr("keras_recipe.compare.MARGIN", margin)


def test_a_loss_within_the_margin_is_not_ruled_out_by_few_examples(
    tmp_path: Path, tiny: Callable[[float], None]
) -> None:
    tiny(1e-4)
    wide = MLP.with_args("model", width=32)
    _, made = decided(vectors(useful=2, idle=1, noise=0.8), tmp_path, wide, "narrower")
    assert made
    assert all(d.low > -1e-4 for d in accepted(made))


def trial(seed: int, seconds: float = 1) -> Trial:
    return Trial("k", "s", {}, "d", seed, 0, 0, 0, 0, {}, 1, 1, 1, "epochs", 1, seconds, 0)


def test_what_the_first_trial_paid_for_all_is_not_in_the_price_of_the_next() -> None:
    assert Incumbent(MLP, (trial(0, 60), trial(1, 2), trial(2, 3)), "regularize").seconds == 3


def test_losses_are_measured_against_the_model_before_the_first_of_them() -> None:
    first, second = (trial(0),), (trial(1),)
    assert Incumbent(MLP, first, "regularize").reference == first
    assert Incumbent(MLP, second, "regularize", anchor=first).reference == first
