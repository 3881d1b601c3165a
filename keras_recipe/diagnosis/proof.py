"""Suspect, then prove: repairs are tried on the job itself, and the smallest set that mends it is the diagnosis.

A single repair that helps proves nothing: nearly every healthy job gains by some change. What tells sick jobs apart is
that a small set of suspected repairs closes most of the gap to what the same network reaches, and that this gap is
large. The constants below were chosen on programs of several authors; `scripts/bench_diagnose.py` measures them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np

from keras_recipe.diagnosis.anatomy import compiled_at
from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.probe import Outcome, Probe, Variant, with_
from keras_recipe.diagnosis.repairs import Repair
from keras_recipe.diagnosis.repairs.steps import LONGER, ordinary, rate_of, rates
from keras_recipe.diagnosis.rows import leaves

CLOSES = 0.8
"""Part of the gap to the best network found that a sufficient set closes."""

HARMFUL, GRAVE = 0.75, 0.35
"""What the job reaches of what the best network found does, above a constant, at most, for an ERROR; and where only
rate or length would mend it."""

DISTANT = 0.6
"""The same as HARMFUL for regressions, whose score still rises where targets are met well: .6 of .92 is an R squared of
.8 beside .99."""

ERRORS, NEAR = 3.0, 4.0
"""How many times as many errors a job must make, that loses to simple models, for a suspected repair to be its
diagnosis all the same; and within which factor of a rate that works another is a matter of luck."""

SHORT = 100
"""Steps below which more epochs are thought of before the size of inputs or targets."""

GOOD = 0.95
"""Part of the way from a constant to a perfect score from which no better network is looked for."""

LEAST = 60
"""Gradient steps below which nothing shows."""

BEGUN = 0.2
"""Part of the planned steps up to which a job that was cut by time, and learns, may be slow at first, and no more."""

TRACING = 1.0
"""Seconds that a changed model takes before its first step."""

STILL = 1e-3
"""Distance that weights go, in parts of their size, below which they do not move."""


@dataclass(frozen=True)
class Tried:
    """A set of repairs, and what came of it."""

    repairs: tuple[Repair, ...]
    variant: Variant
    score: float
    outcome: Outcome


@dataclass(frozen=True)
class Own:
    """The job as the script has it, trained from several orders of the data.

    Attributes:
        outcomes: one an order.
        scores: of each.
        train: score on training rows.
    """

    outcomes: tuple[Outcome, ...]
    scores: tuple[float, ...]
    train: float

    @property
    def score(self) -> float:
        """Median."""
        return float(np.median(self.scores))

    @property
    def spread(self) -> float:
        """Largest difference."""
        return float(np.ptp(self.scores)) if len(self.scores) > 1 else 0.0


def own_training(case: Case, probe: Probe, deadline: float) -> Own:
    """Train it as it is; three times where time allows."""
    outcomes: list[Outcome] = []
    began = time.monotonic()
    for seed in range(3):
        left = deadline - time.monotonic()
        if seed and (outcomes[0].cut or time.monotonic() - began > left / 6):
            break
        outcomes.append(probe.train(Variant(), seed, seconds=max(2.0, left * 0.3), watched=not seed, least=LEAST))
    scores = [case.held_score(o) for o in outcomes]
    if any(isinstance(c, keras.callbacks.EarlyStopping) for c in case.fit.callbacks):
        # It would have stopped near the best of the way; the number of epochs is no plan then.
        scores = [max([s, *(case.score(o, probe.glimpse.y) for _, o in outcomes[0].path)]) for s in scores]
    return Own(tuple(outcomes), tuple(scores), case.score(outcomes[0].train_outputs, probe.some.y))


def constant(outcome: Outcome) -> bool:
    """Whether the outputs are the same for every example."""
    for output in leaves(outcome.outputs):
        flat = output.reshape(len(output), -1).astype("float64")
        if np.isfinite(flat).all() and (flat.std(axis=0) > 1e-4 * (np.abs(flat).max() + 1e-6)).any():
            return False
    return True


def general(case: Case) -> list[Repair]:
    """Repairs that need no suspicion: other rates, more epochs."""
    own = rate_of(case)
    found = []
    where = compiled_at(case.model)
    if case.model.optimizer is not None:
        for rate in rates(case):
            ratio = rate / own if own else float("inf")
            word = (
                "negative"
                if own < 0
                else "zero"
                if own == 0
                else (f"{ratio:.3g} times too low" if ratio > 1 else f"{1 / ratio:.3g} times too high")
            )
            found.append(
                Repair(
                    ("learning-rate",),
                    f"a learning rate of {rate:g}",
                    _at(rate),
                    f"{rate:g}",
                    f"{own:g}, {word}",
                    f"use learning_rate={rate:g}",
                    f"learning_rate={rate:g}",
                    location=where,
                    rank=20,
                    general=True,
                    check="learning_rate",
                )
            )
    epochs = case.data.epochs
    times = LONGER if case.data.steps >= SHORT else max(LONGER, -(-5 * SHORT // case.data.steps))
    many = f"{epochs * times:g}"
    found.append(
        Repair(
            ("epochs",),
            f"{many} epochs",
            lambda v: with_(v, longer=v.longer * times),
            many,
            f"{epochs}",
            f"use epochs={many} or more",
            f"epochs={many}",
            location=case.fit.location,
            rank=3 if case.data.steps < SHORT else 19 if ordinary(case) else 21,
            general=True,
            check="epochs",
        )
    )
    return found


def _at(rate: float) -> Callable[[Variant], Variant]:
    return lambda v: with_(v, rate=rate)


def length(case: Case, probe: Probe, own: Own, suspects: int, deadline: float) -> tuple[int, float]:
    """Steps that each repair is tried for, and the score of the job as it is after as many.

    All of them where time allows; else as many as leave time for each suspicion, and for some rates.
    """
    outcome = own.outcomes[0]
    done = len(outcome.losses)
    if probe.step_seconds is None or not outcome.path or not outcome.finite:
        return done, own.score
    each = max(2.0, (deadline - time.monotonic()) / (suspects + 6)) - TRACING
    affordable = max(int(each / max(probe.step_seconds, 1e-9)), done // 3, LEAST)
    if affordable >= done:
        return done, own.score
    steps, outputs = min(outcome.path, key=lambda p: (p[0] < min(LEAST, done), abs(p[0] - affordable)))
    return steps, case.score(outputs, probe.glimpse.y)


def prove(
    case: Case,
    probe: Probe,
    own: Own,
    suspects: Sequence[Repair],
    margin: float,
    deadline: float,
    steps: int,
    rival: float,
) -> Iterator[Tried]:
    """Try repairs, one at a time and together; yields every set that was tried, all for as many steps.

    What time cuts shorter than that tells nothing, and is not yielded.

    Args:
        steps: gradient steps of each training.
        rival: score of the best simple model; a repaired job that comes near it is mended.
    """
    others = general(case)
    speeds, longer = others[:-1], others[-1]
    whole = steps >= len(case.rates)
    found: list[Tried] = []

    def tried(*repairs: Repair) -> Tried | None:
        left = deadline - time.monotonic()
        if left < 0.5:
            return None
        variant = Variant()
        for repair in repairs:
            variant = repair.change(variant)
        limit = None if whole else round(steps * case.data.batch / (variant.batch or case.data.batch) * variant.longer)
        try:
            outcome = probe.train(variant, 0, left, limit)
        except Exception:  # a change that this model does not take proves nothing
            return None
        planned = outcome.planned if limit is None else min(limit, outcome.planned)
        if outcome.steps < planned and outcome.finite:
            return None
        made = Tried(repairs, variant, case.held_score(outcome, variant), outcome)
        found.append(made)
        return made

    def good(made: Tried | None) -> bool:
        if made is None:
            return False
        near = rival - margin / 2 if rival > case.dumb + 2 * margin and not made.repairs[0].general else 1.0
        return made.score > min(near, 1 - (1 - GOOD) * (1 - case.dumb))

    def single(repair: Repair) -> float:
        return next((t.score for t in found if t.repairs == (repair,)), -2.0)

    def attempts() -> Iterator[Tried | None]:
        if case.data.steps < SHORT:
            yield tried(longer)
        together = _compatible(suspects)
        slow = own.outcomes[0].seconds > (deadline - time.monotonic()) / (len(suspects) + 4)
        if slow and len(together) > 1:  # one training tells whether any of them matters
            yield tried(*together)
        for repair in suspects:
            yield (made := tried(repair))
            if good(made):
                return
        if len(together) > 1 and not slow:
            yield (both := tried(*together))
            if both is not None and good(both):
                yield from _smaller(both, tried, own.score)
                return
        for repair in speeds:
            yield (made := tried(repair))
            if good(made):
                break
        if together:
            # With the faults mended another rate may be the right one.
            best: Tried | None = None
            for repair in sorted(speeds, key=lambda r: -single(r))[:4]:
                yield (made := tried(*together, repair))
                if made is not None and (best is None or made.score > best.score):
                    best = made
                if good(made):
                    break
            if best is not None and best.score > max([own.score, *map(single, [*suspects, *speeds])]) + margin / 2:
                yield from _smaller(best, tried, own.score)
        if whole and case.data.steps >= SHORT and not any(map(good, found)):
            yield tried(longer)

    for made in attempts():
        if made is not None:
            yield made
        elif time.monotonic() > deadline - 0.5:
            return


def _compatible(suspects: Sequence[Repair]) -> tuple[Repair, ...]:
    """Suspected repairs that go together: of those that replace the same thing the first."""
    chosen: list[Repair] = []
    for repair in suspects:
        if not any(set(repair.causes) & set(other.causes) for other in chosen):
            chosen.append(repair)
    return tuple(chosen)


def _smaller(full: Tried, tried: Callable[..., Tried | None], own: float) -> Iterator[Tried | None]:
    """Leave out one repair after the other, as long as what is left suffices."""
    kept, score = list(full.repairs), full.score
    for repair in sorted(full.repairs, key=lambda r: -r.rank):
        if len(kept) <= 2:
            break
        yield (rest := tried(*[r for r in kept if r is not repair]))
        if rest is not None and rest.score - own >= CLOSES * (score - own):
            kept.remove(repair)


@dataclass(frozen=True)
class Verdict:
    """What the trials prove.

    Attributes:
        severity: "" where they prove nothing.
        named: the smallest sufficient set.
        alternatives: sets of the same size that suffice too.
        best: highest score found.
        reached: what the job reaches of it, above a constant.
    """

    severity: str
    named: Tried | None
    alternatives: tuple[Tried, ...]
    best: float
    reached: float


def judge(case: Case, own: Own, score: float, trials: Sequence[Tried], margin: float, sick: bool) -> Verdict:
    """The smallest sufficient set of repairs, and how grave it is that they are missing.

    Args:
        score: of the job as it is, after as many steps as the trials.
    """
    best = max([score, *(t.score for t in trials)])
    gap = best - score
    reached = (score - case.dumb) / max(best - case.dumb, 1e-9)
    least = max(margin, 2 * own.spread)
    if sick and best - max(own.scores) > 2 * margin:
        least = margin  # far above the luckiest order of the data
    if gap < least / 2 or best < case.dumb + margin:
        return Verdict("", None, (), best, reached)
    regression = all(t.kind == "regression" for t in case.targets)
    enough = [t for t in trials if t.score - score >= CLOSES * gap]

    def order(tried: Tried) -> tuple[float, ...]:
        # Other rates and lengths mend much that is not their fault: they count twice.
        blind = sum(r.general and r.rank > 10 for r in tried.repairs)
        return (len(tried.repairs) + blind, blind, sum(r.rank for r in tried.repairs), -tried.score)

    enough.sort(key=order)
    named = enough[0]
    mild, many = reached > HARMFUL, 1 - score > ERRORS * (1 - best)
    certain = all(r.certain for r in named.repairs)
    if gap < least and not certain:
        return Verdict("", None, (), best, reached)
    if mild and not certain and (regression or not (sick and many)):
        return Verdict("", None, (), best, reached)
    alternatives = tuple(t for t in enough[1:] if len(t.repairs) <= len(named.repairs))
    bearing = any(not r.general for r in named.repairs)
    if not bearing and not case.known_loss and falls(own.outcomes[0]):
        return Verdict("", None, (), best, reached)  # it learns what its own loss asks for, which may be no mean
    # After a single epoch the plan itself says that it was a first try.
    single = case.data.epochs == 1 and many and (sick or not mild) and named.variant.longer > 1
    if not bearing and not single and (mild or own.train > named.score - margin):
        # What fits its training rows well is not trained at a wrong rate, nor too short, whatever else it lacks.
        return Verdict("", None, (), best, reached)
    grave = reached <= DISTANT if bearing and regression and not certain else bearing or reached < GRAVE
    grave |= single and len(named.repairs) == 1
    if not bearing and own.outcomes[0].finite and not _far(case, named):
        grave = False
    if not bearing and (own.outcomes[0].cut or len(own.outcomes[0].losses) > named.outcome.steps):
        grave = grave and _cannot_catch_up(case, own, named)
    if bearing and named.outcome.steps < len(case.rates):
        # What rate is right for the whole length does not show in a part of it.
        named = replace(named, repairs=tuple(r for r in named.repairs if not r.general))
    first = own.outcomes[0]
    begun = first.cut and first.finite and first.steps < BEGUN * first.planned and falls(first)
    sooner = first.steps > named.outcome.steps and named.score - own.score < margin
    if begun or sooner:  # it was seen to learn in what is hardly its beginning, or gets as far by itself
        grave = False
    grave |= any(r.impossible for r in named.repairs)
    return Verdict("ERROR" if grave else "WARNING", named, alternatives, best, reached)


def falls(outcome: Outcome) -> bool:
    """Whether the loss ends lower than it began."""
    part = max(1, len(outcome.losses) // 10)
    return bool(outcome.losses[-part:].mean() < 0.9 * outcome.losses[:part].mean())


def _far(case: Case, named: Tried) -> bool:
    """Whether the repaired rate is so far from the script's own that luck does not decide between them."""
    own = rate_of(case)
    if named.variant.rate is None or own <= 0:
        return True
    return max(named.variant.rate / own, own / named.variant.rate) >= NEAR


def _cannot_catch_up(case: Case, own: Own, named: Tried) -> bool:
    """Whether a job that was watched for a part of its length would not get there by itself."""
    outcome = own.outcomes[0]
    if not outcome.finite:
        return True
    if named.variant.rate is None:
        return False
    ratio = named.variant.rate / abs(rate_of(case)) if rate_of(case) else np.inf
    if ratio < 1:  # too high: has it learnt anything in all these steps?
        return own.score < case.dumb + 0.2 * (named.score - case.dumb)
    return outcome.planned / max(outcome.steps, 1) < ratio
