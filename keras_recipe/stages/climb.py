"""The climb: one change at a time, each verified, starting from what was accepted before."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from keras_recipe.compare import SEEDS
from keras_recipe.core.config import Config, difference
from keras_recipe.core.records import Trial
from keras_recipe.moves import MOVES, candidates, proposals
from keras_recipe.stages.features import importances_of
from keras_recipe.stages.incumbent import Incumbent, affordable, complete, trained
from keras_recipe.stages.judging import decide, verify
from keras_recipe.stages.price import before_seconds, savings_of, seconds_of, share_until_stop, simulate
from keras_recipe.stages.screening import hopeful
from keras_recipe.study import Study

SHORT = 0.75
"""A move that ends the incumbent's trials after this part of their epochs, or sooner, by their own history, is tried
before all others: it costs less than any of them, and makes each of them cheaper."""

CAPACITY = frozenset({"model", "model.width", "model.depth", "model.train"})
"""Leaves after whose change a move that was refused may help: moves interact, and what a small network does not need
may save a large one. Each is tried once more, at the end."""


def climb(study: Study, config: Config, stage: str, moves: Sequence[str] | None = None, kept: float = 0.0) -> Config:
    """Try every move of a stage in the recipe's order and keep those that are better than noise, and of those that make
    the model smaller also those that are not worse.

    Early stopping comes first where the incumbent has overfitted for long, see SHORT. What makes the model smaller,
    from which nothing is to be gained, comes last where the budget does not hold all that is behind it.

    Args:
        study: the trials so far.
        config: where to start.
        stage: whose moves are tried.
        moves: names of the moves to try; None for all, () for none.
        kept: seconds of the budget that are for the stages behind it.
    """
    names = MOVES.of_stage(stage) if moves is None else [n for n in MOVES.of_stage(stage) if n in moves]
    if not names:
        return config
    incumbent = trained(study, config, stage, kept)
    if incumbent is None:
        for name in names:
            study.skip(stage, name, "the budget ended while the model itself was trained")
        return config
    refused: list[str] = []
    again: list[str] = []
    sooner = [n for n in names if MOVES.option(n, "shortens") and _until_stop(study, incumbent, n) <= SHORT]
    left = [*sooner, *(n for n in names if n not in sooner)]
    while left:
        if MOVES.option(left[0], "keeps") and _short_of_time(study, incumbent, left):
            left.sort(key=lambda n: MOVES.option(n, "keeps"))  # which leaves the others in their order
        name = left.pop(0)
        before, incumbent = incumbent.config, _try(study, incumbent, name)
        changed = difference(before, incumbent.config)
        if not changed:
            refused.append(name)
        elif CAPACITY & {*changed}:
            again, refused = [*again, *refused], []
    for name in again:
        incumbent = _try(study, incumbent, name)
    return incumbent.config


def _short_of_time(study: Study, incumbent: Incumbent, left: Sequence[str]) -> bool:
    """Whether the budget does not hold what may still help, if all of it were accepted."""
    helpful = [n for n in left if not MOVES.option(n, "keeps")]
    if not helpful:
        return False

    def choose() -> tuple[bool, str]:
        longest = max(t.seconds for t in incumbent.trials)
        found = [candidates(n, incumbent.config, incumbent.trials[0], study.problem) for n in helpful]
        trials = sum(len(f) + SEEDS[0] - 1 for f in found if f)
        needed, held = trials * longest / study.workers, study.remaining - incumbent.kept
        return (
            needed > held,
            f"{trials} trials of what may help take up to {needed:.0f} s, of {held:.0f} s that are left",
        )

    # By the first of what is left, too: after a few moves, there may be time.
    name = f"smaller models last ({incumbent.config.digest()[:6]}, {left[0]})"
    short: bool = study.plan(incumbent.stage, name, choose).value
    return short


def _until_stop(study: Study, incumbent: Incumbent, name: str) -> float:
    return share_until_stop(incumbent, candidates(name, incumbent.config, incumbent.trials[0], study.problem))


def _try(study: Study, incumbent: Incumbent, name: str) -> Incumbent:
    better = _round(study, incumbent, name)
    while better.config != incumbent.config and MOVES.option(name, "again"):
        incumbent = better
        better = _round(study, incumbent, name, again=True)
    return better


def _round(study: Study, incumbent: Incumbent, name: str, again: bool = False) -> Incumbent:
    """One proposal of a move, judged."""
    known = partial(importances_of, study, incumbent.config, incumbent.trials)
    proposed, why = proposals(name, incumbent.config, incumbent.trials[0], study.problem, known, study.generator)
    savings = savings_of(study, incumbent, proposed) if MOVES.option(name, "keeps") else {}
    what = f"{name}, once more" if again else name
    if not proposed:
        if not again:
            kind = study.problem.signature.kind
            # What depends on a measurement may find nothing to change where it does apply.
            none = "finds nothing to change in" if MOVES.option(name, "again") else "does not apply to"
            study.skip(incumbent.stage, name, why or f"it {none} {kind} data with {incumbent.config.model}")
        return incumbent
    if MOVES.option(name, "keeps"):
        proposed = list(savings)
        if not proposed:
            study.skip(incumbent.stage, what, f"it would make {incumbent.config.model} neither smaller nor cheaper")
            return incumbent
    pairs = [(candidate, study.seeds(1)[0]) for candidate in proposed]
    # One seed may decide, where the budget does not hold more: the interval is wider for it.
    each, before = seconds_of(study, name, incumbent, proposed), before_seconds(study, incumbent, proposed)
    if not affordable(study, incumbent, pairs, each, before):
        study.skip(incumbent.stage, what, "not enough of the budget is left")
        return incumbent
    if study.missing(pairs) and (why := simulate(study, incumbent, proposed)):
        study.skip(incumbent.stage, name, why)
        return incumbent
    pairs = hopeful(study, incumbent, name, pairs)
    if not pairs:
        return incumbent
    screened = complete(study, incumbent.stage, pairs)
    if not screened:
        study.skip(incumbent.stage, what, "the budget ended while it was trained")
        return incumbent
    tried = list(zip((c for c, _ in pairs), screened, strict=True))
    return _smallest(study, name, incumbent, tried, savings) if savings else _best(study, name, incumbent, tried)


def _best(study: Study, name: str, incumbent: Incumbent, tried: Sequence[tuple[Config, Trial]]) -> Incumbent:
    """Only the best of a move's strengths is worth more seeds; the others are judged on the one that they have."""
    ranked = sorted(tried, key=lambda p: p[1].score, reverse=True)
    if not study.problem.objective.higher_is_better:
        ranked.reverse()
    best, trial = ranked[0]
    for candidate, result in ranked[1:]:
        decide(study, name, incumbent, candidate, (result,), stopped="another strength of this move did better")
    return verify(study, name, incumbent, best, trial)


def _smallest(
    study: Study,
    name: str,
    incumbent: Incumbent,
    tried: Sequence[tuple[Config, Trial]],
    savings: dict[Config, str],
) -> Incumbent:
    """The smallest of a move's candidates, which come in this order, that does not let validation suffer."""
    kept = incumbent
    for candidate, trial in tried:
        if kept.config != incumbent.config:
            decide(study, name, incumbent, candidate, (trial,), stopped="a smaller candidate of this move was kept")
            continue
        kept = verify(study, name, incumbent, candidate, trial, savings[candidate])
        if kept.config == incumbent.config:
            incumbent = kept  # it may have got more seeds
    return kept
