"""The story of a run as the report tells it: its stages in order, the final trial, the bill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from keras_recipe.core.journal import evaluation_before, evaluation_of, run_of, select
from keras_recipe.core.records import CheckRun, Decision, Evaluation, Finding, LearningCurve, Plan, Record, Run, Trial
from keras_recipe.views import labels

STAGES = {
    "inspect": "What is in the data, before any model sees it?",
    "baseline": "Does the whole chain work, and what do dumb models reach?",
    "overfit": "Which model is large enough to fit the training set? Only the training loss counts here.",
    "signals": "What does each group of inputs bring, added one by one, and what was it expected to bring?",
    "regularize": "What raises the validation score, one change at a time?",
    "tune": "Which settings serve this model best?",
    "squeeze": "What is left to gain from ensembles and longer training?",
    "final": "How good is the model on the test set, which is read once, here?",
}
"""Name of a stage to the question it answers, in the order of the essay."""


@dataclass(frozen=True)
class Stage:
    """Everything that one stage has left in the journal."""

    name: str
    question: str
    checks: tuple[CheckRun, ...]
    trials: tuple[Trial, ...]
    decisions: tuple[Decision, ...]
    plans: tuple[Plan, ...]
    curves: tuple[LearningCurve, ...] = ()


def skipped(plan: Plan) -> bool:
    """Whether the plan says that something was not done."""
    return plan.key.startswith("skip/") or plan.name == "skipped"


def hopeless(plan: Plan) -> bool:
    """Whether the plan says that a candidate was given up after the first epochs of its first trial."""
    return plan.key.startswith("hopeless/")


def begun(plan: Plan) -> bool:
    """Whether the plan holds the first epochs of a trial: what became of it is told elsewhere."""
    return plan.key.startswith("begun/")


def cost_of_hopeless(plan: Plan) -> float:
    """Seconds of work behind it, 0 for any other plan: those of a trial that went on are the trial's."""
    return plan.seconds if hopeless(plan) else 0.0


def grave(finding: Finding) -> bool:
    """Whether it is something to worry about."""
    return finding.severity in ("warning", "error")


@dataclass(frozen=True)
class Cost:
    """A line of the bill, in seconds of work. Trials that ran side by side both count in full."""

    stage: str
    trials: int
    epochs: int
    startup: float
    training: float
    checks: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.startup + self.training + self.checks


@dataclass(frozen=True)
class Story:
    """A whole run, finished or not.

    Attributes:
        best: the trial whose weights became the model; while the run goes on, the trial that leads so far.
        stop: stage and finding of the error that stopped the run.
        charges: the bill, line by line.
        before: how the run ended that this one went on from, with more data.
    """

    run: Run
    evaluation: Evaluation | None
    stages: tuple[Stage, ...]
    best: Trial | None
    stop: tuple[str, Finding] | None
    charges: tuple[Charge, ...] = ()
    before: Evaluation | None = None

    @property
    def status(self) -> str:
        """ "finished", "stopped" by an error, "looked at" by `inspect` alone, or "unfinished"."""
        if self.looked_at:
            return "looked at"
        if self.evaluation is not None:
            return "finished"
        return "stopped" if self.stop else "unfinished"

    @property
    def looked_at(self) -> bool:
        """Whether this is no run of the recipe, but a look at the data alone."""
        return "only" in self.run.settings

    @property
    def curve(self) -> LearningCurve | None:
        """The last learning curve that was drawn."""
        return next((c for s in reversed(self.stages) for c in reversed(s.curves)), None)

    @property
    def human_score(self) -> float | None:
        """The user's figure for what a person reaches."""
        value = self.run.problem.get("human_score")
        return None if value is None else float(value)

    def concerns(self, severity: str) -> list[tuple[str, CheckRun, Finding]]:
        """Findings of one severity, each with its stage and check."""
        return [(s.name, c, f) for s in self.stages for c in s.checks for f in c.findings if f.severity == severity]


def tell(records: Sequence[Record]) -> Story:
    """Sort the records of a journal into a story. Raises RecipeError if the journal is empty."""
    records = standing(records)
    evaluation = evaluation_of(records)
    stages = _stages(records, evaluation)
    errors = [(c.stage, f) for c in select(records, CheckRun) for f in c.findings if f.severity == "error"]
    run = run_of(records)
    stop = errors[0] if errors and evaluation is None and "only" not in run.settings else None
    return Story(
        run, evaluation, stages, best_trial(records), stop, tuple(charges(records)), evaluation_before(records)
    )


