"""Signals one by one: what each group of inputs brings, beside what it was expected to bring.

"If you have multiple signals to plug into your classifier I would advise that you plug them in one by one and every
time ensure that you get a performance boost you'd expect." (Karpathy, 2019, part 3)
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_recipe import dumb
from keras_recipe.cheap import components, judged_by_trees
from keras_recipe.compare import Effect, compare_average
from keras_recipe.core.config import Config, digest
from keras_recipe.core.errors import RecipeError, nearest
from keras_recipe.core.progress import Progress
from keras_recipe.core.records import CheckRun, Finding, Table, Trial
from keras_recipe.core.spec import Spec
from keras_recipe.core.wording import plural
from keras_recipe.models import MODELS
from keras_recipe.objectives import METRICS
from keras_recipe.problem import Problem, Split
from keras_recipe.study import Study

STAGE = "signals"

SHARE = 0.08
"""Part of the time that is left which the trials may take."""

GROUPS = 4
"""Groups of features, where the user names none."""

FEATURES = 200
"""Features above which they are not taken one by one: pixels and embeddings by the thousand mean nothing alone."""

ROWS, PICTURES, SIDE = 10_000, 5000, 32
"""Training examples that the cheap model is fitted on, of tables and of pictures, and the side that it sees these at:
more detail than that means nothing to trees."""

LEAST = 8
"""Pixels of the smallest side that pictures are shown at."""

EXPECTED, LESS, NOTHING = (
    "brings what was expected",
    "brings less: look at how it is fed",
    "brings nothing beyond noise",
)


@dataclass(frozen=True)
class Signal:
    """One step.

    Attributes:
        name: of what is added.
        features: names that the model sees from then on; () for pictures.
        size: side that pictures are shown at; 0 for features.
        config: of the model that sees this signal and all before it.
    """

    name: str
    features: tuple[str, ...]
    size: int
    config: Config


def signals(
    study: Study,
    config: Config,
    groups: Mapping[str, Sequence[str]] | None = None,
    expect: Mapping[str, float] | None = None,
) -> Config:
    """Train with one signal, two, and so on, and record what each brings. The config that goes on has all of them.

    Features of tables and vectors come in groups, those that tell most of the label first; pictures small, then larger.
    What is expected is what trees on the same inputs gain, or what the user says.

    Args:
        study: the trials so far.
        config: what `overfit` has chosen.
        groups: names of features by the name of their group, in the order in which they are added; features that none
            names come last. None for up to GROUPS of them by rank; {} for no such study.
        expect: gain that the user expects of a group, in the metric's unit, positive being better.
    """
    if groups == {}:
        return config
    found = steps(study.problem, config, groups)
    reason = "" if found else _why_not(study.problem, config)
    if not reason:
        found, reason = _affordable(study, config, found, fixed=groups is not None)
    if not reason:
        try:
            pairs = [(s.config, study.seeds(1)[0]) for s in found]
            trials = study.trials(STAGE, pairs, whole=True)
            if all(t.stopped != "diverged" for t in trials):
                key = f"check/{STAGE}/{digest([[s.name, s.config.digest()] for s in found])}"
                study.memo(CheckRun, key, lambda: _judged(study, found, trials, expect or {}, key))
                study.forget_weights([t for t, s in zip(trials, found, strict=True) if s.config != config])
                return config
            reason = "training diverged"
        except TimeoutError:
            reason = "the budget ended while they were trained"
    study.skip(STAGE, "signals one by one", reason, of=config)
    return config


def check_signals(
    problem: Problem, groups: Mapping[str, Sequence[str]] | None, expect: Mapping[str, float] | None
) -> None:
    """Raise RecipeError for features or groups that do not exist."""
    features = problem.signature.features
    for name, members in (groups or {}).items():
        for feature in members:
            if feature not in features:
                raise RecipeError(f"a feature of {problem.name} in {name!r}", repr(feature), nearest(feature, features))
    for name in expect or {}:
        if name not in (groups or {}):
            raise RecipeError("an expected gain of one of the signals", repr(name), nearest(name, groups or {}))


def read_signals(path: Path) -> tuple[dict[str, list[str]], dict[str, float]]:
    """Groups, and what is expected of them, of a file such as {"who": ["age", "sex"], "where": {"columns": ["city"],
    "expect": 0.02}}.

    Raises RecipeError where it holds anything else.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        whole = {k: v if isinstance(v, dict) else {"columns": v} for k, v in values.items()}
        groups = {str(k): [str(c) for c in v["columns"]] for k, v in whole.items()}
        return groups, {str(k): float(v["expect"]) for k, v in whole.items() if "expect" in v}
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        form = '{"name": ["column", ...], "other": {"columns": [...], "expect": 0.02}}'
        raise RecipeError(f"a JSON file such as {form}", f"{path}: {error}", "write it in that form") from error


