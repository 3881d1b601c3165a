"""What the journal holds. Everything that a person sees is computed from these values.

Scores are in the unit of the objective (accuracy 0..1, RMSE in the target's unit, ...); `Run.objective` says
whether higher is better. `seconds` fields are the only ones in which two runs of the same problem differ.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from keras_recipe.core.shown import shown

Severity = Literal["ok", "info", "warning", "error"]


@dataclass(frozen=True)
class Objective:
    """What counts as better: the name of a metric and its direction."""

    metric: str
    higher_is_better: bool

    def better(self, a: float, b: float) -> bool:
        """True if score `a` is strictly better than `b`."""
        return a > b if self.higher_is_better else a < b


@dataclass(frozen=True)
class Table:
    """Figures that belong side by side, for a person to read.

    Attributes:
        columns: headings.
        rows: as many cells as there are columns in each; text, numbers or None.
        bars: heading of the column whose numbers are drawn as bars too (a histogram, a count of classes), those below
            0 as none; "" for none.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | None, ...], ...]
    bars: str = ""


SUSPECTS = "suspects.csv"
"""Where a run directory lists the suspects of its checks."""

OUTCOMES = "outcomes.npz"
"""Where a run directory keeps what the model gains with each example of the splits that it was judged on."""


@dataclass(frozen=True)
class Suspect:
    """An example that somebody should look at: a line of suspects.csv.

    Attributes:
        split, example: where it is, and its path or row number.
        given, likely: its label, and the one it seems to have; "" where there is none to name.
        confidence: 0..1, how sure the finding is, by the measure that `reason` names.
        reason: in a few words.
    """

    split: str
    example: str
    given: str
    likely: str
    confidence: float
    reason: str


@dataclass(frozen=True)
class Finding:
    """What a check has found.

    Attributes:
        severity: "ok" (looked, and it is as it should be), "info", "warning", "error" (the recipe stops).
        cause: a word of the diagnosis vocabulary ("loss", "imbalance", ...) or of the check itself.
        message: one sentence for a person.
        expected, measured: the two sides of the comparison, as text with units.
        hint: what to do.
        evidence: figures behind the sentence, JSON values only.
        artifact: path of a picture, relative to the run directory.
        table: what the picture of a distribution, or a list of examples, is made of.
        suspects: examples that the user should decide about, the surest first.
    """

    severity: Severity
    cause: str
    message: str
    expected: str = ""
    measured: str = ""
    hint: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    artifact: str | None = None
    table: Table | None = None
    suspects: tuple[Suspect, ...] = ()

    def _repr_html_(self) -> str:
        return shown("findings", [self])


class Findings(tuple[Finding, ...]):
    """Findings in their order, which a notebook shows one below the other."""

    def _repr_html_(self) -> str:
        return shown("findings", self)


@dataclass(frozen=True)
class Run:
    """First line of a journal: the problem and how it is run.

    Attributes:
        problem: what `Problem.summary()` returned: name, kind, task, classes, shape, sizes, loss, human_score.
        fingerprint: identifies data, split and objective.
        versions: of Python and the packages that numbers depend on.
        settings: the user's choices that a rerun must repeat (moves, plan, ...), as JSON values.
        command: as it was typed; "" for a run from Python.
    """

    key: str
    fingerprint: str
    problem: dict[str, Any]
    objective: Objective
    seed: int
    budget: float
    versions: dict[str, str]
    settings: dict[str, Any]
    command: str = ""


@dataclass(frozen=True)
class CheckRun:
    """One check, run once: its findings, none of them where there was nothing to say."""

    key: str
    stage: str
    check: str
    description: str
    findings: tuple[Finding, ...]
    seconds: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "findings", Findings(self.findings))

    def _repr_html_(self) -> str:
        return shown("checks", [self])


class CheckRuns(list[CheckRun]):
    """Checks in their order, which a notebook shows with their findings."""

    def _repr_html_(self) -> str:
        return shown("checks", self)


TRACE_SECONDS = 5.0
"""Part of a trial's start-up at most that another trial may have to pay again: building and tracing a graph."""


@dataclass(frozen=True)
class Trial:
    """One training run and its result: a pure function of problem, config and seed.

    Attributes:
        score, loss: on the whole validation split, by the weights that were kept.
        train_score, train_loss: of the same weights on the training split, without augmentation and dropout.
        history: one value an epoch of "loss", "score" (running, as trained), "val_loss", "val_score".
        best_epoch: epoch (1 is the first) of the kept weights.
        parameters: number of trainable weights.
        stopped: why training ended: "epochs", "fitted", "patience", "budget" or "diverged".
        seconds: all of it, `startup` the part before the first gradient step (building, tracing), `inherited` that of
            another trial whose last epoch this one went on from.
    """

    key: str
    stage: str
    config: dict[str, Any]
    digest: str
    seed: int
    score: float
    loss: float
    train_score: float
    train_loss: float
    history: dict[str, list[float]]
    epochs: int
    best_epoch: int
    parameters: int
    stopped: str
    examples: int
    seconds: float
    startup_seconds: float
    inherited_seconds: float = 0.0

    @property
    def own_seconds(self) -> float:
        """Without what is inherited."""
        return self.seconds - self.inherited_seconds

    @property
    def again_seconds(self) -> float:
        """What one more trial of this config takes, of another seed: features are there, and only a trace may be made
        once more, in another thread."""
        return self.seconds - max(0.0, self.startup_seconds - TRACE_SECONDS)