def standing(records: Sequence[Record]) -> list[Record]:
    """The records without those that later ones have overtaken: what was left out at first, and was then tried, or left
    out for another reason; what was seen in a model that was then trained further, whose seconds the later look has."""
    found: list[Record] = []
    decided: set[tuple[str, str]] = set()
    looks: dict[str, int] = {}
    for record in reversed(records):
        if isinstance(record, Plan) and record.key.startswith("skip/"):
            if (record.stage, record.name) in decided:
                continue
            decided.add((record.stage, record.name))
        elif isinstance(record, Plan) and hopeless(record):
            decided.add((record.stage, record.name))
        elif isinstance(record, Decision):
            decided.add((record.stage, record.move))
        elif isinstance(record, LearningCurve):
            decided.add((record.stage, "learning_curve"))
        elif isinstance(record, CheckRun) and record.key.startswith("look/"):
            if record.check in looks:
                last = cast("CheckRun", found[looks[record.check]])
                found[looks[record.check]] = replace(last, seconds=last.seconds + record.seconds)
                continue
            looks[record.check] = len(found)
            decided.add((record.stage, record.check))
        found.append(record)
    return found[::-1]


def best_trial(records: list[Record]) -> Trial | None:
    """The evaluated trial; before there is one, a trial of the config that leads the latest stage so far."""
    trials = select(records, Trial)
    evaluation = evaluation_of(records)
    if evaluation is not None:
        return next((t for t in trials if t.key == evaluation.trial), None)
    leaders = [d.after for d in select(records, Decision) if d.accepted]
    rejected = {d.after for d in select(records, Decision) if not d.accepted}
    for digest in reversed(leaders):
        for trial in trials:
            if trial.digest == digest:
                return trial
    studied = [t for t in trials if t.stage not in ("inspect", "baseline") and t.digest not in rejected]
    studied = [t for t in studied if t.config.get("train_share", 1.0) == 1.0]
    ladder = [t for t in studied if t.stage == "overfit"]
    return (ladder or studied)[-1] if studied else None


def incumbent(now: dict[str, Any] | None, record: Record) -> dict[str, Any] | None:
    """Leaves of the config to beat after this record, `now` before it. The ladder's last rung is the first of them."""
    if isinstance(record, Trial) and record.stage == "overfit":
        return record.config
    return record.config if isinstance(record, Decision) and record.accepted else now


def bill(stages: Sequence[Stage], evaluation: Evaluation | None) -> list[Cost]:
    """Where the time went, stage by stage."""
    return [cost for cost in (_cost(stage, evaluation) for stage in stages) if cost.total > 0]


@dataclass(frozen=True)
class Charge:
    """A line of the bill: one thing that was tried, looked at or left out.

    Attributes:
        stage: where.
        what: "checks", "rung" (of the ladder), "move", "hopeless" (a move's candidate that was given up early),
            "seeds" (of the incumbent, beyond those that a move asked for),
            "skipped" or "test".
        name: of the move, or of what else it is.
        decision: on the move; None for everything else.
        score: training score of a rung.
        reason: why it was skipped, or taken.
        trials: that it took.
        names: checks that it sums up, or moves that were skipped for the same reason.
        seconds: of work.
    """

    stage: str
    what: str
    name: str
    decision: Decision | None = None
    score: float | None = None
    reason: str = ""
    trials: int = 0
    names: tuple[str, ...] = ()
    seconds: float = 0.0


def charges(records: Sequence[Record]) -> list[Charge]:
    """The bill in full: every stage with its checks, rungs and moves in the order in which they were tried, and what
    was skipped. All seconds of work are on it, each once."""
    told, evaluation = standing(records), evaluation_of(list(records))
    found: list[Charge] = []
    for stage in _stages(told, evaluation):
        if stage.checks:
            names, cost = tuple(c.check for c in stage.checks), sum(c.seconds for c in stage.checks)
            found.append(Charge(stage.name, "checks", "checks", names=names, seconds=cost))
        found += _tried(stage.name, [r for r in told if getattr(r, "stage", None) == stage.name])
        if stage.name == "final" and evaluation is not None:
            found.append(Charge("final", "test", "export, proof and test", seconds=evaluation.seconds))
    return found


