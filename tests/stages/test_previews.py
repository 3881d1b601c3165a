"""Augmented examples are seen before anything is trained on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_recipe.core.config import Config
from keras_recipe.core.journal import select
from keras_recipe.core.records import CheckRun, Decision
from keras_recipe.data import load
from keras_recipe.data.toys import blobs, stripes
from keras_recipe.moves import MOVES
from keras_recipe.problem import Problem
from keras_recipe.recipe import Recipe
from keras_recipe.stages.climb import climb
from keras_recipe.stages.incumbent import Incumbent
from keras_recipe.stages.previews import SHOWN, preview

CONFIG = Config("small_cnn(width=8)", epochs=1)


def coloured() -> Problem:
    x = np.repeat(np.asarray(stripes().train.x[:]), 3, axis=-1)
    return load((x, stripes().train.y), name="coloured")


@pytest.mark.parametrize("data", [stripes, coloured])
def test_every_strength_that_is_to_be_tried_is_a_row_of_the_picture(data, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with Recipe(data(), tmp_path, 600.0, workers=1).study() as study:
        incumbent = Incumbent(CONFIG, tuple(study.trials("regularize", [(CONFIG, 0)])), "regularize")
        names = MOVES.of_stage("regularize")
        preview(study, incumbent, names)
        preview(study, incumbent, names)
        (run,) = [c for c in select(list(study.journal), CheckRun) if c.check == "augmentations"]
        (finding,) = run.findings
        rows = int(finding.message.split()[0])
        assert rows >= 17 if data is coloured else 14
        with Image.open(tmp_path / str(finding.artifact)) as sheet:
            assert sheet.size[0] < sheet.size[1]
            assert sheet.size[1] // (rows + 1) == pytest.approx(sheet.size[0] // SHOWN + 16, abs=3)
            grey = np.asarray(sheet.convert("L")).astype(float)
        height = sheet.size[1] // (rows + 1)
        first = grey[6 : 6 + 96, :]
        for row in range(1, rows + 1):
            shown = grey[6 + row * (96 + 16 + 6) :][:96, :]
            assert np.abs(shown - first).mean() > 0.3, f"row {row} of {rows}, {height} pixels each, shows no change"


def test_it_is_recorded_before_the_first_of_them_is_trained(tmp_path: Path) -> None:
    with Recipe(stripes(), tmp_path, 600.0, workers=1).study() as study:
        climb(study, CONFIG, "regularize", ("flip_picture",))
        kinds = [
            type(r) for r in study.journal if isinstance(r, Decision) or getattr(r, "check", "") == "augmentations"
        ]
        assert kinds[0] is CheckRun


def test_nothing_is_shown_where_nothing_is_augmented(tmp_path: Path) -> None:
    for name, data in (("points", blobs()), ("pictures", stripes())):
        with Recipe(data, tmp_path / name, 600.0, workers=1).study() as study:
            config = CONFIG if name == "pictures" else Config("linear()", epochs=1)
            incumbent = Incumbent(config, tuple(study.trials("regularize", [(config, 0)])), "regularize")
            preview(study, incumbent, MOVES.of_stage("regularize") if name == "points" else ("dropout",))
            assert not select(list(study.journal), CheckRun)
