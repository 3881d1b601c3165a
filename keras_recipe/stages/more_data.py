"""Get more data, the first thing to do against overfitting: what would twice as much bring?"""

from __future__ import annotations

from collections.abc import Sequence

from keras_recipe import learning_curve
from keras_recipe.compare import SEEDS
from keras_recipe.core.config import Config
from keras_recipe.core.records import CheckRun, CurvePoint, LearningCurve, Trial
from keras_recipe.objectives import METRICS, amount
from keras_recipe.stages.incumbent import Incumbent, trained
from keras_recipe.study import Study, rounds

LEARNING_CURVE = "learning_curve"
"""Its name among the moves, for whoever chooses what is tried."""

SHARES = (0.125, 0.25, 0.5)
"""Shares of the training split that are trained on, besides all of it."""

COARSE = SHARES[1:]
"""Those of a coarse curve, with one seed each, where the budget holds no trial of all of them."""

BUDGET_SHARE = 0.1
"""Part of the time that is left which the curve may take: it changes no model, it advises."""

LEAST = 32
"""Training examples of the smallest subset, at least: fewer say nothing of the law."""

FACTOR, FURTHER = 2.0, 4.0
"""How many times the data the sentence speaks of, and how far the chart goes."""


def tell_of_more(study: Study) -> CheckRun:
    """Record what reading the added examples has shown: a run that goes on does not look at its data again."""
    key = f"check/regularize/more_data/{study.problem.more}"
    found = tuple(f for f in study.problem.findings if f.cause == "more-data")
    text = "The examples that were added, and those that were left out."
    return study.memo(CheckRun, key, lambda: CheckRun(key, "regularize", "more_data", text, found, 0.0))


def draw_curve(study: Study, config: Config, kept: float = 0.0) -> LearningCurve | None:
    """The learning curve of the config; None, with the reason on record, where it cannot be had.

    Args:
        study: the trials so far. Those of the config itself, on all of the training split, are the last point.
        config: the one to beat.
        kept: seconds of the budget that are for the stages behind it.
    """
    incumbent = trained(study, config, "regularize", kept)
    if incumbent is None or len(incumbent.trials) < SEEDS[0]:
        _left_out(study, config, "not enough of the budget is left for more seeds of the model itself")
        return None
    key = f"curve/{config.digest()}"
    known = study.journal.get(LearningCurve, key)
    if known is not None:
        return known
    full = len(study.learner.rows(config, 0))
    if full * SHARES[0] < LEAST:
        _left_out(study, config, f"of {full:,} training examples, an eighth is too few to learn from")
        return None
    shares, count = _affordable_points(study, incumbent, full)
    if not count:
        _left_out(study, config, "not enough of the budget is left")
        return None
    try:
        trials = study.trials(incumbent.stage, _pairs(study, config, shares, count), incumbent.kept, whole=True)
    except TimeoutError:
        trials = []
    if not trials or any(t.stopped == "diverged" for t in trials):
        _left_out(study, config, "the budget ended, or training diverged, while it was trained")
        return None
    points = [trials[i * count : (i + 1) * count] for i in range(len(shares))]
    study.forget_weights(trials)
    return study.memo(LearningCurve, key, lambda: _fitted(study, incumbent, key, [*points, incumbent.trials]))


def _left_out(study: Study, config: Config, why: str) -> None:
    study.skip("regularize", LEARNING_CURVE, why, of=config)


def _part(config: Config, share: float) -> Config:
    """The config that learns from a share of the training split, in as many gradient steps as from all of it.

    With Adam at a constant rate, models on fewer examples need their steps to fit. In the epochs of the full trial,
    small_cnn(width=16) on an eighth of digits came to 56.1 % validation accuracy (training 62.9 %), in 2.8 times the
    epochs to 76.3 % (85.7 %), in the same number of steps to 90.4 % (99.8 %), and on all of digits to 96.3 % (97.0 %).
    The first two measure how short the training was, and would praise more data for what more steps bring.
    """
    patience = config.patience and round(config.patience / share)
    return config.replace(train_share=share, epochs=round(config.epochs / share), patience=patience)


def _pairs(study: Study, config: Config, shares: Sequence[float], count: int) -> list[tuple[Config, int]]:
    """The trials of a curve: so many seeds of each share."""
    return [(_part(config, share), seed) for share in shares for seed in study.seeds(count)]


def _affordable_points(study: Study, incumbent: Incumbent, full: int) -> tuple[tuple[float, ...], int]:
    """The shares, and the seeds of each, that the budget holds: as many as it does of SHARES, else one of COARSE; 0
    seeds where it does not hold those."""
    config = incumbent.config

    def choose() -> tuple[list[object], str]:
        allowed = min(BUDGET_SHARE * study.remaining, study.remaining - incumbent.kept)
        for shares, count in [*((SHARES, count) for count in range(SEEDS[0], 0, -1)), (COARSE, 1)]:
            # As many gradient steps as the full trial, but the validation split is looked at after each shorter epoch.
            look = len(study.problem.validation) / 3
            each = incumbent.seconds * (full + look / shares[0]) / (full + look)
            needed = rounds(study, _pairs(study, config, shares, count)) * each
            what = f"{count} of each of {len(shares)} parts take {needed:.0f} s, of {allowed:.0f} s that they may take"
            if needed <= allowed:
                return [shares, count], what
        return [COARSE, 0], what

    name = f"points of the learning curve in {study.budget:.0f} s ({config.digest()[:6]})"
    shares, count = study.plan(incumbent.stage, name, choose).value
    return tuple(shares), count


def _fitted(study: Study, incumbent: Incumbent, key: str, points: Sequence[Sequence[Trial]]) -> LearningCurve:
    problem, config = study.problem, incumbent.config
    metric = problem.objective.metric
    configs = [Config.from_leaves(p[0].config) for p in points]
    sizes = [len(study.learner.rows(c, p[0].seed)) for c, p in zip(configs, points, strict=True)]
    curve = learning_curve.fit(metric, sizes, [study.gains(p) for p in points], study.seed)
    gain, low, high = curve.gain(FACTOR)
    law = curve.law
    return LearningCurve(
        key=key,
        stage=incumbent.stage,
        config=config.leaves(),
        digest=config.digest(),
        examples=sizes[-1],
        points=tuple(
            CurvePoint(n, len(p), _score(metric, e), *sorted((_score(metric, a), _score(metric, b))))
            for n, p, e, a, b in zip(sizes, points, curve.errors, curve.low, curve.high, strict=True)
        ),
        c=float(law.c[0]),
        a=float(law.a[0]),
        b=float(law.b[0]),
        factor=FACTOR,
        gain=gain,
        low=low,
        high=high,
        forecast=tuple(_forecast(metric, curve, sizes[-1], factor) for factor in (FACTOR, FURTHER)),
        sentence=f"twice the data would bring {amount(metric, gain, sign=True)} "
        f"({amount(metric, low, unit=False)} to {amount(metric, high, unit=False)})",
        seconds=sum(t.seconds for p in points[:-1] for t in p),
    )


def _forecast(metric: str, curve: learning_curve.Fit, examples: int, factor: float) -> CurvePoint:
    error, low, high = curve.error(factor)
    ends = sorted((_score(metric, low), _score(metric, high)))
    return CurvePoint(round(examples * factor), 0, _score(metric, error), *ends)


def _score(metric: str, error: float) -> float:
    """An error of the curve in the unit of the objective's scores."""
    return float(1.0 - error if METRICS[metric].higher_is_better else error)