def _tried(stage: str, records: Sequence[Record]) -> list[Charge]:
    """Rungs and moves of one stage. A trial is charged to the first decision about its config that follows it."""
    open_: dict[str, list[Trial]] = {}
    found: list[Charge] = []
    skips: dict[str, list[str]] = {}
    for record in records:
        if isinstance(record, Trial):
            open_.setdefault(record.digest, []).append(record)
        elif isinstance(record, Decision):
            changed = record.before != record.after  # an ensemble is made of the incumbent's trials
            trials = open_.pop(record.after, []) if changed else []
            found.append(
                Charge(
                    stage,
                    "move",
                    record.move,
                    record,
                    reason=record.reason,
                    trials=len(trials),
                    seconds=sum(t.own_seconds for t in trials),
                )
            )
        elif isinstance(record, LearningCurve):
            parts = [t for trials in open_.values() for t in trials if t.config["train_share"] != 1.0]
            open_ = {d: [t for t in trials if t not in parts] for d, trials in open_.items()}
            cost = sum(t.own_seconds for t in parts)
            found.append(Charge(stage, "seeds", "learning curve", trials=len(parts), seconds=cost))
        elif isinstance(record, Plan) and hopeless(record):
            cost, reason = cost_of_hopeless(record), f"{labels.change(record.value)}: {record.reason}"
            found.append(Charge(stage, "hopeless", record.name, reason=reason, trials=1, seconds=cost))
        elif isinstance(record, Plan) and skipped(record):
            name = str(record.value) if record.name == "skipped" else record.name
            skips.setdefault(record.reason, []).append(name)
    left = [t for trials in open_.values() for t in trials]
    if stage == "overfit":
        rungs = [
            Charge(stage, "rung", labels.part(t.config, "model"), score=t.train_score, trials=1, seconds=t.own_seconds)
            for t in left
        ]
        found = [*rungs, *found]
    elif left:
        cost = sum(t.own_seconds for t in left)
        found.insert(0, Charge(stage, "seeds", "seeds of the model itself", trials=len(left), seconds=cost))
    return found + [Charge(stage, "skipped", "skipped", reason=r, names=tuple(n)) for r, n in skips.items()]


def suspicions(story: Story) -> list[tuple[CheckRun, Finding]]:
    """Findings about labels that look wrong, with their suspects."""
    found = [(c, f) for s in story.stages for c in s.checks for f in c.findings]
    return [(c, f) for c, f in found if f.cause == "labels" and f.suspects]


def confused(confusion: Sequence[Sequence[int]], most: int) -> list[tuple[int, int, int]]:
    """Most frequent mistakes: (true class, predicted class, count), the most frequent first."""
    pairs = [(i, j, n) for i, row in enumerate(confusion) for j, n in enumerate(row) if i != j and n]
    return sorted(pairs, key=lambda p: (-p[2], p[0], p[1]))[:most]


def one_per_config(trials: Sequence[Trial]) -> list[Trial]:
    """The first trial of each config, in order: its other seeds look alike."""
    first: dict[str, Trial] = {}
    for trial in trials:
        first.setdefault(trial.digest, trial)
    return list(first.values())


def _stages(records: list[Record], evaluation: Evaluation | None) -> tuple[Stage, ...]:
    found = [r.stage for r in records if isinstance(r, CheckRun | Trial | Decision | LearningCurve | Plan)]
    if evaluation is not None:
        found.append("final")
    order = sorted(dict.fromkeys(found), key=lambda name: list(STAGES).index(name) if name in STAGES else len(STAGES))
    return tuple(_stage(name, records) for name in order)


def _stage(name: str, records: list[Record]) -> Stage:
    return Stage(
        name,
        STAGES.get(name, ""),
        tuple(r for r in select(records, CheckRun) if r.stage == name),
        tuple(r for r in select(records, Trial) if r.stage == name),
        tuple(r for r in select(records, Decision) if r.stage == name),
        tuple(r for r in select(records, Plan) if r.stage == name and not begun(r)),
        tuple(r for r in select(records, LearningCurve) if r.stage == name),
    )


def _cost(stage: Stage, evaluation: Evaluation | None) -> Cost:
    final = evaluation.seconds if evaluation is not None and stage.name == "final" else 0.0
    return Cost(
        stage.name,
        len(stage.trials),
        sum(t.epochs for t in stage.trials),
        sum(t.startup_seconds for t in stage.trials),
        sum(t.own_seconds - t.startup_seconds for t in stage.trials) + sum(cost_of_hopeless(p) for p in stage.plans),
        sum(c.seconds for c in stage.checks) + final,
    )
