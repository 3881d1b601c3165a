"""Augmentations are shown before anything is trained on them: a mirrored 6 is seen at a glance."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from keras_recipe import objectives
from keras_recipe.core.records import CheckRun, Finding
from keras_recipe.data.augmentations import pipeline
from keras_recipe.moves import MOVES, augmentation, candidates
from keras_recipe.pictures import grid
from keras_recipe.spread import evenly
from keras_recipe.stages.incumbent import Incumbent
from keras_recipe.study import Study

SHOWN = 6
"""Examples that each augmentation is shown on."""


def preview(study: Study, incumbent: Incumbent, names: Sequence[str]) -> None:
    """Record one picture of what the augmentations that these moves try make of the same training examples.

    Args:
        study: the run; nothing is shown of data without pictures.
        incumbent: that the moves start from.
        names: of moves; others than those of `moves.augmentation` are passed over.
    """
    problem, config = study.problem, incumbent.config
    if problem.signature.kind != "image":
        return
    own, augmenting = config.augmentation, [n for n in names if MOVES.get(n).__module__ == augmentation.__name__]
    found = [c.augmentation for name in augmenting for c in candidates(name, config, incumbent.trials[0], problem)]
    if not found:
        return

    def look() -> CheckRun:
        from keras_recipe.loop import augmented
        from keras_recipe.reseed import seeded

        began = time.monotonic()
        rows = evenly(problem.given, SHOWN)
        x = np.asarray(problem.train.x[rows])
        targets = objectives.targets(problem, problem.train.y[rows])
        sheet, captions = [x], [problem.label(y) for y in problem.train.y[rows]]
        for text in found:
            with seeded(study.seeds(1)[0]):
                made, _ = augmented(pipeline(text, problem), x, targets, problem.signature.outputs)
            sheet.append(np.asarray(made))
            name, _, arguments = text.removeprefix(f"{own}|").rstrip(")").partition("(")
            captions += [name, arguments, *[""] * SHOWN][: len(rows)]
        path = grid(study.directory / "artifacts" / "augmentations.png", np.concatenate(sheet), captions, columns=SHOWN)
        finding = Finding(
            "info",
            "augmentation",
            f"{len(found)} augmentations that are to be tried, on the same training examples; the first row is without",
            hint="leave out what changes the label of a picture: --moves=-flip_picture",
            artifact=str(path.relative_to(study.directory)),
        )
        what = "Look at augmented examples, before anything is trained on them."
        return CheckRun(key, "regularize", "augmentations", what, (finding,), time.monotonic() - began)

    key = f"look/augmentations/{config.digest()}"
    study.memo(CheckRun, key, look)
