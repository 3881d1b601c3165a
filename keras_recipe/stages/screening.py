"""Cheap screening first: a hopeless candidate costs a quarter of one run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_recipe.compare import (
    score_interval,
)
from keras_recipe.core.config import Config, difference
from keras_recipe.core.records import Plan
from keras_recipe.objectives import written
from keras_recipe.stages.incumbent import Incumbent
from keras_recipe.study import Study

SCREENING = 4
"""A candidate's first trial pauses after this part of its epochs, and goes on if it is not hopeless."""

HOPELESS = 3.0
"""How often a candidate must be further behind then than the incumbent still had to go, to be hopeless. What
regularizes slows learning down, so that being behind alone says little."""


def hopeful(
    study: Study, incumbent: Incumbent, name: str, pairs: Sequence[tuple[Config, int]]
) -> list[tuple[Config, int]]:
    """Those of the pairs that may still win, by the validation scores of the first epochs of their trials. One whose
    trial is known to its end, as a rung of the ladder may be, is judged by that."""
    found = []
    open_ = [(c, s) for c, s in pairs if study.missing([(c, s)]) or given_up(study, incumbent, name, c)]
    begun = dict(zip(open_, study.begun(incumbent.stage, open_, SCREENING, incumbent.kept), strict=True))
    for config, seed in pairs:
        scores = begun.get((config, seed), [])
        behind = _behind(study, incumbent, scores)
        if behind is None:
            found.append((config, seed))
            continue
        reason = f"hopeless after {len(scores)} of {config.epochs} epochs: {behind}"
        _give_up(study, incumbent, name, config, seed, reason)
        study.discard(config, seed)
    return found


def given_up(study: Study, incumbent: Incumbent, name: str, config: Config) -> bool:
    """Whether the record says that this candidate was hopeless: it costs nothing more."""
    return study.journal.get(Plan, _key(incumbent, name, config)) is not None


def _key(incumbent: Incumbent, name: str, config: Config) -> str:
    return f"hopeless/{incumbent.stage}/{name}/{incumbent.config.digest()}/{config.digest()}"


def _give_up(study: Study, incumbent: Incumbent, name: str, config: Config, seed: int, reason: str) -> None:
    """Record what was tried, what it cost, and why it was given up."""
    key = _key(incumbent, name, config)
    change = {leaf: list(pair) for leaf, pair in difference(incumbent.config, config).items()}
    seconds = study.begun_seconds(config, seed)
    study.memo(Plan, key, lambda: Plan(key, incumbent.stage, name, change, reason, seconds))


def _behind(study: Study, incumbent: Incumbent, scores: Sequence[float]) -> str | None:
    """How far behind the incumbent these first scores are, where that is hopeless."""
    histories = [t.history["val_score"] for t in incumbent.trials]
    metric, sign = study.problem.objective.metric, 1.0 if study.problem.objective.higher_is_better else -1.0
    at = min(len(scores), *map(len, histories)) - 1
    if at < 0:
        return None
    then = sign * float(np.mean([h[at] for h in histories]))
    end = sign * float(np.mean([t.score for t in incumbent.trials]))
    low, high, _ = score_interval(metric, study.gains(incumbent.trials[:1])[0])
    # What the incumbent gained after that epoch, and no less than what chance makes of its validation examples.
    to_go = max(end - then, (high - low) / 2)
    if then - sign * scores[at] <= HOPELESS * to_go:
        return None
    return f"{written(metric, scores[at])}, where the model before it had {written(metric, sign * then)}"
