"""The climb: one change at a time, each verified, starting from what was accepted before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from keras_recipe.compare import SEEDS, Effect, compare, judge, promising
from keras_recipe.core.config import Config, difference
from keras_recipe.core.records import Decision, Plan, Trial
from keras_recipe.core.spec import Spec
from keras_recipe.moves import MOVES, candidates
from keras_recipe.study import Study, rounds, skipped


@dataclass(frozen=True)
class Incumbent:
    """The config to beat.

    Attributes:
        config: the last one that was accepted.
        trials: of it, one a seed.
        stage: that climbs.
        kept: seconds of the budget that are for the stages behind it.
    """

    config: Config
    trials: tuple[Trial, ...]
    stage: str
    kept: float = 0.0


def climb(study: Study, config: Config, stage: str, moves: Sequence[str] | None = None, kept: float = 0.0) -> Config:
    """Try every move of a stage in the recipe's order and keep those that are better than noise.

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
    for name in names:
        if incumbent is None:
            _skip(study, stage, name, "not enough of the budget is left for more seeds of the model itself")
            continue
        incumbent = _try(study, incumbent, name)
    return incumbent.config if incumbent else config


def trained(study: Study, config: Config, stage: str, kept: float = 0.0) -> Incumbent | None:
    """The config under all seeds; None where the budget does not hold them."""
    pairs = [(config, seed) for seed in study.seeds(SEEDS[0])]
    first = study.trials(stage, pairs[:1])
    if first[0].stopped == "budget" or not _affordable(study, Incumbent(config, tuple(first), stage, kept), pairs):
        return None
    trials = _complete(study, stage, pairs)
    return Incumbent(config, trials, stage, kept) if trials else None


def _try(study: Study, incumbent: Incumbent, name: str) -> Incumbent:
    proposed = candidates(name, incumbent.config, incumbent.trials[0], study.problem)
    if not proposed:
        _skip(
            study,
            incumbent.stage,
            name,
            f"it does not apply to {study.problem.signature.kind} data with {incumbent.config.model}",
        )
        return incumbent
    pairs = [(candidate, study.seeds(1)[0]) for candidate in proposed]
    # A move that could not be given its other seeds would be paid for in vain.
    in_full = [*pairs, *((proposed[0], seed) for seed in study.seeds(SEEDS[0])[1:])]
    if not _affordable(study, incumbent, in_full, _dearer(study, name, incumbent, proposed)):
        _skip(study, incumbent.stage, name, "not enough of the budget is left")
        return incumbent
    screened = _complete(study, incumbent.stage, pairs)
    if not screened:
        _skip(study, incumbent.stage, name, "the budget ended while it was trained")
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
        if not _affordable(study, replace(incumbent, trials=(*old, first)), pairs):
            return None
        if _complete(study, incumbent.stage, pairs) is None:
            return None
        old = max(old, tuple(study.trials(incumbent.stage, [(incumbent.config, s) for s in seeds])), key=len)
        new = tuple(study.trials(incumbent.stage, [(candidate, s) for s in seeds]))
        return study.gains(old), study.gains(new)

    judge(study.problem.objective.metric, gains)
    stopped = "not enough of the budget is left for more seeds" if len(new) == 1 else ""
    incumbent = replace(incumbent, trials=old)
    if _decide(study, name, incumbent, candidate, new, stopped).accepted:
        study.forget_weights(incumbent.trials)
        return replace(incumbent, config=candidate, trials=new)
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
            stage=incumbent.stage,
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


def _complete(study: Study, stage: str, pairs: Sequence[tuple[Config, int]]) -> tuple[Trial, ...] | None:
    """The trials of these pairs, None where the budget cut one of them short."""
    try:
        trials = study.trials(stage, pairs)
    except TimeoutError:
        return None
    return None if any(t.stopped == "budget" for t in trials) else tuple(trials)


def _affordable(study: Study, incumbent: Incumbent, pairs: Sequence[tuple[Config, int]], seconds: float = 0.0) -> bool:
    """Whether those of the pairs that are not recorded yet fit into what is left for this stage.

    They are taken to last as long as the slowest of the incumbent's trials, or `seconds` if that is longer.
    """
    count = rounds(study, pairs)
    longest = max(seconds, *(t.seconds for t in incumbent.trials))
    return count == 0 or count * longest <= study.remaining - incumbent.kept


def _dearer(study: Study, name: str, incumbent: Incumbent, proposed: Sequence[Config]) -> float:
    """Seconds of a trial of the dearest candidate, where it costs more than the incumbent does; 0 elsewhere.

    A longer run costs more in proportion. Where a frozen backbone thaws, or sees other pictures in every epoch, it may
    cost a hundred times more: that is measured.
    """
    config = incumbent.config
    longest = max(c.epochs for c in proposed)
    if longest > config.epochs:
        return max(t.seconds for t in incumbent.trials) * longest / config.epochs
    if proposed[0].more_data != config.more_data:
        sizes = [len(study.learner.rows(c, 0)) for c in (proposed[0], config)]
        return max(t.seconds for t in incumbent.trials) * sizes[0] / sizes[1]
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

    # What an augmentation costs is the forward passes that it asks for, which are those of any other.
    augmented = dearest.model == config.model
    which = dearest.replace(augmentation="") if augmented else dearest
    what = f"seconds of a trial of {'an augmentation' if augmented else name.replace('_', ' ')} ({which.digest()[:6]})"
    seconds: float = study.plan(incumbent.stage, what, choose).value
    return seconds


def _skip(study: Study, stage: str, name: str, reason: str) -> None:
    record = skipped(stage, name, reason)
    study.memo(Plan, record.key, lambda: record)
