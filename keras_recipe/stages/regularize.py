"""Regularize: give up some training score for validation score, one verified move at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keras_recipe.compare import SEEDS, Effect, compare, judge, promising
from keras_recipe.core.config import Config, difference
from keras_recipe.core.records import Decision, Plan, Trial
from keras_recipe.core.spec import Spec
from keras_recipe.moves import MOVES, candidates
from keras_recipe.study import Study, skipped

STAGE = "regularize"


@dataclass(frozen=True)
class Incumbent:
    """The config to beat, with its trials, one a seed."""

    config: Config
    trials: tuple[Trial, ...]


def regularize(study: Study, config: Config, moves: Sequence[str] | None = None) -> Config:
    """Try every move in the recipe's order and keep those that are better than noise.

    Args:
        study: the trials so far.
        config: the config that fits the training split.
        moves: names of the moves to try; None for all, () for none.
    """
    names = MOVES.of_stage(STAGE) if moves is None else [n for n in MOVES.of_stage(STAGE) if n in moves]
    if not names:
        return config
    incumbent = _incumbent(study, config)
    for name in names:
        if incumbent is None:
            _skip(study, name, "not enough of the budget is left for more seeds of the model itself")
            continue
        incumbent = _try(study, incumbent, name)
    return incumbent.config if incumbent else config


def _incumbent(study: Study, config: Config) -> Incumbent | None:
    """The config under all seeds; None where the budget does not hold them."""
    pairs = [(config, seed) for seed in study.seeds(SEEDS[0])]
    first = study.trials(STAGE, pairs[:1])
    if first[0].stopped == "budget" or not _affordable(study, first, pairs):
        return None
    trials = _complete(study, pairs)
    return Incumbent(config, trials) if trials else None


def _try(study: Study, incumbent: Incumbent, name: str) -> Incumbent:
    proposed = candidates(name, incumbent.config, incumbent.trials[0], study.problem)
    if not proposed:
        _skip(study, name, f"it does not apply to {study.problem.signature.kind} data with {incumbent.config.model}")
        return incumbent
    pairs = [(candidate, study.seeds(1)[0]) for candidate in proposed]
    # A move that could not be given its other seeds would be paid for in vain.
    in_full = [*pairs, *((proposed[0], seed) for seed in study.seeds(SEEDS[0])[1:])]
    if not _affordable(study, incumbent.trials, in_full, _dearer(study, name, incumbent.config, proposed)):
        _skip(study, name, "not enough of the budget is left")
        return incumbent
    screened = _complete(study, pairs)
    if not screened:
        _skip(study, name, "the budget ended while it was trained")
        return incumbent
    # Only the best of a move's strengths is worth more seeds; the others are judged on the one that they have.
    ranked = sorted(zip(proposed, screened, strict=True), key=lambda p: p[1].score, reverse=True)
    if not study.problem.objective.higher_is_better:
        ranked.reverse()
    best, trial = ranked[0]
    for candidate, result in ranked[1:]:
        _decide(study, name, incumbent, candidate, (result,), stopped="another strength of this move did better")
    return _verify(study, name, incumbent, best, trial)


def _verify(study: Study, name: str, incumbent: Incumbent, candidate: Config, first: Trial) -> Incumbent:
    """Judge a screened candidate: by one seed where that brought nothing, else by as many as it takes."""
    if not promising(study.gains(incumbent.trials), study.gains((first,))[0]):
        _decide(
            study,
            name,
            incumbent,
            candidate,
            (first,),
            stopped="its first seed does not beat the mean of the seeds before it: stopped there",
        )
        return incumbent
    old: tuple[Trial, ...] = incumbent.trials
    new: tuple[Trial, ...] = (first,)

    def gains(count: int) -> tuple[np.ndarray, np.ndarray] | None:
        nonlocal old, new
        seeds = study.seeds(count)
        pairs = [(c, s) for s in seeds for c in (incumbent.config, candidate)]
        if not _affordable(study, (*old, first), pairs) or _complete(study, pairs) is None:
            return None
        old = max(old, tuple(study.trials(STAGE, [(incumbent.config, s) for s in seeds])), key=len)
        new = tuple(study.trials(STAGE, [(candidate, s) for s in seeds]))
        return study.gains(old), study.gains(new)

    judge(study.problem.objective.metric, gains)
    stopped = "not enough of the budget is left for more seeds" if len(new) == 1 else ""
    incumbent = Incumbent(incumbent.config, old)
    if _decide(study, name, incumbent, candidate, new, stopped).accepted:
        study.forget_weights(incumbent.trials)
        return Incumbent(candidate, new)
    return incumbent


def effect(study: Study, incumbent: Incumbent, trials: Sequence[Trial]) -> Effect:
    """What the candidate's trials gain over the incumbent's."""
    return compare(study.problem.objective.metric, study.gains(incumbent.trials), study.gains(trials))


def _decide(
    study: Study, name: str, incumbent: Incumbent, candidate: Config, trials: Sequence[Trial], stopped: str = ""
) -> Decision:
    key = f"decision/{name}/{incumbent.config.digest()}/{candidate.digest()}"

    def judge() -> Decision:
        found = effect(study, incumbent, trials)
        accepted = found.better and not stopped
        shared = incumbent.trials[: len(trials)]
        return Decision(
            key=key,
            stage=STAGE,
            move=name,
            description=MOVES.describe(name),
            before=incumbent.config.digest(),
            after=candidate.digest(),
            change={k: list(v) for k, v in difference(incumbent.config, candidate).items()},
            config=candidate.leaves(),
            before_score=sum(t.score for t in shared) / len(shared),
            after_score=sum(t.score for t in trials) / len(trials),
            effect=found.gain,
            low=found.low,
            high=found.high,
            seeds=found.seeds,
            accepted=accepted,
            reason=stopped or _reason(found),
            seconds=sum(t.seconds for t in trials),
        )

    decision = study.memo(Decision, key, judge)
    if not decision.accepted:
        study.forget_weights(trials)
    return decision


def _reason(found: Effect) -> str:
    if found.better:
        return "better than noise"
    return "worse than noise" if found.worse else "not better than noise"


def _complete(study: Study, pairs: Sequence[tuple[Config, int]]) -> tuple[Trial, ...] | None:
    """The trials of these pairs, None where the budget cut one of them short."""
    try:
        trials = study.trials(STAGE, pairs)
    except TimeoutError:
        return None
    return None if any(t.stopped == "budget" for t in trials) else tuple(trials)


def _affordable(study: Study, like: Sequence[Trial], pairs: Sequence[tuple[Config, int]], seconds: float = 0.0) -> bool:
    """Whether those of the pairs that are not recorded yet fit into what is left.

    They are taken to last as long as the slowest of `like`, or `seconds` if that is longer.
    """
    rounds = -(-len(study.missing(pairs)) // study.workers)
    return rounds == 0 or rounds * max(seconds, *(t.seconds for t in like)) <= study.remaining


def _dearer(study: Study, name: str, config: Config, proposed: Sequence[Config]) -> float:
    """Seconds of a trial of the dearest candidate, measured where it may cost a hundred times what the incumbent costs.

    That is so where a frozen backbone thaws, or sees other pictures in every epoch. 0 elsewhere.
    """
    changed = [
        c
        for c in proposed
        if Spec.parse(c.model).name == "backbone" and (c.model, c.augmentation) != (config.model, config.augmentation)
    ]
    if not changed:
        return 0.0
    dearest = changed[-1]  # moves go from gentle to aggressive

    def choose() -> tuple[float, str]:
        from keras_recipe.training import seconds_an_epoch

        an_epoch = seconds_an_epoch(study.learner, dearest)
        return round(an_epoch * dearest.epochs, 1), f"{dearest.epochs} epochs of {an_epoch:.2g} s"

    what = f"seconds of a trial of {name.replace('_', ' ')} ({dearest.digest()[:6]})"
    seconds: float = study.plan(STAGE, what, choose).value
    return seconds


def _skip(study: Study, name: str, reason: str) -> None:
    record = skipped(STAGE, name, reason)
    study.memo(Plan, record.key, lambda: record)