def steps(
    problem: Problem, config: Config, groups: Mapping[str, Sequence[str]] | None, most: int = GROUPS
) -> list[Signal]:
    """The signals in the order in which they are added; empty where there are fewer than two, or the model takes no
    part of them."""
    taken = MODELS.arguments(Spec.parse(config.model).name)
    if problem.signature.kind == "image":
        return _sizes(problem, config, most) if "size" in taken and Spec.parse(config.model).name != "backbone" else []
    if (
        "without" not in taken
        or (groups is None and len(problem.signature.features) > FEATURES)
        or "without" in dict(Spec.parse(config.model).args)
    ):
        return []
    parts = _given(problem, groups) if groups is not None else _ranked(problem, most)
    found: list[Signal] = []
    for name, members in parts.items():
        seen = (*(found[-1].features if found else ()), *members)
        left_out = tuple(f for f in problem.signature.features if f not in seen)
        found.append(Signal(name, seen, 0, config.with_args("model", without=left_out or None)))
    return found if len(found) > 1 else []


def verdict(measured: Effect, expected: float, short: bool) -> str:
    """What is to be said of a signal.

    Args:
        measured: gain of the network.
        expected: gain that was expected.
        short: whether the network's gain falls short of it, beyond noise.
    """
    if short:
        return LESS
    return EXPECTED if measured.better else NOTHING


def falls_short(metric: str, network: Sequence[np.ndarray], cheap: Sequence[np.ndarray]) -> bool:
    """Whether the network gains less from a signal than a cheap model does, beyond noise, and is behind it now.

    A cheap model may gain more only because it had more to gain: a network that is ahead of it owes nothing.

    Args:
        metric: name in `objectives.METRICS`.
        network, cheap: gains of each example, (examples,), without the signal and with it.
    """
    beside = compare_average(metric, (cheap[1] - cheap[0])[None], network[1] - network[0])
    return beside.high < 0 and float(network[1].mean()) < float(cheap[1].mean())


