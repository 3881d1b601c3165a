"""A realistic journal of each kind, built through Journal.append, and a picture on disk for findings to point at."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from keras_recipe.core.config import Config, difference
from keras_recipe.core.journal import Journal
from keras_recipe.core.records import (
    CheckRun,
    CurvePoint,
    Decision,
    Evaluation,
    Finding,
    LearningCurve,
    Objective,
    Plan,
    Record,
    Run,
    Trial,
)

NASTY = "<script>alert(1)</script>"
CLASSES = ["daisy", "rose", NASTY]
SMALL = Config("resnet(depth=8, width=16)")
LARGE = Config("resnet(depth=14, width=32)")
CANDIDATES = [
    ("shift", LARGE.replace(augmentation="shift(factor=0.1)"), 0.0167, 0.0042, 0.0292, True),
    (
        "dropout",
        LARGE.replace(augmentation="shift(factor=0.1)").with_args("model", dropout=0.2),
        0.002,
        -0.008,
        0.012,
        False,
    ),
    ("smaller_batch", LARGE.replace(augmentation="shift(factor=0.1)", batch_size=16), -0.21, -0.4, -0.02, False),
]


def run_record(**changes: object) -> Run:
    problem = {
        "name": "flowers & <friends>", "kind": "image", "task": "multiclass", "shape": [32, 32, 3], "dtype": "uint8",
        "classes": CLASSES, "targets": 0, "loss": "crossentropy", "human_score": 0.99,
        "sizes": {"train": 1150, "validation": 287, "test": 360}, "in_memory": True, "split_by": "stratified, seed 0",
    }  # fmt: skip
    values = {
        "key": "run", "fingerprint": "0123456789abcdef", "problem": problem, "objective": Objective("accuracy", True),
        "seed": 7, "budget": 600.0, "versions": {"python": "3.11.9", "keras": "3.15.1"},
        "settings": {"moves": ["shift", "dropout"], "test": 0.2},
    }  # fmt: skip
    return Run(**values | changes)  # type: ignore[arg-type]


def trial(stage: str, config: Config, seed: int, score: float, *, epochs: int = 12, scale: float = 1.0) -> Trial:
    def curve(start: float, end: float) -> list[float]:
        return [end + (start - end) * math.exp(-4 * i / epochs) for i in range(epochs)]

    history = {
        "loss": curve(1.1 * scale, 0.01 * scale), "score": curve(0.4 * scale, 0.999 * scale),
        "val_loss": curve(1.2 * scale, 0.09 * scale), "val_score": curve(0.38 * scale, score),
    }  # fmt: skip
    return Trial(
        f"trial/{stage}/{config.digest()}/{seed}", stage, dict(config.leaves()), config.digest(), seed, score, 0.09,
        0.999 * scale, 0.01, history, epochs, epochs - 2, 75_120, "fitted", 1150, 8.25, 2.5,
    )  # fmt: skip


def decision(
    stage: str, move: str, before: Config, after: Config, figures: tuple[float, ...], accepted: bool
) -> Decision:
    effect, low, high = figures
    change = {k: list(v) for k, v in difference(before, after).items()}
    return Decision(
        f"decision/{stage}/{move}", stage, move, f"What {move} does.", before.digest(), after.digest(), change,
        dict(after.leaves()), 0.95, 0.95 + effect, effect, low, high, 3, accepted,
        f"{move}: " + ("better than noise" if accepted else "not better than noise"), 16.5,
    )  # fmt: skip


def checks() -> list[Record]:
    return [
        CheckRun("check/inspect/label_counts", "inspect", "label_counts", "Counts of each class.", (
            Finding("info", "imbalance", f"Rarest class is {NASTY}.", evidence={"counts": {"daisy": 400, NASTY: 30}},
                    artifact="pictures/examples.png"),
            Finding("warning", "duplicates", "7 images are in two splits.", "no image in two splits", "7 images",
                    "remove one of each pair"),
        ), 0.8),
        CheckRun("check/baseline/loss_at_init", "baseline", "loss_at_init", "Loss before training.", (
            Finding("ok", "loss", "Loss at initialisation is that of chance.", "1.099", "1.102"),
        ), 1.7),
        CheckRun("check/baseline/just_before_the_net", "baseline", "just_before_the_net", "What the net sees.", (
            Finding("ok", "pipeline", "Tensors as the model receives them.", artifact="pictures/gone.png"),
        ), 0.3),
        CheckRun("check/baseline/quiet", "baseline", "quiet_check", "Has nothing to say.", (), 0.1),
    ]  # fmt: skip


def studies() -> list[Record]:
    shifted = CANDIDATES[0][1]
    records: list[Record] = [
        trial("overfit", SMALL, 0, 0.91), trial("overfit", LARGE, 0, 0.95),
        decision("overfit", "capacity", SMALL, LARGE, (0.04, 0.02, 0.06), True),
    ]  # fmt: skip
    for index, (move, config, *figures, accepted) in enumerate(CANDIDATES):
        before = LARGE if index == 0 else shifted
        records += [trial("regularize", config, 0, 0.95 + figures[0])]
        records += [decision("regularize", move, before, config, tuple(figures), accepted)]
    records.append(
        Plan("plan/regularize/skipped", "regularize", "skipped", "larger_model", "12 s were left, it needs 40 s")
    )
    return records


def evaluation() -> Evaluation:
    best = trial("regularize", CANDIDATES[0][1], 0, 0.9667)
    return Evaluation(
        "evaluation", best.key, best.config, 0.9806, 0.961, 0.99, "Wilson", best.score,
        {"majority_class": 0.34, "logistic_regression": 0.93}, 360, [[120, 3, 0], [2, 130, 0], [1, 1, 103]], 1.2e-7,
        3.5, "pictures/mistakes.png",
    )  # fmt: skip


def curve() -> LearningCurve:
    """Of the larger model: 25 % errors on an eighth of the data, 5 % on all of it."""
    sizes = (144, 288, 575, 1150)
    points = tuple(
        CurvePoint(n, 3, s, s - 0.02, s + 0.01) for n, s in zip(sizes, (0.75, 0.84, 0.91, 0.95), strict=True)
    )
    forecast = (CurvePoint(2300, 0, 0.968, 0.955, 0.976), CurvePoint(4600, 0, 0.98, 0.958, 0.99))
    return LearningCurve(
        "curve/1", "regularize", dict(LARGE.leaves()), LARGE.digest(), 1150, points, 0.002, 0.048, 0.7, 2.0, 0.018,
        0.009, 0.026, forecast, "twice the data would bring +1.8 points (0.9 to 2.6)", 31.5,
    )  # fmt: skip


def regression() -> list[Record]:
    run = run_record(objective=Objective("rmse", False))
    problem = run.problem | {
        "name": "houses",
        "kind": "table",
        "task": "regression",
        "classes": [],
        "human_score": None,
    }
    run = run_record(objective=Objective("rmse", False), problem=problem)
    config = Config("mlp(width=64)")
    t = trial("overfit", config, 0, 50_496.3, scale=60_000.0)
    final = Evaluation("evaluation", t.key, t.config, 51_210.0, 49_000.0, 53_500.0, "delta method", t.score,
                       {"mean": 115_300.0, "ridge": 68_400.0}, 4128, None, 0.0, 2.0)  # fmt: skip
    return [run, t, final]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Iterable[Record]], Path]:
    """Write these records as the journal of a run directory."""

    def to_disk(records: Iterable[Record]) -> Path:
        journal = Journal(tmp_path)
        for record in records:
            journal.append(record)
        journal.close()
        return tmp_path

    return to_disk


def arrays(directory: Path, records: Iterable[Record]) -> None:
    """What a run leaves beside its journal: histograms of each trial, and what the model makes of ten examples."""
    generator = np.random.default_rng(0)
    for record in records:
        if isinstance(record, Trial):
            counts = generator.integers(1, 90, (2, 3, 2, 32)).astype("float32")
            counts[..., 0], counts[..., 1] = -1, 1
            counts[:, 1, 0] = 0  # a gradient that nobody could read
            folder = directory / "trials" / record.key
            folder.mkdir(parents=True)
            names = np.array(["01 conv2d/kernel", "02 dense/kernel"])
            np.savez(folder / "histograms.npz", names=names, epochs=np.array([0, 11]), points=counts)
    (directory / "artifacts").mkdir()
    Image.new("RGB", (4 * 32, 4 * 32), "teal").save(directory / "artifacts" / "embedding.png")
    falling = np.linspace(40, 0, 101).astype(int)
    counts = np.stack([np.stack([falling, falling // 2, 20 - falling // 2, 40 - falling])] * len(CLASSES))
    np.savez(
        directory / "artifacts" / "embedding.npz",
        features=generator.normal(size=(10, 5)).astype("float32"),
        names=np.array(["example", "is"]),
        texts=np.array([[f"photo {i}\tof <b>", CLASSES[i % 3]] for i in range(10)]),
        classes=np.array(CLASSES),
        counts=counts,
    )


def finished_run(directory: Path) -> Path:
    """A finished run in this directory, as `train` would leave it, but for the model and the report."""
    records = [run_record(), *checks(), *studies(), curve(), evaluation()]
    journal = Journal(directory)
    for record in records:
        journal.append(record)
    journal.close()
    arrays(directory, records)
    (directory / "pictures").mkdir()
    for name in ("examples.png", "mistakes.png"):
        Image.new("RGB", (320, 120), "steelblue").save(directory / "pictures" / name)
    return directory


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    return finished_run(tmp_path)


@pytest.fixture(scope="session")
def handmade() -> Callable[[Path], Path]:
    """Makes such a run in a directory, for those who share one."""
    return finished_run


@pytest.fixture
def build(build_records: SimpleNamespace) -> SimpleNamespace:
    """The builders above, for tests that need other records."""
    return build_records


@pytest.fixture(scope="session")
def build_records() -> SimpleNamespace:
    """The same, for what is made once for several tests."""
    return SimpleNamespace(
        run=run_record, trial=trial, decision=decision, checks=checks, studies=studies, evaluation=evaluation,
        curve=curve, regression=regression, small=SMALL, large=LARGE, classes=CLASSES,
    )  # fmt: skip
