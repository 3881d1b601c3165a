"""Squeeze: what is left to gain from longer training, and from several models."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from keras_recipe import objectives
from keras_recipe.compare import SEEDS, Effect, compare_average
from keras_recipe.core.config import Config
from keras_recipe.core.records import CheckRun, Decision, Trial
from keras_recipe.core.wording import plural
from keras_recipe.moves.pretraining import is_fine_tuned
from keras_recipe.schedules import schedule
from keras_recipe.stages.climb import climb
from keras_recipe.stages.judging import expected_of
from keras_recipe.study import Study

SHARE = 0.25
"""Part of the budget that the stages before it leave."""

MEMBERS = 5
"""Models of an ensemble at most: more of them bring little, and each costs its time for every prediction."""

ENSEMBLE = "ensemble"
"""Name of its decision."""

EXPECT = 0.05
"""Part of the error that it is expected to take away, as a move's `expect`."""


def squeeze(study: Study, config: Config, moves: Sequence[str] | None = None) -> Config:
    """Let the rate fall, and leave it training for longer, where that is better than noise.

    Where a rate falls, it must not have been spent before the loss had settled: that is looked at in its first trial.
    """
    chosen = climb(study, config, "squeeze", moves)
    if chosen.schedule or is_fine_tuned(chosen):
        for trial in trials_of(study, chosen)[:1]:
            _look_at_the_rate(study, trial)
    return chosen


def _look_at_the_rate(study: Study, trial: Trial) -> None:
    """Compare the rate of a trial with its training loss, see `schedules`."""

    def look() -> CheckRun:
        from keras_recipe.training import rates

        began = time.monotonic()
        found = schedule(rates(study.learner, Config.from_leaves(trial.config), trial.epochs), trial.history["loss"])
        what = "The learning rate must last until the loss has settled."
        return CheckRun(key, "squeeze", "learning_rate_lasts", what, (found,), time.monotonic() - began)

    key = f"check/squeeze/learning_rate_lasts/{trial.digest}"
    study.memo(CheckRun, key, look)


def ensemble(study: Study, config: Config, moves: Sequence[str] | None = None) -> tuple[Trial, ...]:
    """The trials of the final config that become the model: all of its seeds, and as many more as the budget still
    holds where their average is ahead of them at all, if the average of all of them is better than noise. Judged once.

    Lakshminarayanan et al., 2017, section 2.4: networks that differ in their seeds alone. The best of them, by
    validation score, where it is not.
    """
    trials = _candidates(study, config)
    if moves is not None and ENSEMBLE not in moves:
        return (best_trial(study, trials),)
    for choose in (_enough, _more):
        count = choose(study, config, trials[:MEMBERS])
        if count > len(trials):
            with suppress(TimeoutError):  # what was trained until then is recorded
                study.trials("squeeze", [(config, seed) for seed in study.seeds(count)], whole=True)
            trials = _candidates(study, config)
        if len(trials) < SEEDS[0]:
            why = (
                f"{plural(len(trials), 'seed')} of the final model are trained, and the budget does not hold {SEEDS[0]}"
            )
            study.skip("squeeze", ENSEMBLE, why, of=config)
            return (best_trial(study, trials),)
    members = tuple(trials[:MEMBERS])
    return members if _decide(study, config, members).accepted else (best_trial(study, trials),)


def _candidates(study: Study, config: Config) -> list[Trial]:
    """Trials of the config that may be the model, by seed: those that the budget has cut off only where all are."""
    known = [t for t in trials_of(study, config) if t.stopped != "diverged"]
    return [t for t in known if t.stopped != "budget"] or known


def _enough(study: Study, config: Config, members: Sequence[Trial]) -> int:
    """Seeds that it takes to tell whether their average is ahead, as many of them as the rest of the budget holds."""
    if len(members) >= SEEDS[0]:
        return len(members)

    def choose() -> tuple[int, str]:
        count, reason = _held(study, members, SEEDS[0])
        return (count if count >= SEEDS[0] else len(members)), reason  # two are no more of an ensemble than one

    what = f"seeds for an ensemble ({config.digest()[:6]}, in {study.budget:.0f} s)"
    found: int = study.plan("squeeze", what, choose).value
    return found


def _more(study: Study, config: Config, members: Sequence[Trial]) -> int:
    """Seeds that the rest of the budget holds, those that are trained already included, where these are ahead."""

    def choose() -> tuple[int, str]:
        if _gain(study, members).gain <= 0:
            return len(members), "the average of those that are trained is not ahead of them"
        return _held(study, members, MEMBERS)

    what = f"members of the ensemble ({config.digest()[:6]}, in {study.budget:.0f} s)"
    found: int = study.plan("squeeze", what, choose).value
    return found


def _held(study: Study, members: Sequence[Trial], most: int) -> tuple[int, str]:
    """As many seeds as the rest of the budget holds, and why."""
    longest = max(t.again_seconds for t in members)
    count = min(most, len(members) + int(study.remaining / longest) * study.workers)
    return count, f"{len(members)} are trained, another takes {longest:.0f} s"


def best_trial(study: Study, trials: Sequence[Trial]) -> Trial:
    """That with the best validation score; the first seed among equals."""
    sign = 1 if study.problem.objective.higher_is_better else -1
    return max(trials, key=lambda t: (sign * t.score, -t.seed))


def together(study: Study, members: Sequence[Trial]) -> np.ndarray:
    """What the members predict for the validation split together: the mean of their probabilities or targets."""
    return np.mean([study.predictions(t) for t in members], axis=0, dtype="float64").astype("float32")


def trials_of(study: Study, config: Config) -> list[Trial]:
    """Finished trials of the config, by seed."""
    known = [r for r in study.journal if isinstance(r, Trial) and r.digest == config.digest()]
    return sorted(known, key=lambda t: t.seed)


def _gain(study: Study, members: Sequence[Trial]) -> Effect:
    """Of the average over its members."""
    metric, y = study.problem.objective.metric, study.problem.validation.y
    averaged = objectives.METRICS[metric].gains(y, together(study, members))
    return compare_average(metric, study.gains(members), averaged)


def _decide(study: Study, config: Config, members: Sequence[Trial]) -> Decision:
    def judge() -> Decision:
        metric, y = study.problem.objective.metric, study.problem.validation.y
        found = _gain(study, members)
        price = f"each prediction costs {len(members)} times as much"
        return Decision(
            key=key,
            stage="squeeze",
            move=ENSEMBLE,
            description=f"Average {len(members)} models that differ in their seeds (Lakshminarayanan et al., 2017).",
            before=config.digest(),
            after=config.digest(),
            change={"members": [1, len(members)]},
            config=config.leaves(),
            before_score=sum(t.score for t in members) / len(members),
            after_score=objectives.score(metric, y, together(study, members)),
            effect=found.gain,
            low=found.low,
            high=found.high,
            seeds=len(members),
            accepted=found.better,
            reason=f"better than noise; {price}" if found.better else f"not better than noise, and {price}",
            seconds=0.0,
            expected=expected_of(study, EXPECT, sum(t.score for t in members) / len(members)),
        )

    key = f"decision/{ENSEMBLE}/{config.digest()}/{len(members)}"
    return study.memo(Decision, key, judge)
