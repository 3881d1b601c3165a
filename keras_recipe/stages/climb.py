"""The climb: one change at a time, each verified, starting from what was accepted before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from keras_recipe.compare import SEEDS, Effect, compare, judge, promising, score_interval
from keras_recipe.core.config import Config, difference
from keras_recipe.core.records import Decision, Plan, Trial
from keras_recipe.core.spec import Spec
from keras_recipe.moves import MOVES, candidates
from keras_recipe.objectives import written
from keras_recipe.study import Study, skipped

CAPACITY = frozenset({"model", "model.width", "model.depth", "model.train"})
"""Leaves after whose change a move that was refused may help: moves interact, and what a small network does not need
may save a large one. Each is tried once more, at the end."""

SCREENING = 4
"""A candidate's first trial pauses after this part of its epochs, and goes on if it is not hopeless."""

HOPELESS = 3.0
"""How often a candidate must be further behind then than the incumbent still had to go, to be hopeless. What
regularizes slows learning down, so that being behind alone says little."""


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
    incumbent = _incumbent(study, config, stage, kept)
    if incumbent is None:
        for name in names:
            _skip(study, stage, name, "the budget ended while the model itself was trained")
        return config
    refused: list[str] = []
    again: list[str] = []
    for name in names:
        before, incumbent = incumbent.config, _try(study, incumbent, name)
        changed = difference(before, incumbent.config)
        if not changed:
            refused.append(name)
        elif CAPACITY & {*changed}:
            again, refused = [*again, *refused], []
    for name in again:
        incumbent = _try(study, incumbent, name)
    return incumbent.config


def _incumbent(study: Study, config: Config, stage: str, kept: float) -> Incumbent | None:
    """The config under three seeds, or under one where the budget does not hold those and a move's; None where it was
    cut short itself."""
    pairs = [(config, seed) for seed in study.seeds(SEEDS[0])]
    alone = Incumbent(config, tuple(study.trials(stage, pairs[:1])), stage, kept)
    if alone.trials[0].stopped == "budget":
        return None

    def choose() -> tuple[int, str]:
        seconds = alone.trials[0].seconds
        held = int((study.remaining - kept) / seconds) * study.workers
        enough = held >= len(study.missing(pairs)) + SEEDS[0]  # its own seeds, and those of one move at least
        return SEEDS[0] if enough else 1, f"one takes {seconds:.0f} s, and the budget holds {held} more"

    if study.plan(stage, f"seeds behind a decision ({config.digest()[:6]})", choose).value == 1:
        return alone
    trials = _complete(study, stage, pairs)
    return Incumbent(config, trials, stage, kept) if trials else alone


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
    # One seed may decide, where the budget does not hold more: the interval is wider for it.
    if not _affordable(study, incumbent, pairs, _cost(study, name, incumbent, proposed)):
        _skip(study, incumbent.stage, name, "not enough of the budget is left")
        return incumbent
    pairs = _hopeful(study, incumbent, name, pairs)
    if not pairs:
        return incumbent
    screened = _complete(study, incumbent.stage, pairs)
    if not screened:
        _skip(study, incumbent.stage, name, "the budget ended while it was trained")
        return incumbent
    # Only the best of a move's strengths is worth more seeds; the others are judged on the one that they have.
    ranked = sorted(zip((c for c, _ in pairs), screened, strict=True), key=lambda p: p[1].score, reverse=True)
    if not study.problem.objective.higher_is_better:
        ranked.reverse()
    best, trial = ranked[0]
    for candidate, result in ranked[1:]:
        _decide(study, name, incumbent, candidate, (result,), stopped="another strength of this move did better")
    return _verify(study, name, incumbent, best, trial)


