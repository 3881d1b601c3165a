"""One call of fit, examined: suspicions, trials, verdict."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from keras_recipe.core.diagnosis import Diagnosis, Fault, Grade, graded
from keras_recipe.diagnosis import inputs, labels, leaks, proof, settings, splits
from keras_recipe.diagnosis.case import Case, open_case, targets_of
from keras_recipe.diagnosis.fitting import Fit
from keras_recipe.diagnosis.probe import Probe, Variant
from keras_recipe.diagnosis.proof import Own, Tried, Verdict
from keras_recipe.diagnosis.reference import Reference, reference
from keras_recipe.diagnosis.repairs import SUSPECTS, Repair, suspected
from keras_recipe.diagnosis.repairs.balance import GAIN, MISSED, recall
from keras_recipe.diagnosis.rivals import Rivals, rivals, together
from keras_recipe.diagnosis.rows import Data, Rows, data_of, hold_out, leaves, mapped, sorted_nest
from keras_recipe.reseed import seeded

MARGIN = 0.05
"""Difference of scores, in parts of the way from a constant to perfect, below which nothing is said."""

ERRORS = 2.5
"""The same in standard errors of a score."""

CHECKS = (
    "augmentation", "callback_mode", "column_by_heart", "epochs", "inputs_differ", "labels_agree", "labels_belong",
    "labels_in_range", "labels_related", "labels_stay", "labels_vary", "learning_rate", "metric", "missing_values",
    "plain_network", "repeated_batch", "same_preparation", "same_world", "split_labels", "split_overlap",
    "target_column", "tokens", "validation",
)  # fmt: skip
"""Names of the checks that are no repairs."""

NOTED: dict[str, Grade] = {"units": "INFO", "last-activation": "INFO", "shuffling": "WARNING"}
"""Causes that are told although nothing was gained by mending them, and how loudly."""

SPOILT = ("labels", "augmentation", "duplicates")
"""Causes with which the data itself cannot be learnt; a rate or a length that helps a little says nothing then."""

Progress = Callable[[str], None]


def examine(fit: Fit, budget: float = 60.0, progress: Progress = lambda what: None) -> Diagnosis:
    """Say what is wrong with a call of fit. Weights, optimizer and random generators are put back.

    Args:
        fit: the call.
        budget: seconds that it may take, about.
        progress: told what is being done.

    Raises:
        RecipeError: the job cannot be looked at: no data, a model that does not take it.
    """
    began = time.monotonic()
    with seeded(0), warnings.catch_warnings():
        tf.get_logger().setLevel("ERROR")  # graphs of many variants are many graphs
        warnings.simplefilter("ignore")  # those of the script's own model, again and again
        deadline = began + 0.9 * budget
        progress("reading the data")
        data = data_of(fit)
        case = open_case(fit, data)
        faults = [*blocking(case)]
        data = cleaned(case, faults)
        case = replace(case, data=data, targets=targets_of(data, case.losses, case.anatomy.outputs, fit.model))
        probe = Probe(fit.model, data, case.rates, case.head.layer if case.head is not None else None)
        try:
            faults, figures = _examined(case, probe, faults, deadline, progress)
        finally:
            probe.restore()
    figures = {k: v for k, v in figures.items() if v is not None}
    unit = _unit(case)
    checked = tuple(sorted({*SUSPECTS, *CHECKS}))
    return Diagnosis(graded(faults), figures, unit, checked, time.monotonic() - began, fit.location)


def _examined(
    case: Case, probe: Probe, faults: list[Fault], deadline: float, progress: Progress
) -> tuple[list[Fault], dict[str, Any]]:
    faults += [
        *settings.metrics(case),
        *settings.callbacks(case),
        *leaks.overlap(case),
        *leaks.copied(case),
        *leaks.repeated(case),
    ]
    moved = [*splits.unlike_labels(case)]
    faults += moved
    if case.data.validation is not None and splits.shifted(case.data):
        progress("comparing training and validation data")
        found = _mismatch(case, probe, deadline)
        if found is not None:
            faults.append(found)
            moved.append(found)
    if moved or any(f.check == "split_overlap" for f in faults):
        case, probe = _held_out(case, probe)
    if not case.targets:
        return _unscored(case, probe, faults, deadline)
    progress("fitting rivals")
    each = _rivals(case)
    unlike = [] if moved else [*leaks.learnt_by_heart(case, _least(case))]
    for single, simple in zip(case.apart, each, strict=True) if not moved and not unlike else ():
        unlike += splits.unlike_inputs(single, simple, _least(single))
    faults += unlike
    if any(f.severity == "ERROR" and f.check == "same_world" for f in unlike):
        case, probe = _held_out(case, probe)
        each = _rivals(case)
    others = each[0] if len(each) == 1 else together(each)
    margin = _least(case)
    progress("training the job as it is")
    own = proof.own_training(case, probe, deadline)
    first = own.outcomes[0]
    if not moved and not unlike and not any(f.cause == "labels" for f in faults):
        scores = case.scores(first.outputs, case.data.held.y) if len(each) > 1 else [own.score]
        for single, simple, reached in zip(case.apart, each, scores, strict=True):
            faults += labels.mislabelled(single, simple, _least(single), reached)
    figures: dict[str, Any] = {
        "score": own.score, "spread": own.spread, "training score": own.train, "constant": case.dumb,
        **dict(others.scores), "steps": first.steps, "planned steps": first.planned, "weights moved": first.moved,
    }  # fmt: skip
    suspects = sorted(suspected(case, first), key=lambda r: (not r.impossible, r.rank))
    sick = symptoms(case, own, others, margin)
    # Where the validation data is of another world, the job is judged by training rows, which are as they should be.
    spoilt = any(f.cause in SPOILT and f.severity == "ERROR" and f.check != "same_world" for f in faults)
    figures["symptoms"] = sick
    trials: list[Tried] = []
    score = own.score
    # Nobody tells of an autoencoder whether it is sick.
    cheap = (first.seconds < 3 or case.reconstruction) and bool(suspects)
    if (sick and not (spoilt and len(sick) == 1 and not suspects)) or any(r.impossible for r in suspects) or cheap:
        steps, score = proof.length(case, probe, own, len(suspects), deadline)
        for trial in proof.prove(case, probe, own, suspects, margin, deadline, steps, others.best):
            progress(f"tried {', '.join(r.name for r in trial.repairs)}: {trial.score:.3f}")
            trials.append(trial)
    figures["tried"] = [[" + ".join(r.name for r in t.repairs), round(t.score, 4), t.outcome.steps] for t in trials]
    verdict = proof.judge(case, own, score, trials, margin, bool(sick))
    figures |= {"best found": verdict.best, "reached": verdict.reached, "trainings": len(trials) + len(own.outcomes)}
    if spoilt and verdict.named is not None and all(r.general for r in verdict.named.repairs):
        verdict = replace(verdict, named=None)
    faults += _proved(case, own, score, verdict, trials, suspects, sick)
    named = [f for f in faults if f.severity != "INFO" and f.check != "labels_related"]
    if not named and (sick or own.score < case.dumb + margin):
        progress("training a plain network")
        plain = reference(case, deadline)
        figures |= {"plain network": plain.score} if plain is not None else {}
        if plain is not None and plain.score > case.dumb + 2 * margin:
            faults = [f for f in faults if f.check != "labels_related"]  # something says something about them
        if not any(f.check == "labels_related" for f in faults):
            faults += _unproven(case, own, others, plain, sick, margin, suspects, trials)
    if case.data.validation is None:
        faults.append(
            Fault(
                "validation",
                "INFO",
                "no-validation",
                "fit gets no validation data: whether the model generalizes is not seen",
                expected="validation_data or validation_split",
                measured="none",
                hint="hold some rows out",
                patch="validation_split=0.2",
                location=case.fit.location,
            )
        )
    return faults, figures


def _held_out(case: Case, probe: Probe) -> tuple[Case, Probe]:
    """The same job, judged by training rows that are held out, since its validation data is of no use."""
    case = replace(case, data=hold_out(case.data))
    probe.restore()
    return case, Probe(case.model, case.data, case.rates, case.head.layer if case.head is not None else None)


def _rivals(case: Case) -> list[Rivals]:
    if case.reconstruction:
        return [Rivals(case.dumb)]
    return [rivals(single.data, single.targets[0]) for single in case.apart]


def _least(case: Case) -> float:
    """The least difference of scores that means something."""
    return max(MARGIN * (1 - case.dumb), ERRORS * case.error)


def blocking(case: Case) -> Iterator[Fault]:
    """Faults with which nothing can be learnt; they are cleaned away before anything else is looked for."""
    yield from inputs.missing(case)
    yield from inputs.tokens(case)
    yield from inputs.alike(case)
    yield from labels.one_label(case)
    yield from labels.wandering(case)
    yield from labels.out_of_range(case)


def symptoms(case: Case, own: Own, others: Rivals, margin: float) -> list[str]:
    """What makes a job sick, in words; nothing where it is well."""
    first, found = own.outcomes[0], []
    if not first.finite:
        found.append("the loss is not finite")
    if first.moved < proof.STILL and first.steps >= 5:
        found.append(f"weights moved by {first.moved:.1g} of their size")
    if first.finite and proof.constant(first):
        found.append("the outputs are the same for every example")
    if case.data.toy and own.score < case.dumb + 0.5 * (1 - case.dumb):
        found.append(f"it does not fit its {len(case.data.train)} rows: {own.score:.3f}")
    simple = len(case.anatomy.weighted) <= 1
    rival = others.linear if simple else others.best
    if own.score < rival - margin:
        found.append(f"it scores {own.score:.3f}, {'a linear model' if simple else others.best_name} {rival:.3f}")
    return found


def _mismatch(case: Case, probe: Probe, deadline: float) -> Fault | None:
    """Whether the job does better on validation inputs that are brought to the moments of the training inputs."""
    matched = splits.matched(case.data)
    probe.train(Variant(), steps=1)  # traces, which on a busy machine would take all the time of the training
    outcome = probe.train(Variant(), 0, max(3.0, 0.2 * (deadline - time.monotonic())), extra=matched)
    as_given, brought = case.held_score(outcome), case.score(outcome.extra, matched.y)
    margin = max(2 * MARGIN * (1 - case.dumb), ERRORS * case.error)
    (mean, deviation), *_ = case.data.train.moments
    assert case.data.validation is not None
    (other, width), *_ = case.data.validation.moments
    sure = splits.rescaled(case.data) and brought > as_given - margin
    if not case.targets or (brought - as_given < margin and not sure):
        return None
    return Fault(
        "same_preparation",
        "ERROR",
        "preprocessing-mismatch",
        "training and validation inputs are prepared differently",
        expected=f"mean {np.mean(mean):.3g}, deviation {np.mean(deviation):.3g}, as in training",
        measured=f"mean {np.mean(other):.3g}, deviation {np.mean(width):.3g} in validation",
        hint="prepare every split by the same function, fitted on the training split",
        location=case.fit.location,
        evidence={"score": as_given, "score once brought to the same moments": brought},
    )


def _proved(
    case: Case, own: Own, score: float, verdict: Verdict, trials: list[Tried], suspects: list[Repair], sick: list[str]
) -> Iterator[Fault]:
    named = verdict.named
    yours = f"yours {own.score:.3f}"
    if own.outcomes[0].steps > (named.outcome.steps if named else 0):  # watched for longer than repairs were tried
        yours = f"yours {score:.3f}, and {own.score:.3f} after {own.outcomes[0].steps:,}"
    told: set[str] = set()
    if named is not None:
        for repair in sorted(named.repairs, key=lambda r: r.rank):
            others = list(verdict.alternatives)
            gain = (
                f"with {' and '.join(r.name for r in named.repairs)} the score is {named.score:.3f} after "
                f"{named.outcome.steps:,} steps, {yours}"
            )
            facts = {
                "score": own.score, "score with the repair": named.score, "constant": case.dumb,
                "steps": named.outcome.steps,
                "repairs": [r.name for r in named.repairs], "symptoms": sick,
                "suffices as well": [[r.name for r in t.repairs] for t in others[:6]],
                "tried": [{"repairs": [r.name for r in t.repairs], "score": t.score} for t in trials[:40]],
            }  # fmt: skip
            for cause in repair.causes:
                if cause in told:
                    continue
                told.add(cause)
                yield _fault(repair, cause, verdict.severity, gain, facts)
    yield from _hidden_by_accuracy(case, own, trials, told)
    for repair in suspects:
        if repair.impossible and not set(repair.causes) & told:
            told |= set(repair.causes)
            mended = next((t for t in trials if t.repairs == (repair,)), None)
            facts = {"score": own.score, "score with the repair": mended.score if mended else None}
            for cause in repair.causes:
                yield _fault(repair, cause, "ERROR", repair.measured, facts)
        elif repair.certain and repair.causes[0] in NOTED and not set(repair.causes) & told:
            mended = next((t for t in trials if t.repairs == (repair,)), None)
            facts = {"score": own.score, "score with the repair": mended.score if mended else None}
            said = "it does no harm that could be proved here: " + repair.measured
            yield _fault(repair, repair.causes[0], NOTED[repair.causes[0]], said, facts)


def _hidden_by_accuracy(case: Case, own: Own, trials: list[Tried], told: set[str]) -> Iterator[Fault]:
    """A class that is hardly ever found, though weighing it finds it, and no metric but accuracy that would tell."""
    weighed = next((t for t in trials if t.variant.balanced and len(t.repairs) == 1), None)
    if weighed is None or case.target is None or told or not settings.only_accuracy(case):
        return
    y, logits = leaves(case.data.held.y)[0], case.loss.from_logits
    before = recall(case.target, y, leaves(own.outcomes[0].outputs)[0], logits)
    after = recall(case.target, y, leaves(weighed.outcome.outputs)[0], logits)
    if before.min() > MISSED or after.mean() - before.mean() < GAIN:
        return
    told |= {"imbalance", "metric"}
    said = (
        f"{before.min():.0%} of the rarest class is found, {after.min():.0%} with its examples weighted; balanced "
        f"accuracy {before.mean():.3f} and {after.mean():.3f}"
    )
    for cause in ("imbalance", "metric"):
        yield _fault(weighed.repairs[0], cause, "ERROR", said, {"found": before.tolist(), "weighted": after.tolist()})


def _fault(repair: Repair, cause: str, severity: Any, message: str, facts: dict[str, Any]) -> Fault:
    return Fault(
        repair.check,
        severity,
        cause,
        message,
        repair.layer,
        repair.location,
        repair.expected,
        repair.measured,
        repair.hint,
        repair.patch,
        facts,
    )


def _unproven(
    case: Case,
    own: Own,
    others: Rivals,
    plain: Reference | None,
    sick: list[str],
    margin: float,
    suspects: list[Repair],
    trials: list[Tried],
) -> Iterator[Fault]:
    if not case.known_loss and own.outcomes[0].finite and proof.falls(own.outcomes[0]):
        return  # outputs that mean something else, a distance or a quantile, are for the script to read
    best = max(others.best, plain.score if plain is not None else case.dumb)
    reached = (own.score - case.dumb) / max(best - case.dumb, 1e-9)
    hard = any("not finite" in s or "moved" in s for s in sick)
    if best - case.dumb < margin or (reached >= 0.7 and not hard):
        return
    grave = reached < proof.GRAVE and not own.outcomes[0].cut
    # Medians, shares and logarithms are not what a squared error scores.
    grave &= case.target is None or case.target.kind != "regression" or case.loss.name == "mean_squared_error"
    untried = {r.check for r in suspects} - {r.check for t in trials for r in t.repairs}
    if plain is not None and plain.score - case.dumb > 4 * margin and grave and not untried:
        yield Fault(
            "plain_network",
            "ERROR",
            "architecture",
            f"{plain.name} learns from the same rows what this model does not, and no repair that was tried mends it",
            expected=f"{plain.score:.3f}, after {plain.steps:,} steps of Adam",
            measured=f"{own.score:.3f}, of a constant {case.dumb:.3f}",
            hint="does information get from the input to the output? Averages forget order, narrow layers lose most",
            location=case.fit.location,
            evidence={"symptoms": sick, "plain network": plain.score},
        )
        return
    for repair in suspects:
        said = f"{repair.name} is worth a try: it is suspected, but time or figures did not suffice to prove it"
        yield _fault(repair, repair.causes[0], "WARNING", said, {"symptoms": sick})
    if suspects:
        return
    yield Fault(
        "cause_not_proven",
        "WARNING",
        "architecture",
        "it does not learn what simple models learn from the same rows, and no repair that was tried mends it",
        expected=f"{best:.3f}, which {plain.name if plain and best > others.best else others.best_name} reach",
        measured=f"{own.score:.3f}",
        hint="look at the model: does information get from the input to the output?",
        location=case.fit.location,
        evidence={"symptoms": sick},
    )


def _unscored(case: Case, probe: Probe, faults: list[Fault], deadline: float) -> tuple[list[Fault], dict[str, Any]]:
    """A job whose targets nobody but itself understands: only what is proved without a score."""
    outcome = probe.train(Variant(), 0, max(2.0, 0.4 * (deadline - time.monotonic())))
    figures = {"steps": outcome.steps, "planned steps": outcome.planned, "weights moved": outcome.moved}
    if not np.isfinite(outcome.losses).all():
        faults.append(
            Fault(
                "loss_finite",
                "ERROR",
                "learning-rate",
                "the loss is not finite",
                expected="a finite loss",
                measured=f"{outcome.losses[-1]} after {len(outcome.losses)} steps",
                hint="lower the learning rate",
                location=case.fit.location,
            )
        )
    return faults, figures


def cleaned(case: Case, faults: list[Fault]) -> Data:
    """The data without what was found to be impossible, so that other faults show."""
    data = case.data
    if any(f.cause == "nan-data" for f in faults):
        data = replace(data, train=_finite(data.train), held=_finite(data.held))
    if any(f.check == "labels_in_range" and f.cause == "labels" for f in faults) and case.target is not None:
        values = np.array(case.target.values)

        def numbered(y: np.ndarray) -> np.ndarray:
            return np.searchsorted(values, y.astype("float64")).clip(0, min(len(values), max(case.units, 2)) - 1)

        def mended(rows: Rows) -> Rows:
            return replace(rows, y=mapped(lambda y: numbered(y).astype("float32"), rows.y))

        if len(values):
            data = replace(data, train=mended(data.train), held=mended(data.held))
    for _, size, leaf in inputs.cut_off(case) if any(f.check == "tokens" for f in faults) else ():
        known, place = np.unique(leaf), [a is leaf for a in leaves(case.data.train.x)].index(True)
        if len(known) <= size:
            train, held = (_looked_up(rows, place, known) for rows in (data.train, data.held))
            validation = data.validation and _looked_up(data.validation, place, known)
            data = replace(data, train=train, held=held, validation=validation)
    return data


def _looked_up(rows: Rows, place: int, known: np.ndarray) -> Rows:
    """One of the arrays of inputs as places among the values that are known."""
    places = iter(range(len(leaves(rows.x))))

    def looked_up(a: np.ndarray) -> np.ndarray:
        if next(places) != place:
            return a
        return np.searchsorted(known, a).clip(0, len(known) - 1).astype("float32")

    return replace(rows, x=mapped(looked_up, sorted_nest(rows.x)))


def _finite(rows: Rows) -> Rows:
    bad = np.zeros(len(rows), bool)
    for leaf in [*leaves(rows.x), *leaves(rows.y)]:
        if leaf.dtype.kind == "f":
            bad |= ~np.isfinite(leaf.reshape(len(leaf), -1)).all(axis=1)
    if bad.mean() <= 0.5:
        return rows.take(np.flatnonzero(~bad))

    def filled(a: np.ndarray) -> np.ndarray:
        if a.dtype.kind != "f":
            return a
        finite = np.where(np.isfinite(a), a, np.nan)
        mean = np.nan_to_num(np.nanmean(finite, axis=0))
        return np.where(np.isfinite(a), a, mean).astype(a.dtype)

    return Rows(mapped(filled, rows.x), mapped(filled, rows.y), rows.weights)


def _unit(case: Case) -> str:
    if not case.targets:
        return ""
    names = {
        "multiclass": "mean of accuracy and balanced accuracy",
        "binary": "mean of balanced accuracy and area under the ROC curve",
        "multilabel": "mean over labels of balanced accuracy and area under the ROC curve",
        "regression": "1 - RMSE / deviation of the targets",
    }
    return names[case.targets[0].kind]
