"""The climb: one change at a time, each verified, starting from what was accepted before."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from keras_recipe.compare import SEEDS
from keras_recipe.core.config import Config, difference
from keras_recipe.core.errors import RecipeError
from keras_recipe.core.records import Plan, Trial
from keras_recipe.moves import MOVES, candidates, proposals
from keras_recipe.stages.features import importances_of
from keras_recipe.stages.incumbent import Incumbent, affordable, complete, trained
from keras_recipe.stages.judging import decide, expected_gain, verify
from keras_recipe.stages.previews import preview
from keras_recipe.stages.price import before_seconds, savings_of, seconds_of, share_until_stop, simulate
from keras_recipe.stages.screening import given_up, hopeful
from keras_recipe.study import Study, rounds

SHORT = 0.75
"""A move that ends the incumbent's trials after this part of their epochs, or sooner, by their own history, is tried
before all others: it costs less than any of them, and makes each of them cheaper."""

DEAR = 0.1
"""Part of the time that is left above which a move's first trials may take it from one that is expected to bring more:
it is seen what that one takes. On photos of flowers, the last stage of a backbone left no time for all of it."""

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
        cut = Incumbent(config, tuple(study.trials(stage, [(config, study.seeds(1)[0])])), stage)  # from the record
        for name in names:
            reason = "the budget ended while the model itself was trained"
            study.skip(stage, name, reason, expected_gain(study, name, cut), config)
        return config
    preview(study, incumbent, names)
    refused: list[str] = []
    again: list[str] = []
    sooner = [n for n in names if MOVES.option(n, "shortens") and _until_stop(study, incumbent, n) <= SHORT]
    left = [*sooner, *(n for n in names if n not in sooner)]
    while left:
        if MOVES.option(left[0], "keeps") and _short_of_time(study, incumbent, left):
            left.sort(key=lambda n: MOVES.option(n, "keeps"))  # which leaves the others in their order
        name = _next(study, incumbent, left)
        left.remove(name)
        before, incumbent = incumbent.config, _try(study, incumbent, name)
        changed = difference(before, incumbent.config)
        if not changed:
            refused.append(name)
        elif CAPACITY & {*changed}:
            again, refused = [*again, *refused], []
    for name in again:
        incumbent = _try(study, incumbent, name)
    study.listener.trying("")
    return incumbent.config


def _short_of_time(study: Study, incumbent: Incumbent, left: Sequence[str]) -> bool:
    """Whether the budget does not hold what may still help, if all of it were accepted."""
    helpful = [n for n in left if not MOVES.option(n, "keeps")]
    if not helpful:
        return False

    def choose() -> tuple[bool, str]:
        found = [candidates(n, incumbent.config, incumbent.trials[0], study.problem) for n in helpful]
        trials = sum(len(f) + SEEDS[0] - 1 for f in found if f)
        needed, held = trials * incumbent.seconds / study.workers, study.remaining - incumbent.kept
        return (
            needed > held,
            f"{trials} trials of what may help take up to {needed:.0f} s, of {held:.0f} s that are left",
        )

    # By the first of what is left, too: after a few moves, there may be time.
    name = f"smaller models last ({incumbent.config.digest()[:6]}, {left[0]})"
    short: bool = study.plan(incumbent.stage, name, choose).value
    return short


def _next(study: Study, incumbent: Incumbent, left: Sequence[str]) -> str:
    """The first of these moves, unless its first trials leave no time for those of the move that is expected to bring
    most, and more than it: then that one."""
    name, config = left[0], incumbent.config
    if MOVES.option(name, "keeps") or MOVES.option(name, "shortens"):
        return name
    later = {
        n: candidates(n, config, incumbent.trials[0], study.problem, generator=study.generator)
        for n in left
        if n == name or MOVES.option(n, "expect") > MOVES.option(name, "expect")
    }
    first = later.pop(name)
    more = [n for n, proposed in later.items() if proposed]
    if not first or not more:
        return name
    most = max(more, key=lambda n: MOVES.option(n, "expect"))

    def price(move: str, proposed: Sequence[Config]) -> float:
        each = seconds_of(study, move, incumbent, proposed)
        return each * rounds(study, [(c, study.seeds(1)[0]) for c in proposed])

    def choose() -> tuple[bool, str]:
        own, told = price(name, first), name.replace("_", " ")
        if own <= DEAR * (study.remaining - incumbent.kept):
            return False, f"{told} takes little of the time that is left"
        other, held = price(most, later[most]), study.remaining - incumbent.kept
        if held < other or own + other <= held:
            return False, f"{told} takes no time from it that would be enough for it"
        most_told = f"{most.replace('_', ' ')}, which is expected to bring more, {other:.0f} s"
        return True, f"{told} takes {own:.0f} s of {held:.0f} s that are left, {most_told}"

    try:
        sooner: bool = study.plan(incumbent.stage, f"{most} before {name} ({config.digest()[:6]})", choose).value
    except RecipeError:  # which is told when its turn comes
        return name
    return most if sooner else name


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
    study.listener.trying(name)
    known = partial(importances_of, study, incumbent.config, incumbent.trials)
    proposed, why = proposals(name, incumbent.config, incumbent.trials[0], study.problem, known, study.generator)
    savings = savings_of(study, incumbent, proposed) if MOVES.option(name, "keeps") else {}
    what = f"{name}, once more" if again else name
    if not proposed:
        if not again:
            kind = study.problem.signature.kind
            why = why or f"it does not apply to {kind} data with {incumbent.config.model}"
            study.skip(incumbent.stage, name, why, of=incumbent.config)
        return incumbent
    if MOVES.option(name, "keeps"):
        proposed = list(savings)
        if not proposed:
            why = f"it would make {incumbent.config.model} neither smaller nor cheaper"
            study.skip(incumbent.stage, what, why, of=incumbent.config)
            return incumbent
    try:
        proposed = _within_budget(study, name, what, incumbent, proposed)
    except RecipeError as error:  # weights that are damaged, or whose library is missing
        study.skip(incumbent.stage, what, f"it cannot be built: expected {error.expected}", of=incumbent.config)
        return incumbent
    if not proposed:
        why = "not enough of the budget is left"
        study.skip(incumbent.stage, what, why, expected_gain(study, name, incumbent), incumbent.config)
        return incumbent
    pairs = [(candidate, study.seeds(1)[0]) for candidate in proposed]
    if study.missing(pairs) and (why := simulate(study, incumbent, proposed)):
        study.skip(incumbent.stage, name, why, of=incumbent.config)
        return incumbent
    pairs = hopeful(study, incumbent, name, pairs)
    if not pairs:
        return incumbent
    screened = complete(study, incumbent.stage, pairs, incumbent.kept)
    if not screened:
        why = "the budget ended while it was trained"
        study.skip(incumbent.stage, what, why, expected_gain(study, name, incumbent), incumbent.config)
        return incumbent
    tried = list(zip((c for c, _ in pairs), screened, strict=True))
    return _smallest(study, name, incumbent, tried, savings) if savings else _best(study, name, incumbent, tried)


def _within_budget(
    study: Study, name: str, what: str, incumbent: Incumbent, proposed: Sequence[Config]
) -> list[Config]:
    """The candidates whose first trials the budget holds: all, else the first of them, which are the gentler ones.

    One seed may decide, where the budget does not hold more: the interval is wider for it. What is known to be hopeless
    costs nothing more, so that a record is read as it was written, whatever is left of the budget by then.
    """
    key = f"strengths of {what} ({incumbent.config.digest()[:6]}, in {study.budget:.0f} s)"
    known = study.journal.get(Plan, f"plan/{incumbent.stage}/{key}")
    if known is not None:
        return list(proposed[: known.value])
    for count in range(len(proposed), 0, -1):
        some = proposed[:count]
        open_ = [(c, study.seeds(1)[0]) for c in some if not given_up(study, incumbent, name, c)]
        each, before = seconds_of(study, name, incumbent, some), before_seconds(study, incumbent, some)
        if affordable(study, incumbent, open_, each, before):
            if count < len(proposed):
                fewer = count, f"the budget holds no more than {count} of {len(proposed)}"
                study.plan(incumbent.stage, key, lambda found=fewer: found)  # type: ignore[misc]
            return list(some)
    return []


def _best(study: Study, name: str, incumbent: Incumbent, tried: Sequence[tuple[Config, Trial]]) -> Incumbent:
    """Only the best of a move's strengths is worth more seeds; the others are judged on the one that they have."""
    sign = 1.0 if study.problem.objective.higher_is_better else -1.0
    ranked = sorted(tried, key=lambda p: -sign * p[1].score)
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
