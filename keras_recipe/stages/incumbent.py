"""The config to beat, and what the budget still holds of trials against it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from keras_recipe.compare import SEEDS
from keras_recipe.core.config import Config
from keras_recipe.core.records import Trial
from keras_recipe.study import Study, rounds


@dataclass(frozen=True)
class Incumbent:
    """The config to beat.

    Attributes:
        config: the last one that was accepted.
        trials: of it, one a seed.
        stage: that climbs.
        kept: seconds of the budget that are for the stages behind it.
        anchor: trials of the last config that had to be better to be accepted; () where that is this one.
    """

    config: Config
    trials: tuple[Trial, ...]
    stage: str
    kept: float = 0.0
    anchor: tuple[Trial, ...] = ()

    @property
    def seconds(self) -> float:
        """What one more trial takes."""
        return statistics.median(t.again_seconds for t in self.trials)

    @property
    def reference(self) -> tuple[Trial, ...]:
        """What a smaller model may lose so much of, and no more, however many moves make it smaller: losses that are
        allowed one after the other would add up (D'Agostino, Massaro & Sullivan, 2003, call it biocreep)."""
        return self.anchor or self.trials


def trained(study: Study, config: Config, stage: str, kept: float = 0.0) -> Incumbent | None:
    """The config under three seeds, or under one where the budget does not hold those and a move's; None where it was
    cut short itself."""
    pairs = [(config, seed) for seed in study.seeds(SEEDS[0])]
    alone = Incumbent(config, tuple(study.trials(stage, pairs[:1])), stage, kept)
    if alone.trials[0].stopped == "budget":
        return None

    def choose() -> tuple[int, str]:
        seconds, missing = alone.seconds, len(study.missing(pairs))
        held = int((study.remaining - kept) / seconds) * study.workers
        # Its own seeds, and those of one move at least; not to look at what is there would save nothing.
        enough = not missing or held >= missing + SEEDS[0]
        if enough:  # told without a time, which differs from run to run
            return SEEDS[0], "the budget holds them, and as many of a move"
        return 1, f"one takes {seconds:.0f} s, and the budget holds {held} more"

    what = f"seeds behind a decision ({config.digest()[:6]}, in {study.budget:.0f} s)"
    if study.plan(stage, what, choose).value == 1:
        return alone
    trials = complete(study, stage, pairs, kept)
    return Incumbent(config, trials, stage, kept) if trials else alone


def complete(
    study: Study, stage: str, pairs: Sequence[tuple[Config, int]], kept: float = 0.0
) -> tuple[Trial, ...] | None:
    """The trials of these pairs, None where one of them is not done before only `kept` seconds are left."""
    try:
        trials = study.trials(stage, pairs, kept, whole=True)
    except TimeoutError:
        return None
    return None if any(t.stopped == "budget" for t in trials) else tuple(trials)


def affordable(
    study: Study, incumbent: Incumbent, pairs: Sequence[tuple[Config, int]], seconds: float, before: float = 0.0
) -> bool:
    """Whether the pairs that are not recorded yet, of so many seconds each, and what has to be made before them, fit
    into what is left for this stage."""
    count = rounds(study, pairs)
    return count == 0 or before + count * seconds <= study.remaining - incumbent.kept
