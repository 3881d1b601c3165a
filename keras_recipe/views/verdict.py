"""The sentences that sum a run up. They claim no more than the intervals support."""

from __future__ import annotations

from keras_recipe.core.records import Evaluation, Table
from keras_recipe.views.charts import best_baseline
from keras_recipe.views.story import Story, confused, suspicions
from keras_recipe.views.units import Units, count, number, plural

BLIND = {"majority": "always saying the commonest class", "mean": "always saying the mean"}
"""Baselines that do not look at their input, and what they do."""


def verdict(story: Story, units: Units) -> str:
    """One sentence: what the model reaches, beside the best baseline and a person; or why there is no model."""
    if story.looked_at:
        return _looked_at(story)
    if story.evaluation is not None:
        e = story.evaluation
        return f"{_score(e, units)}{_beside_baseline(e, story, units)}{_beside_human(e, story, units)}.{_doubt(story)}"
    if story.stop is not None:
        stage, finding = story.stop
        return f"Stopped in {stage}: {finding.message.rstrip('.')}."
    if story.best is None:
        return "Not finished: no trial has been completed so far."
    reached = f"{units.name} {units.score(story.best.score)} on the validation set"
    read = "has not been read" if story.before is None else "has been read by the run before this one"
    return f"Not finished: the leading trial reaches {reached}; the test set {read}."


def _doubt(story: Story) -> str:
    """Why not to believe a score yet: a column that the model sees may hold the answer."""
    left_out = set((story.evaluation.config.get("model.without") or ()) if story.evaluation else ())
    warned = [f for stage, _, f in story.concerns("warning") if stage == "inspect" and f.cause == "leakage"]
    leaks = [f for f in warned if not left_out or not set(f.evidence.get("columns", ())) <= left_out]
    return f" Do not believe it yet: {leaks[0].message.rstrip('.')}." if leaks else ""


def again(story: Story, units: Units) -> str:
    """What a run that went on with more data says of the test set; empty for any other."""
    if story.before is None or story.evaluation is None:
        return ""
    before = f"{units.name} {units.score(story.before.score)} ({units.interval(story.before.low, story.before.high)})"
    if story.evaluation.reads == story.before.reads:
        return "More data was not better than noise: the model stays as it was, and the test set was not read again."
    number = {2: "a second", 3: "a third"}.get(story.evaluation.reads, "one more")
    return f"The test set was read {number} time, after the run went on with more data; the time before: {before}."


def _looked_at(story: Story) -> str:
    errors, warnings = (len(story.concerns(severity)) for severity in ("error", "warning"))
    if errors:
        return f"{plural(errors, 'error')} that training would refuse, and {plural(warnings, 'warning')}."
    return f"Nothing that training would refuse; {plural(warnings, 'warning')} to think about."


def gap(story: Story, units: Units) -> str:
    """What the difference between the training and the validation score says; empty before there is a trial."""
    if story.best is None:
        return ""
    sign = 1 if units.higher_is_better else -1
    lead = sign * (story.best.train_score - story.best.score)
    side = "training" if lead >= 0 else "validation"
    if lead == 0:
        return "no gap"
    return f"{units.difference(lead)} better on {side}"


def gap_size(story: Story, units: Units) -> str:
    """The same as a figure alone."""
    return "" if story.best is None else units.difference(story.best.train_score - story.best.score)


def wrong(story: Story, units: Units) -> str:
    """What the model gets wrong on the test set, and what looks wrong in the data; empty before there is a model."""
    e = story.evaluation
    if e is None:
        return ""
    parts = [_mistaken(e, story)] if e.confusion else []
    if not e.confusion and e.mistakes is not None:
        parts = [_largest_error(e.mistakes)]
    suspects = sum(int(f.evidence.get("confident", len(f.suspects))) for _, f in suspicions(story))
    if suspects:
        parts.append(f"{plural(suspects, 'label')} of the data {'look' if suspects > 1 else 'looks'} wrong")
    warnings = len(story.concerns("warning"))
    if warnings:
        parts.append(f"{plural(warnings, 'warning')} to think about")
    return f"{'; '.join(p for p in parts if p)}." if any(parts) else "Nothing that the record knows of."