@dataclass(frozen=True)
class Decision:
    """A move or a rung of the ladder, judged.

    Attributes:
        before, after: digests of the two configs; `change` maps each leaf that differs to [before, after].
        config: leaves of `after`.
        before_score, after_score: means over the seeds that both were trained with.
        effect, low, high: gain by the candidate in the objective's unit (positive is better, whatever the
            metric's direction), and its 95 % interval over seeds and validation examples.
        seeds: number of seeds compared.
        reason: one sentence.
        expected: gain that the move was expected to bring, in the same unit; None where nothing was said.
        margin: what a smaller model may lose, in the objective's unit; 0 for a candidate that has to be better.
    """

    key: str
    stage: str
    move: str
    description: str
    before: str
    after: str
    change: dict[str, list[Any]]
    config: dict[str, Any]
    before_score: float
    after_score: float
    effect: float
    low: float
    high: float
    seeds: int
    accepted: bool
    reason: str
    seconds: float
    margin: float = 0.0
    expected: float | None = None

    def _repr_html_(self) -> str:
        return shown("decision", self)


@dataclass(frozen=True)
class CurvePoint:
    """A point of a learning curve.

    Attributes:
        examples: trained on.
        seeds: that were trained, 0 for a forecast.
        score, low, high: mean validation score over the seeds, and its 95 % interval over seeds and examples.
    """

    examples: int
    seeds: int
    score: float
    low: float
    high: float


@dataclass(frozen=True)
class LearningCurve:
    """What a config reaches on parts of the training split, and what more data would bring.

    Attributes:
        config, digest: of the trials on all of the `examples`.
        points: the parts, ascending, and all of it.
        c, a, b: of the law error(n) = c + a * (n / examples) ** -b; the error is 1 - score where higher is better,
            else the score.
        factor: times the data that `gain` speaks of.
        gain, low, high: in the objective's unit, positive being better, with its 95 % interval.
        forecast: scores that the law gives for more data.
        sentence: the gain in words.
        seconds: that the trials on parts took.
    """

    key: str
    stage: str
    config: dict[str, Any]
    digest: str
    examples: int
    points: tuple[CurvePoint, ...]
    c: float
    a: float
    b: float
    factor: float
    gain: float
    low: float
    high: float
    forecast: tuple[CurvePoint, ...]
    sentence: str
    seconds: float


@dataclass(frozen=True)
class Plan:
    """A choice that depends on measured time; recorded, so that a rerun repeats it. Also says what was skipped.

    Attributes:
        seconds: of work behind it, where that is not on another record.
        expected: gain that a move was expected to bring, in the objective's unit, where it was skipped for lack of
            time; None for anything else.
    """

    key: str
    stage: str
    name: str
    value: Any
    reason: str
    seconds: float = 0.0
    expected: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """The end: the test split, read once.

    Attributes:
        trial: key of the trial whose weights became the model; the best of them where they are several.
        members: keys of all trials whose predictions the model averages.
        score, low, high: on the test split with its 95 % interval; `method` names the interval.
        validation_score: of the same model on the validation split.
        baselines: name of a dumb baseline to its test score.
        examples: size of the test split.
        confusion: counts, [true class][predicted class]; None for regression.
        verified: largest difference between the predictions of the exported file, loaded in a new process,
            and those of the trained model.
        artifact: path of a picture (the most confident mistakes), relative to the run directory.
        mistakes: the test examples that were most confidently mistaken, or for regression those with the largest
            errors; None where there are none.
        reads: how often the test split has been read by then: twice after a run that went on with more data.
        pictures: paths of a picture of each mistake, relative to the run directory; empty where the data is no
            pictures.
        judged: name of a split, "validation" or "test", to a fingerprint of its examples and labels: those of two runs
            are compared one by one where it is the same. The model's gains are in OUTCOMES, in this order.
    """

    key: str
    trial: str
    config: dict[str, Any]
    score: float
    low: float
    high: float
    method: str
    validation_score: float
    baselines: dict[str, float]
    examples: int
    confusion: list[list[int]] | None
    verified: float
    seconds: float
    artifact: str | None = None
    members: list[str] = field(default_factory=list)
    mistakes: Table | None = None
    reads: int = 1
    pictures: list[str] = field(default_factory=list)
    judged: dict[str, str] = field(default_factory=dict)


Record = Run | CheckRun | Trial | Decision | LearningCurve | Plan | Evaluation

_TYPES: dict[str, type[Any]] = {t.__name__: t for t in Record.__args__}


def to_json(record: Record) -> dict[str, Any]:
    """The record as JSON values, its type under "type"."""
    return {"type": type(record).__name__} | dataclasses.asdict(record)


def from_json(line: dict[str, Any]) -> Record:
    """Inverse of `to_json`. Fields that this version does not know are dropped."""
    cls = _TYPES[line["type"]]
    known = {f.name for f in dataclasses.fields(cls)}
    values = {k: v for k, v in line.items() if k in known}
    if cls is CheckRun:
        values["findings"] = tuple(_finding(f) for f in values["findings"])
    if cls is LearningCurve:
        values |= {name: tuple(CurvePoint(**p) for p in values[name]) for name in ("points", "forecast")}
    if cls is Run:
        values["objective"] = Objective(**values["objective"])
    if cls is Evaluation:
        values["mistakes"] = _table(values.get("mistakes"))
    record: Record = cls(**values)
    return record


def _table(values: dict[str, Any] | None) -> Table | None:
    if values is None:
        return None
    return Table(tuple(values["columns"]), tuple(map(tuple, values["rows"])), values["bars"])


def _finding(values: dict[str, Any]) -> Finding:
    known = {f.name: values[f.name] for f in dataclasses.fields(Finding) if f.name in values}
    known["table"] = _table(known.get("table"))
    known["suspects"] = tuple(Suspect(**s) for s in known.get("suspects", ()))
    return Finding(**known)
