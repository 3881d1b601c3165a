"""What to do next, in order of what it is expected to bring. Every figure is on the record; none is made up here."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from keras_recipe.core.records import SUSPECTS, Decision, Finding, Trial
from keras_recipe.views import labels
from keras_recipe.views.charts import best_baseline
from keras_recipe.views.story import Story, confused, skipped, suspicions
from keras_recipe.views.units import Units, count, plural, seconds

NAMED = 6
"""Moves of one step that are called by their names."""

PAIRS = 2
"""Pairs of confused classes that are steps of their own."""

SMALL = 0.002
"""Share of the test examples from which a pair of confused classes is worth a step."""


PHOTO = 48
"""Pixels of the smaller side above which a picture is called a photo, as `models.convnets` has it."""

FITTED = 0.99
"""Training accuracy that counts as fitted, as `stages.overfit` has it."""


@dataclass(frozen=True)
class Step:
    """Something to do.

    Attributes:
        what: in a few words, for a heading.
        why: what speaks for it.
        how: a command, or a line of Python; "" where there is none.
        gain: expected, in the objective's unit, positive being better; None where nobody can say.
        low, high: its 95 % interval, None where it has none.
        most: whether `gain` is the most that it can bring, not what it is expected to.
        link: section of the report with the evidence.
    """

    what: str
    why: str
    how: str = ""
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    most: bool = False
    link: str = ""


def steps(story: Story, units: Units) -> list[Step]:
    """Those with an expected gain, the largest first; those of which only the most is known, the largest first; and
    those that bring no gain but make the figures trustworthy."""
    found = [s for s in _all(story, units) if s.gain is None or (math.isfinite(s.gain) and s.gain > 0)]
    return sorted(found, key=lambda s: (2, 0.0) if s.gain is None else (int(s.most), -s.gain))


def _all(story: Story, units: Units) -> Iterator[Step]:
    if story.stop is not None:
        yield _mend(*story.stop)
        return
    if story.looked_at:
        yield from _warnings(story)
        return
    if story.evaluation is None:
        how = story.run.command
        yield Step("Let the run end", "it goes on where it was", how, link="story")
        return
    yield from _left_out(story, units)
    yield from _undecided(story, units)
    yield from _more_data(story, units)
    yield from _pretrained(story, units)
    yield from _baseline(story, units)
    yield from _larger(story, units)
    yield from _labels(story, units)
    yield from _pairs(story, units)
    yield from _warnings(story)


def _mend(stage: str, finding: Finding) -> Step:
    return Step(finding.hint or finding.message, f"{finding.message} ({stage})", link=stage)


def _left_out(story: Story, units: Units) -> Iterator[Step]:
    """Moves for which there was no time."""
    plans = [p for s in story.stages for p in s.plans if skipped(p) and p.expected]
    plans = sorted(plans, key=lambda p: -(p.expected or 0.0))
    if not plans:
        return
    tried = [c for c in story.charges if c.what in ("move", "hopeless") and c.seconds]
    each = sum(c.seconds for c in tried) / len(tried) if tried else story.best.own_seconds if story.best else 0.0
    budget = story.run.budget + each * len(plans)
    rounded = f"{math.ceil(budget / 60)}m"
    named = ", ".join(f"{labels.words(p.name)} ({units.gain(p.expected or 0.0)})" for p in plans[:NAMED])
    more = f" and {len(plans) - NAMED} more" if len(plans) > NAMED else ""
    cost = f" At {seconds(each)} of work each, {rounded} may hold all of them." if each else ""
    yield Step(
        f"Give it more time: {plural(len(plans), 'move')} had none",
        f"Expected of them, by what such changes have brought elsewhere: {named}{more}.{cost} "
        "The gain is that of the first of them; they may add up, or fail.",
        _again(story, budget=rounded if each else ""),
        max(p.expected or 0.0 for p in plans),
        link="bill",
    )


def _again(story: Story, budget: str = "") -> str:
    """The command of this run, with another budget, into another directory: a run that is over stays as it is."""
    if not story.run.command:
        return ""
    words = shlex.split(story.run.command)
    changed = {"--out", "--budget"} if budget else {"--out"}
    kept = [w for i, w in enumerate(words) if not _belongs(words, i, changed)]
    return shlex.join([*kept, *(("--budget", budget) if budget else ()), "--out", f"{_directory(story)}-next"])


def _directory(story: Story) -> str:
    """Of the run, as its command says."""
    words = shlex.split(story.run.command)
    return words[words.index("--out") + 1] if "--out" in words else f"runs/{story.run.problem.get('name')}"


def _belongs(words: list[str], index: int, options: set[str]) -> bool:
    return words[index] in options or (index > 0 and words[index - 1] in options)


def _undecided(story: Story, units: Units) -> Iterator[Step]:
    """Moves that were ahead when the seeds or the examples ran out."""
    accepted = {d.before for s in story.stages for d in s.decisions if d.accepted}
    found: dict[str, Decision] = {}
    for d in (d for s in story.stages for d in s.decisions):
        if not d.accepted and d.effect > 0 and d.low <= 0 < d.high and not d.margin and d.before not in accepted:
            known = found.get(d.move)
            found[d.move] = d if known is None or d.effect > known.effect else known
    for d in found.values():
        why = f"Ahead, but not by more than noise ({plural(d.seeds, 'seed')}); more seeds or validation data may tell"
        what = f"Decide about {labels.words(d.move)}: {labels.change(d.change)}"
        yield Step(what, f"{why}.", "", d.effect, d.low, d.high, link=d.stage)


def _more_data(story: Story, units: Units) -> Iterator[Step]:
    curve = story.curve
    if curve is None:
        return
    how = f"{story.run.command} --more-data MORE" if story.run.command else ""
    factor = "Twice the data" if curve.factor == 2 else f"{curve.factor:g} times the data"
    yield Step(
        f"{factor}: {count(round(curve.examples * (curve.factor - 1)))} more examples",
        "By the learning curve, drawn before the moves: what regularizes may leave less to gain.",
        how,
        curve.gain,
        curve.low,
        curve.high,
        link="learning",
    )


def _baseline(story: Story, units: Units) -> Iterator[Step]:
    e = story.evaluation
    best = best_baseline(e.baselines, story.run.objective) if e is not None else None
    if e is None or best is None:
        return
    name, score = best
    gain = (score - e.score) * _sign(units)
    low, high = sorted((score - bound) * _sign(units) for bound in (e.low, e.high))
    said = f"{name.replace('_', ' ')} reaches {units.score(score)} on the same test set."
    what = f"Use {name.replace('_', ' ')}, or find out what holds the network back"
    yield Step(what, said[:1].upper() + said[1:], "", gain, low, high, link="top")


def _larger(story: Story, units: Units) -> Iterator[Step]:
    """What a person reaches and the training split is not fitted to: bias that can be avoided. Where nobody has said
    what a person reaches, bias that is larger than the way to validation."""
    if story.best is None:
        return
    if story.human_score is None:
        yield from _unfitted(story, story.best, units)
        return
    missing = (story.human_score - story.best.train_score) * _sign(units)
    why = (
        f"Training reaches {units.score(story.best.train_score)}, a person {units.score(story.human_score)}: "
        "the model does not even fit what it has seen. Train longer, or give a larger --model."
    )
    yield Step("Fit the training split better", why, "", missing, most=True, link="overfit")


def _unfitted(story: Story, best: Trial, units: Units) -> Iterator[Step]:
    if "accuracy" not in story.run.objective.metric:
        return
    missing, lost = FITTED - best.train_score, best.train_score - best.score
    if missing > max(lost, 0.0):
        why = (
            f"Training reaches {units.score(best.train_score)}: more is missing there than is lost from there to "
            f"validation ({units.score(best.score)}). Train longer, give a larger --model, or do the inputs not tell?"
        )
        yield Step("Fit the training split better", why, "", missing, most=True, link="overfit")


def _pretrained(story: Story, units: Units) -> Iterator[Step]:
    """Photos without a backbone that has seen others, because no weights were there."""
    e, shape = story.evaluation, story.run.problem.get("shape", ())
    if e is None or story.run.problem.get("kind") != "image" or min(shape[:2]) <= PHOTO:
        return
    plans = [p for s in story.stages for p in s.plans if skipped(p) and p.name == "pretrained_backbone"]
    error = 1 - e.score if story.run.objective.higher_is_better else e.score
    for plan in plans[:1]:
        if "pretrained weights" in plan.reason:
            what = "Start from a pretrained backbone: features of a million photos beat training from scratch"
            model = "backbone(name='applications:MobileNetV2')"
            how = f'{_again(story)} --model "{model}"' if story.run.command else ""
            yield Step(what, f"{plan.reason[:1].upper()}{plan.reason[1:]}.", how, error, most=True, link="regularize")


def _labels(story: Story, units: Units) -> Iterator[Step]:
    for _, finding in suspicions(story):
        sure, judged = finding.evidence.get("confident", 0), finding.evidence.get("judged", 0)
        if not sure or not judged:
            continue
        gain = sure / judged if units.percent else None
        bound = " The gain is that where the test labels are wrong as often, and the model right." if gain else ""
        yield Step(
            f"Look at {plural(sure, 'label')} that look wrong, in {SUSPECTS}",
            f"A model strongly disagrees with {sure / judged:.1%} of the labels: write fix, drop or keep.{bound}",
            f"{_again(story)} --apply {shlex.quote(f'{_directory(story)}/{SUSPECTS}')}" if story.run.command else "",
            gain,
            most=True,
            link="suspects",
        )


def _pairs(story: Story, units: Units) -> Iterator[Step]:
    e = story.evaluation
    if e is None or not e.confusion or not e.examples:
        return
    names = [str(c) for c in story.run.problem.get("classes") or []]
    for true, said, n in confused(e.confusion, PAIRS):
        if n < 2 or n / e.examples < SMALL:
            continue
        pair = [names[i] if i < len(names) else str(i) for i in (true, said)]
        yield Step(
            f"Tell {pair[0]} from {pair[1]}",
            f"{n} of {count(sum(e.confusion[true]))} were taken for {pair[1]}: look at them, and get examples of both. "
            "Choose them by the training and validation splits; the test split stays unseen.",
            "",
            n / e.examples if units.name == "accuracy" else None,
            most=True,
            link="confused",
        )


def _warnings(story: Story) -> Iterator[Step]:
    for severity in ("error", "warning"):
        for stage, _, finding in story.concerns(severity):
            if finding.hint and not (finding.cause == "labels" and finding.suspects):
                what, why = finding.message.rstrip("."), finding.hint.rstrip(".")
                yield Step(what[:1].upper() + what[1:], f"{why[:1].upper()}{why[1:]}.", link=stage)


def _sign(units: Units) -> int:
    return 1 if units.higher_is_better else -1
