"""A candidate against the incumbent: better than noise, or, where it is smaller, not worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from keras_recipe.compare import (
    Effect,
    allowed_loss,
    compare,
    in_unit,
    judge,
    promising,
)
from keras_recipe.core.config import Config, difference
from keras_recipe.core.records import Decision, Trial
from keras_recipe.moves import MOVES
from keras_recipe.stages.incumbent import Incumbent, affordable, complete
from keras_recipe.study import Study

DIVERGED = "its training diverged: what it predicts then is a guess"


def verify(
    study: Study, name: str, incumbent: Incumbent, candidate: Config, first: Trial, saving: str = ""
) -> Incumbent:
    """Judge a screened candidate: by one seed where that brought nothing, else by as many as it takes.

    With a `saving`, in words, it need not be better than the incumbent, only not worse, see `compare.MARGIN`.
    """
    metric, reference = study.problem.objective.metric, study.gains(incumbent.reference)
    loss = allowed_loss(metric, reference) if saving else None
    margin = in_unit(metric, reference, loss or 0.0)
    if not promising(reference if saving else study.gains(incumbent.trials), study.gains((first,))[0], loss):
        few = (
            "its first seed loses more than it may"
            if saving
            else "its first seed does not beat the mean of the seeds before it"
        )
        decide(study, name, incumbent, candidate, (first,), f"{few}: stopped there", saving, margin)
        return incumbent
    if first.stopped == "diverged":
        decide(study, name, incumbent, candidate, (first,), DIVERGED, saving, margin)
        return incumbent
    old: tuple[Trial, ...] = incumbent.trials
    new: tuple[Trial, ...] = (first,)

    def gains(count: int) -> tuple[np.ndarray, np.ndarray] | None:
        nonlocal old, new
        sides = [[(c, s) for s in study.seeds(count)] for c in (incumbent.config, candidate)]
        own = incumbent.seconds if study.missing(sides[0]) else 0.0
        each = max(own, first.own_seconds if first.inherited_seconds else first.again_seconds)
        if not affordable(study, incumbent, [*sides[0], *sides[1]], each):
            return None
        # The incumbent first: a candidate may go on from its last epoch.
        trials = [complete(study, incumbent.stage, pairs, incumbent.kept) for pairs in sides]
        if trials[0] is None or trials[1] is None:
            return None
        old, new = max(old, trials[0], key=len), trials[1]
        return study.gains(old), study.gains(new)

    if len(old) > 1:
        judge(metric, gains, margin)
    incumbent = replace(incumbent, trials=old)
    stopped = DIVERGED if any(t.stopped == "diverged" for t in new) else ""
    decision = decide(study, name, incumbent, candidate, new, stopped, saving, margin)
    if not decision.accepted:
        return incumbent
    study.forget_weights(incumbent.trials)
    anchor = incumbent.reference if decision.low <= 0 else ()
    return replace(incumbent, config=candidate, trials=new, anchor=anchor)


def decide(
    study: Study,
    name: str,
    incumbent: Incumbent,
    candidate: Config,
    trials: Sequence[Trial],
    stopped: str = "",
    saving: str = "",
    margin: float = 0.0,
) -> Decision:
    """The recorded decision about a candidate; what loses gives its disk space back.

    Args:
        study, name, incumbent, candidate: what is tried against what, by which move.
        trials: of the candidate.
        stopped: why it is refused whatever its trials say; "" for what they say.
        saving: what a smaller model saves, in words; it need not be better then.
        margin: loss that does not count for it, in the objective's unit.
    """
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
            seconds=sum(t.own_seconds for t in trials),
            margin=margin,
            expected=expected_gain(study, name, incumbent),
        )

    decision = study.memo(Decision, key, judge)
    if not decision.accepted:
        study.forget_weights(trials)
    return decision


def expected_gain(study: Study, name: str, incumbent: Incumbent) -> float | None:
    """The gain that the move has announced, in the objective's unit."""
    share = MOVES.option(name, "expect")
    if not share:
        return None
    return expected_of(study, share, sum(t.score for t in incumbent.trials) / len(incumbent.trials))


def expected_of(study: Study, share: float, score: float) -> float:
    """The gain of whatever takes this part of the error away, in the objective's unit."""
    return share * (1.0 - score if study.problem.objective.higher_is_better else score)


def effect(study: Study, incumbent: Incumbent, trials: Sequence[Trial]) -> Effect:
    """What the candidate's trials gain over the incumbent's."""
    return compare(study.problem.objective.metric, study.gains(incumbent.trials), study.gains(trials))


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
        return (
            f"not worse by {allowed}, a twentieth of the error, and {saving}"
            if margin
            else f"nothing is lost, and {saving}"
        )
    return "worse than noise" if found.worse else f"{saving}, but a loss of {allowed} or more cannot be ruled out"


def _since_anchor(study: Study, incumbent: Incumbent, trials: Sequence[Trial]) -> Effect:
    """What the candidate's trials gain over the config that smaller models are measured against."""
    reference = incumbent.reference
    return compare(study.problem.objective.metric, study.gains(reference), study.gains(trials[: len(reference)]))
