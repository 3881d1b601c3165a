"""The climb: one change at a time, each verified, starting from what was accepted before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from keras_recipe.compare import (
    SEEDS,
    Effect,
    allowed_loss,
    compare,
    in_unit,
    judge,
    promising,
    score_interval,
)
from keras_recipe.core.config import Config, difference
from keras_recipe.core.records import Decision, Plan, Trial
from keras_recipe.core.spec import Spec
from keras_recipe.moves import MOVES, candidates
from keras_recipe.objectives import written
from keras_recipe.stages.features import importances_of
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
        anchor: trials of the last config that had to be better to be accepted; () where that is this one.
    """

    config: Config
    trials: tuple[Trial, ...]
    stage: str
    kept: float = 0.0
    anchor: tuple[Trial, ...] = ()

    @property
    def reference(self) -> tuple[Trial, ...]:
        """What a smaller model may lose so much of, and no more, however many moves make it smaller: losses that are
        allowed one after the other would add up (D'Agostino, Massaro & Sullivan, 2003, call it biocreep)."""
        return self.anchor or self.trials


def climb(study: Study, config: Config, stage: str, moves: Sequence[str] | None = None, kept: float = 0.0) -> Config:
    """Try every move of a stage in the recipe's order and keep those that are better than noise, and of those that make
    the model smaller also those that are not worse.

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
    better = _round(study, incumbent, name)
    while better.config != incumbent.config and MOVES.has(name, "again"):
        incumbent = better
        better = _round(study, incumbent, name, again=True)
    return better


def _round(study: Study, incumbent: Incumbent, name: str, again: bool = False) -> Incumbent:
    """One proposal of a move, judged."""
    known = partial(importances_of, study, incumbent.config, incumbent.trials)
    proposed = candidates(name, incumbent.config, incumbent.trials[0], study.problem, known)
    savings = _savings(study, incumbent, proposed) if MOVES.has(name, "keeps") else {}
    what = f"{name}, once more" if again else name
    if not proposed:
        if not again:
            kind = study.problem.signature.kind
            _skip(study, incumbent.stage, name, f"it does not apply to {kind} data with {incumbent.config.model}")
        return incumbent
    if MOVES.has(name, "keeps"):
        proposed = list(savings)
        if not proposed:
            _skip(study, incumbent.stage, what, f"it would make {incumbent.config.model} neither smaller nor cheaper")
            return incumbent
    pairs = [(candidate, study.seeds(1)[0]) for candidate in proposed]
    # One seed may decide, where the budget does not hold more: the interval is wider for it.
    if not _affordable(study, incumbent, pairs, _cost(study, name, incumbent, proposed)):
        _skip(study, incumbent.stage, what, "not enough of the budget is left")
        return incumbent
    pairs = _hopeful(study, incumbent, name, pairs)
    if not pairs:
        return incumbent
    screened = _complete(study, incumbent.stage, pairs)
    if not screened:
        _skip(study, incumbent.stage, what, "the budget ended while it was trained")
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
            _decide(study, name, incumbent, candidate, (trial,), stopped="a smaller candidate of this move was kept")
            continue
        kept = _verify(study, name, incumbent, candidate, trial, savings[candidate])
        if kept.config == incumbent.config:
            incumbent = kept  # it may have got more seeds
    return kept


def _verify(
    study: Study, name: str, incumbent: Incumbent, candidate: Config, first: Trial, saving: str = ""
) -> Incumbent:
    """Judge a screened candidate: by one seed where that brought nothing, else by as many as it takes.

    With a `saving`, in words, it need not be better than the incumbent, only not worse, see `compare.MARGIN`.
    """
    metric, reference = study.problem.objective.metric, study.gains(incumbent.reference)
    loss = allowed_loss(metric, reference) if saving else 0.0
    if not promising(reference if saving else study.gains(incumbent.trials), study.gains((first,))[0], loss):
        few = (
            "its first seed loses more than it may"
            if saving
            else "its first seed does not beat the mean of the seeds before it"
        )
        _decide(study, name, incumbent, candidate, (first,), stopped=f"{few}: stopped there")
        return incumbent
    margin = in_unit(metric, reference, loss)
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
        judge(metric, gains, margin)
    incumbent = replace(incumbent, trials=old)
    decision = _decide(study, name, incumbent, candidate, new, "", saving, margin)
    if not decision.accepted:
        return incumbent
    study.forget_weights(incumbent.trials)
    anchor = incumbent.reference if decision.low <= 0 else ()
    return replace(incumbent, config=candidate, trials=new, anchor=anchor)


def _savings(study: Study, incumbent: Incumbent, proposed: Sequence[Config]) -> dict[Config, str]:
    """Candidates that are smaller or cheaper than the incumbent, the cheapest first, with what they save in words."""
    if not proposed:
        return {}
    from keras_recipe.models import create
    from keras_recipe.models.cost import cost

    own = cost(create(incumbent.config.model, study.problem))
    costs = {c: cost(create(c.model, study.problem)) for c in proposed}
    ranked = sorted(costs, key=lambda c: (costs[c].multiply_adds, costs[c].weights, costs[c].inputs))
    return {c: costs[c].less(own) for c in ranked if costs[c].less(own)}


def effect(study: Study, incumbent: Incumbent, trials: Sequence[Trial]) -> Effect:
    """What the candidate's trials gain over the incumbent's."""
    return compare(study.problem.objective.metric, study.gains(incumbent.trials), study.gains(trials))


def _decide(
    study: Study,
    name: str,
    incumbent: Incumbent,
    candidate: Config,
    trials: Sequence[Trial],
    stopped: str = "",
    saving: str = "",
    margin: float = 0.0,
) -> Decision:
    key = f"decision/{name}/{incumbent.config.digest()}/{candidate.digest()}"

    def judge() -> Decision:
        found = effect(study, incumbent, trials)
        keeps = bool(saving) and found.keeps(margin) and _since_anchor(study, incumbent, trials).keeps(margin)
        accepted = (found.better or keeps) and not stopped
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
            reason=stopped or (_reason_to_keep(study, found, keeps, margin, saving) if saving else _reason(found)),
            seconds=sum(t.seconds - t.inherited_seconds for t in trials),
            margin=margin,
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


def _reason_to_keep(study: Study, found: Effect, keeps: bool, margin: float, saving: str) -> str:
    allowed = f"{margin * 100:.2g} points" if study.problem.objective.higher_is_better else f"{margin:.3g}"
    if found.better:
        return f"better than noise, and {saving}"
    if keeps:
        return f"not worse by {allowed}, a tenth of the error, and {saving}"
    return "worse than noise" if found.worse else f"{saving}, but a loss of {allowed} or more cannot be ruled out"


def _since_anchor(study: Study, incumbent: Incumbent, trials: Sequence[Trial]) -> Effect:
    """What the candidate's trials gain over the config that smaller models are measured against."""
    reference = incumbent.reference
    return compare(study.problem.objective.metric, study.gains(reference), study.gains(trials[: len(reference)]))


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
