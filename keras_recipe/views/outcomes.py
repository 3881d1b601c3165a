"""What came of each stage, in one sentence: the table of contents of the story."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from keras_recipe.core.records import Decision, Plan, Trial
from keras_recipe.views import labels
from keras_recipe.views.story import Stage, Story, hopeless, skipped
from keras_recipe.views.units import Units, plural


@dataclass(frozen=True)
class Outcome:
    """A stage, what came of it, and the score to beat on the validation split after it ("" before there is one)."""

    stage: Stage
    said: str
    score: str
    seconds: float


def outcomes(story: Story, units: Units) -> list[Outcome]:
    """One for each stage, in order."""
    found = []
    score: float | None = None
    for stage in story.stages:
        score = _after(stage, score)
        shown = "" if score is None or stage.name == "final" else units.score(score)
        cost = sum(c.seconds for c in story.charges if c.stage == stage.name)
        found.append(Outcome(stage, _said(stage, story, units), shown, cost))
    return found


def tried(story: Story) -> str:
    """All that was tried, in a sentence."""
    decisions = [d for s in story.stages for d in s.decisions]
    accepted = [d for d in decisions if d.accepted]
    given_up = sum(hopeless(p) for s in story.stages for p in s.plans)
    rungs = len({t.digest for s in story.stages if s.name == "overfit" for t in s.trials})
    parts = [plural(rungs, "model")] if rungs else []
    if decisions or given_up:
        parts.append(plural(len(decisions) + given_up, "change"))
    if not parts:
        return "Nothing was trained."
    kept = f"{len(accepted)} accepted" if decisions or given_up else ""
    names = ", ".join(dict.fromkeys(labels.words(d.move) for d in accepted[:4]))
    said = f"{' and '.join(parts)} tried" + (f", {kept}" if kept else "") + (f": {names}" if names else "")
    late = sum(p.expected is not None for s in story.stages for p in s.plans if skipped(p))
    left = f"; {plural(late, 'change')} had no time" if late else ""
    return f"{said}{' and more' if len(accepted) > 4 else ''}{left}."


def _after(stage: Stage, before: float | None) -> float | None:
    for record in sorted((*stage.decisions,), key=lambda d: d.accepted):
        if record.accepted:
            before = record.after_score
    if stage.name == "overfit" and stage.trials and not any(d.accepted for d in stage.decisions):
        before = _chosen(stage).score
    return before


def _chosen(stage: Stage) -> Trial:
    """The trial of the rung that the ladder ended on."""
    spec = next((p.value for p in stage.plans if p.name == "chosen"), None)
    return next((t for t in stage.trials if labels.part(t.config, "model") == spec), stage.trials[-1])


def _said(stage: Stage, story: Story, units: Units) -> str:
    if stage.name == "final" and story.evaluation is not None:
        e = story.evaluation
        return f"test {units.name} {units.score(e.score)} ({units.interval(e.low, e.high)})"
    moves = _moves(stage.decisions, stage.plans, units)
    parts = [_ladder(stage, units), moves, _baseline(stage), _checks(stage), _late(stage)]
    return "; ".join(p for p in parts if p) or _left_out(stage)


def _ladder(stage: Stage, units: Units) -> str:
    if stage.name != "overfit" or not stage.trials:
        return ""
    chosen = _chosen(stage)
    rungs = plural(len({t.digest for t in stage.trials}), "model")
    return f"{rungs} tried, {labels.part(chosen.config, 'model')} chosen: training {units.score(chosen.train_score)}"


def _moves(decisions: tuple[Decision, ...], plans: tuple[Plan, ...], units: Units) -> str:
    given_up = sum(map(hopeless, plans))
    if not decisions and not given_up:
        return ""
    accepted = [d for d in decisions if d.accepted]
    gains = ", ".join(f"{labels.words(d.move)} {units.gain(d.effect)}" for d in accepted[:3])
    more = f" and {len(accepted) - 3} more" if len(accepted) > 3 else ""
    said = f"{plural(len(decisions) + given_up, 'change')} tried, {len(accepted)} accepted"
    return said + (f": {gains}{more}" if gains else "")


def _checks(stage: Stage) -> str:
    if not stage.checks:
        return ""
    found = Counter(f.severity for c in stage.checks for f in c.findings)
    bad = [plural(found[s], s) for s in ("error", "warning") if found[s]]
    return f"{plural(len(stage.checks), 'check')}: {', '.join(bad) or 'nothing wrong'}"


def _baseline(stage: Stage) -> str:
    said = [f.message for c in stage.checks if c.check == "dumb_baselines" for f in c.findings if f.severity == "info"]
    return said[0] if said else ""


def _late(stage: Stage) -> str:
    late = sum(skipped(p) and p.expected is not None for p in stage.plans)
    return f"{plural(late, 'change')} left out for lack of time" if late else ""


def _left_out(stage: Stage) -> str:
    """For which reason most was left out."""
    reasons = Counter(p.reason for p in stage.plans if skipped(p))
    if not reasons:
        return "nothing to say"
    reason, n = reasons.most_common(1)[0]
    return f"{reasons.total()} left out" + (f", {n} of them" if n < reasons.total() else "") + f": {reason}"
