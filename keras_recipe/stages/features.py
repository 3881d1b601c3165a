"""Which features the trained incumbent uses: measured when a move asks, and recorded."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from keras_recipe import objectives
from keras_recipe.core.config import Config
from keras_recipe.core.progress import Progress
from keras_recipe.core.records import CheckRun, Finding, Trial
from keras_recipe.core.spec import Spec
from keras_recipe.core.wording import plural
from keras_recipe.importance import FEATURES, PERMUTATIONS, ROWS, Importance, Predict, importances, table
from keras_recipe.study import Study

SHARE = 0.02
"""Part of the time that is left which it may take."""

MODELS = 3
"""Seeds of the incumbent that are asked."""


def importances_of(study: Study, config: Config, trials: Sequence[Trial]) -> tuple[Importance, ...] | str:
    """Permutation importance of the features that the config's models see, the most important first; or why it is not
    measured: there are too many features, too little time, or fewer than two trials."""
    gone = dict(Spec.parse(config.model).args).get("without", ())
    names = [n for n in study.problem.signature.features if not isinstance(gone, tuple) or n not in gone]
    asked = trials[:MODELS]
    if not study.problem.signature.features:
        return f"{study.problem.signature.kind} data has no features with a name"
    if len(names) < 2:
        return "it sees one feature only"
    if len(names) > FEATURES:
        return f"their importance was not measured: {len(names):,} features are more than {FEATURES}"
    if len(asked) < 2:
        return "their importance was not measured: the budget holds one seed of the model, and it takes two"
    permutations = _permutations(study, config, asked, len(names))
    if not permutations:
        return "their importance was not measured: not enough of the budget is left"
    key = f"check/regularize/permutation_importance/{config.digest()}"
    run = study.memo(CheckRun, key, lambda: _measured(study, config, asked, names, permutations, key))
    return tuple(Importance(*values) for values in run.findings[0].evidence["importance"])


def _permutations(study: Study, config: Config, trials: Sequence[Trial], features: int) -> int:
    """Permutations of each feature for each model that the budget holds; 0 for none."""

    def choose() -> tuple[int, str]:
        predict = _predictions(study, config, trials[0])
        x = np.asarray(study.problem.validation.x[np.arange(min(ROWS, len(study.problem.validation)))])
        predict(x)  # which traces
        began = time.monotonic()
        predict(x)
        once = (time.monotonic() - began) * features * len(trials)
        allowed = int(SHARE * study.remaining / once)
        count = max(0, min(PERMUTATIONS, allowed))
        if count == PERMUTATIONS:  # told without a time, which differs from run to run
            return count, "the budget holds all of them"
        return count, f"one of all {plural(features, 'feature')} for {plural(len(trials), 'model')} takes {once:.2g} s"

    what = f"permutations of each feature ({config.digest()[:6]}, in {study.budget:.0f} s)"
    found: int = study.plan("regularize", what, choose).value
    return found


def _measured(
    study: Study, config: Config, trials: Sequence[Trial], names: Sequence[str], permutations: int, key: str
) -> CheckRun:
    began = time.monotonic()

    def told(done: int, total: int) -> None:
        study.listener.progress(Progress("regularize", "importance of each feature", done, total))

    models = (_predictions(study, config, trial) for trial in trials)  # which share one graph
    found = importances(study.problem, models, names, study.seeds(1)[0], permutations, told)
    noise = sum(not i.above_noise for i in found)
    unit = study.problem.objective.metric
    finding = Finding(
        "info",
        "importance",
        f"{noise} of {plural(len(found), 'feature')} make no difference beyond noise"
        if noise
        else f"all {plural(len(found), 'feature')} make a difference",
        hint="features that say the same share their importance: it is measured anew when some have gone",
        evidence={
            "importance": [[i.feature, i.gain, i.low, i.high] for i in found],
            "unit": f"{unit} lost on the validation split where the feature is shuffled; mean of {len(trials)} models, "
            f"{plural(permutations, 'permutation')} each; 95 % interval over models and examples",
            "model": config.model,
        },
        table=table(found),
    )
    description = "What the model loses where one feature at a time is shuffled (Breiman, 2001; Fisher et al., 2019)."
    return CheckRun(key, "regularize", "permutation_importance", description, (finding,), time.monotonic() - began)


def _predictions(study: Study, config: Config, trial: Trial) -> Predict:
    loop = study.learner.loop(config)
    for variable, value in zip(loop.model.variables, study.weights(trial), strict=True):
        variable.assign(value)
    return lambda x: objectives.predictions(study.problem, loop.predict(x))