def _sizes(problem: Problem, config: Config, most: int) -> list[Signal]:
    """Pictures at a quarter and half of their side, then whole; those left out that cost more than the whole ones."""
    from keras_recipe.models import create
    from keras_recipe.models.cost import cost

    if dict(Spec.parse(config.model).args).get("size"):
        return []
    side = min(problem.signature.shape[:2])
    whole = cost(create(config.model, problem)).multiply_adds
    found = []
    for size in (side // 4, side // 2)[-(most - 1) :]:
        smaller = config.with_args("model", size=size)
        if size >= LEAST and cost(create(smaller.model, problem)).multiply_adds <= whole:
            found.append(Signal(f"{size} pixels", (), size, smaller))
    return [*found, Signal(f"{side} pixels", (), side, config)] if found else []


def _given(problem: Problem, groups: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    found = {name: tuple(members) for name, members in groups.items()}
    named = {m for members in found.values() for m in members}
    rest = tuple(f for f in problem.signature.features if f not in named)
    return found | ({"all others": rest} if rest else {})


def _ranked(problem: Problem, most: int) -> dict[str, tuple[str, ...]]:
    """Groups of features of equal size, those first that share most information with the label."""
    from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

    rows = np.sort(np.random.default_rng(0).permutation(len(problem.train))[:PICTURES])
    x, y = np.asarray(problem.train.x[rows]), problem.train.y[rows]
    names, columns, words = list(problem.signature.features), [], []
    for positions in problem.signature.features.values():
        part = x[:, list(positions)]
        coded = len(positions) > 1 and bool(((part == 0) | (part == 1)).all())
        columns.append(part.argmax(axis=1).astype("float32") if coded else part[:, 0])
        words.append(coded)
    score = mutual_info_regression if problem.signature.task == "regression" else mutual_info_classif
    labels = y.mean(axis=1) if y.ndim > 1 else y
    information = score(np.stack(columns, axis=1), labels, discrete_features=np.array(words), random_state=0)
    ranked = [names[i] for i in np.argsort(-information, kind="stable")]
    parts = np.array_split(np.arange(len(ranked)), min(most, len(ranked)))
    return {_called([ranked[i] for i in part]): tuple(ranked[i] for i in part) for part in parts}


def _called(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"


def _why_not(problem: Problem, config: Config) -> str:
    model = Spec.parse(config.model).name
    if model == "backbone":
        return "a backbone sees one size of pictures; larger_pictures, a move, shows it larger ones"
    if problem.signature.kind == "image":
        small = min(problem.signature.shape[:2]) < 2 * LEAST
        return f"pictures are small as they are (at least {2 * LEAST} pixels)" if small else f"{model} takes no size"
    many = len(problem.signature.features) > FEATURES
    return (
        f"there are more than {FEATURES} features" if many else f"{model} takes no part of them, or there is one only"
    )


def _affordable(study: Study, config: Config, found: list[Signal], fixed: bool) -> tuple[list[Signal], str]:
    """As many steps as the budget holds, or why there are none."""

    def choose() -> tuple[int, str]:
        an_epoch = study.trials("overfit", [(config, study.seeds(1)[0])])[0].seconds
        allowed = SHARE * study.remaining
        for count in range(len(found), len(found) - 1 if fixed else 1, -1):
            needed = -(-(count - 1) // study.workers) * an_epoch
            if needed <= allowed and count == len(found):  # told without a time, which differs from run to run
                return count, "the budget holds all of them"
            if needed <= allowed:
                return count, f"{plural(count - 1, 'trial')} of {an_epoch:.1f} s fit into {allowed:.0f} s"
        return 0, f"{plural(len(found) - 1, 'trial')} of {an_epoch:.1f} s do not fit into {allowed:.0f} s"

    plan = study.plan(STAGE, f"signals ({config.digest()[:6]}, in {study.budget:.0f} s)", choose)
    if not plan.value:
        return [], plan.reason
    return (found if plan.value == len(found) else steps(study.problem, config, None, most=plan.value)), ""


def _judged(
    study: Study, found: Sequence[Signal], trials: Sequence[Trial], expect: Mapping[str, float], key: str
) -> CheckRun:
    began = time.monotonic()
    problem, metric = study.problem, study.problem.objective.metric
    y = problem.validation.y
    guess = METRICS[metric].gains(y, dumb.constant(problem)(problem.validation))
    network = [guess, *study.gains(trials)]
    cheap = [guess]
    for number, signal in enumerate(found, start=1):
        study.listener.progress(Progress(STAGE, "what trees make of each signal", number, len(found)))
        predicted = judged_by_trees(*_inputs(problem, signal), len(problem.signature.classes), study.seed)
        cheap.append(METRICS[metric].gains(y, predicted))
    rows: list[tuple[str | float, ...]] = []
    verdicts: list[str] = []
    for i, signal in enumerate(found, start=1):
        measured = compare_average(metric, network[i - 1][None], network[i])
        told = compare_average(metric, cheap[i - 1][None], cheap[i]).gain
        expected = expect.get(signal.name, told)
        if signal.name in expect:
            short = measured.high < expected
        else:
            short = falls_short(metric, network[i - 1 : i + 1], cheap[i - 1 : i + 1])
        verdicts.append(verdict(measured, expected, short))
        figures = (expected, measured.gain, measured.low, measured.high)
        rows.append((signal.name, *(float(f"{v:.4g}") for v in figures), trials[i - 1].score, verdicts[-1]))
    less = [s.name for s, v in zip(found, verdicts, strict=True) if v == LESS]
    finding = Finding(
        "warning" if less else "info",
        "signals",
        f"less than expected: {'; '.join(less)}"
        if less
        else f"{plural(len(found), 'signal')} one by one: {verdicts.count(EXPECTED)} bring what was expected",
        "a network that gains from each signal what trees gain from it, or what you expect",
        f"{verdicts.count(EXPECTED)} do, {len(less)} fall short, {verdicts.count(NOTHING)} bring nothing",
        "look at how it is encoded and scaled, and at rows where it is missing" if less else "",
        {"unit": f"gain in {metric} on the validation split; 95 % interval over its examples, one trial each"},
        table=Table(
            ("signal added", "expected", "measured", "low", "high", metric, "verdict"), tuple(rows), "measured"
        ),
    )
    said = "Signals added one by one: what each was expected to bring, and what it brings."
    return CheckRun(key, STAGE, "signals_one_by_one", said, (finding,), time.monotonic() - began)


def _inputs(problem: Problem, signal: Signal) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What trees see of the training examples, the labels of these, and what they see of the validation split."""
    picture = problem.signature.kind == "image"
    most = PICTURES if picture else ROWS
    rows = np.sort(np.random.default_rng(0).permutation(len(problem.train))[:most])
    y = problem.train.y[rows]
    if picture:
        parts = [_shown(problem.train, rows, signal.size), _shown(problem.validation, None, signal.size)]
        both = components(np.concatenate(parts))
        return both[: len(rows)], y, both[len(rows) :]
    places = [p for name in signal.features for p in problem.signature.features[name]]
    return np.asarray(problem.train.x[rows])[:, places], y, np.asarray(problem.validation.x[:])[:, places]


def _shown(split: Split, rows: np.ndarray | None, size: int) -> np.ndarray:
    """Pictures whose smaller side has `size` pixels, at most SIDE, as vectors."""
    import keras

    rows = np.arange(len(split)) if rows is None else rows
    height, width = split.x.shape[1:3]
    side = min(size, SIDE, height, width)
    shape = round(height * side / min(height, width)), round(width * side / min(height, width))
    resize = keras.layers.Resizing(*shape, antialias=True, dtype="float32")
    parts = [np.asarray(resize(split.x[rows[i : i + 256]])) for i in range(0, len(rows), 256)]
    return np.concatenate(parts).reshape(len(rows), -1)