def _mistaken(e: Evaluation, story: Story) -> str:
    counts = e.confusion or []
    mistakes = sum(map(sum, counts)) - sum(row[i] for i, row in enumerate(counts))
    if not mistakes:
        return f"Not a mistake in {count(e.examples)} test examples"
    names = [str(c) for c in story.run.problem.get("classes") or []]
    said = f"{count(mistakes)} of {count(e.examples)} test examples"
    (i, j, n), *_ = confused(counts, 1)
    if n == 1:
        return said
    pair = [names[k] if k < len(names) else str(k) for k in (i, j)]
    return f"{said}, most often {pair[0]} taken for {pair[1]} ({n} of {count(sum(counts[i]))})"


def _largest_error(mistakes: Table) -> str:
    row = dict(zip(mistakes.columns, mistakes.rows[0], strict=True)) if mistakes.rows else {}
    figures = [row.get(name) for name in ("error", "prediction", "target")]
    error, said, true = (number(v) if isinstance(v, int | float) else "" for v in figures)
    return f"The largest error is {error}: {said} for {true}" if error else ""


def _score(e: Evaluation, units: Units) -> str:
    if units.percent and units.name == "accuracy":
        return f"The model is right on {units.score(e.score)} of the test set"
    return f"The model reaches {units.name} {units.score(e.score)} on the test set"


def _beside_baseline(e: Evaluation, story: Story, units: Units) -> str:
    best = best_baseline(e.baselines, story.run.objective)
    if best is None:
        return ""
    name, score = best
    nothing = _nothing_to_learn(e, story)
    if nothing:
        return f": no better than {nothing[0]} ({units.score(nothing[1])}), like every dumb baseline{_moves(story)}"
    said = f"the best dumb baseline ({name.replace('_', ' ')}, {units.score(score)})"
    worst, top = (e.low, e.high) if units.higher_is_better else (e.high, e.low)
    if story.run.objective.better(worst, score):
        return f", better than {said}"
    if story.run.objective.better(score, top):
        return f", worse than {said}: something is wrong, or time was too short"
    return f", not distinguishable from {said}"


def _nothing_to_learn(e: Evaluation, story: Story) -> tuple[str, float] | None:
    """What the model is not better than, and its score, where that does not look at the input, and where no dumb
    baseline that does is better either, nor a person; None elsewhere."""
    blind = next(((said, e.baselines[name]) for name, said in BLIND.items() if name in e.baselines), None)
    worst, top = (e.low, e.high) if story.run.objective.higher_is_better else (e.high, e.low)
    if blind is None or story.run.objective.better(worst, blind[1]):
        return None
    if story.human_score is not None and story.run.objective.better(story.human_score, blind[1]):
        return None
    return None if any(story.run.objective.better(score, top) for score in e.baselines.values()) else blind


def _moves(story: Story) -> str:
    tried = [d for s in story.stages for d in s.decisions]
    accepted = sum(d.accepted for d in tried)
    better = "none was" if not accepted else "1 was" if accepted == 1 else f"{accepted} were"
    moves = f"; of {plural(len(tried), 'candidate')} {better} better than noise" if tried else ""
    return f"{moves}. There is no evidence that the inputs say anything about {_target(story)}"


def _target(story: Story) -> str:
    return "the target" if story.run.problem.get("task") == "regression" else "the label"


def _beside_human(e: Evaluation, story: Story, units: Units) -> str:
    human = story.human_score
    if human is None:
        return ""
    if e.low <= human <= e.high:
        return f", and about as good as a person ({units.score(human)})"
    word = "better" if story.run.objective.better(e.score, human) else "not as good"
    return f", and {word} {'than' if word == 'better' else 'as'} a person ({units.score(human)})"