def _hopeful(
    study: Study, incumbent: Incumbent, name: str, pairs: Sequence[tuple[Config, int]]
) -> list[tuple[Config, int]]:
    """Those of the pairs that may still win, by the validation scores of the first epochs of their trials."""
    kept = []
    sign = 1.0 if study.problem.objective.higher_is_better else -1.0
    for part in (pairs[i : i + study.workers] for i in range(0, len(pairs), study.workers)):
        epochs = max(1, min(c.epochs for c, _ in part) // SCREENING)
        for (config, seed), scores in zip(part, study.begun(incumbent.stage, part, epochs), strict=True):
            behind = _behind(study, incumbent, [sign * s for s in scores])
            if behind is None:
                kept.append((config, seed))
                continue
            reason = f"hopeless after {len(scores)} of {config.epochs} epochs: {behind}"
            key = f"skip/{incumbent.stage}/{name}/{incumbent.config.digest()}/{config.digest()}"
            change = {leaf: list(v) for leaf, v in difference(incumbent.config, config).items()}
            study.memo(Plan, key, lambda k=key, c=change, r=reason: Plan(k, incumbent.stage, name, c, r))  # type: ignore[misc]
            study.discard(config, seed)
    return kept


def _behind(study: Study, incumbent: Incumbent, scores: Sequence[float]) -> str | None:
    """How far behind the incumbent these first scores are (higher being better), where that is hopeless."""
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
    if then - scores[at] <= HOPELESS * to_go:
        return None
    return f"{written(metric, sign * scores[at])}, where the model before it had {written(metric, sign * then)}"


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
        own = max((t.seconds for t in old if study.missing(pairs[::2])), default=0.0)
        if not _affordable(study, incumbent, pairs, max(own, first.seconds - first.inherited_seconds)):
            return None
        if _complete(study, incumbent.stage, pairs) is None:
            return None
        old = max(old, tuple(study.trials(incumbent.stage, [(incumbent.config, s) for s in seeds])), key=len)
        new = tuple(study.trials(incumbent.stage, [(candidate, s) for s in seeds]))
        return study.gains(old), study.gains(new)

    if len(old) > 1:
        judge(study.problem.objective.metric, gains)
    incumbent = replace(incumbent, trials=old)
    if _decide(study, name, incumbent, candidate, new).accepted:
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
            seconds=sum(t.seconds - t.inherited_seconds for t in trials),
        )

    decision = study.memo(Decision, key, judge)
    if not decision.accepted:
        study.forget_weights(trials)
    return decision


def _reason(found: Effect) -> str:
    """The verdict in words."""
    seeds = "" if found.seeds > 1 else ", on the one seed that the budget holds"
    if found.better:
        return f"better than noise{seeds}"
    return f"worse than noise{seeds}" if found.worse else f"not better than noise{seeds}"


def _complete(study: Study, stage: str, pairs: Sequence[tuple[Config, int]]) -> tuple[Trial, ...] | None:
    """The trials of these pairs, None where the budget cut one of them short."""
    try:
        trials = study.trials(stage, pairs)
    except TimeoutError:
        return None
    return None if any(t.stopped == "budget" for t in trials) else tuple(trials)


def _affordable(study: Study, incumbent: Incumbent, pairs: Sequence[tuple[Config, int]], seconds: float) -> bool:
    """Whether those of the pairs that are not recorded yet, of so many seconds each, fit into what is left for this
    stage."""
    rounds = -(-len(study.missing(pairs)) // study.workers)
    return rounds == 0 or rounds * seconds <= study.remaining - incumbent.kept


def _cost(study: Study, name: str, incumbent: Incumbent, proposed: Sequence[Config]) -> float:
    """Seconds of a trial of the dearest candidate: no less than one of the incumbent, as a rule.

    A longer run costs more in proportion, one that goes on from the incumbent's last epoch what it adds. Where a frozen
    backbone thaws, or sees other pictures in every epoch, it may cost a hundred times more: that is measured.
    """
    config, longest = incumbent.config, max(t.seconds for t in incumbent.trials)
    if all(c.begins_with(config) for c in proposed):
        return longest * max(c.all_epochs / config.all_epochs - 1.0 for c in proposed)
    longer = max(c.all_epochs for c in proposed)
    if longer > config.all_epochs:
        return longest * longer / config.all_epochs
    changed = [
        c
        for c in proposed
        if Spec.parse(c.model).name == "backbone" and (c.model, c.augmentation) != (config.model, config.augmentation)
    ]
    if not changed:
        return longest
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
    return max(seconds, longest)


def _skip(study: Study, stage: str, name: str, reason: str) -> None:
    record = skipped(stage, name, reason)
    study.memo(Plan, record.key, lambda: record)
