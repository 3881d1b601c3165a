"""Overfit: get a model large enough to fit the training split. Only the training score counts."""

from __future__ import annotations

import numpy as np

from keras_recipe.core.config import Config
from keras_recipe.core.records import CheckRun, Finding, Plan, Trial
from keras_recipe.core.spec import Spec, Value
from keras_recipe.models import MODELS
from keras_recipe.models.backbones import unfrozen
from keras_recipe.models.convnets import PHOTO
from keras_recipe.models.suggestion import suggest_model
from keras_recipe.objectives import targets, written
from keras_recipe.problem import Problem
from keras_recipe.stages import Blocked
from keras_recipe.stages.diagnosed import diagnosed
from keras_recipe.stages.price import epoch_seconds
from keras_recipe.study import Study

FITTED = 0.99
"""Training accuracy that counts as fitted; the remaining hundredth is left to mislabelled examples. For regression:
share of the training targets' variance that is explained."""

STEPS, EPOCHS = 2400, (30, 60)
"""Gradient steps a trial should have, and the epochs it gets for that at least and at most. At 3e-4 the training loss
has flattened by then on digits; after ten epochs of fashion_mnist a small ConvNet had fitted no more than 88 %."""

RUNG_SHARE = 0.4
"""Part of the time that is left which a rung may take. Fitting comes first, as in the essay: there is nothing to
regularize in a model that has not fitted. What remains must hold one round of trials of its price, besides what is kept
for the squeeze."""

SPARE_SHARE = 1 / 7
"""The same for a rung that is the one before over again, only larger, where that one overfits already: capacity is not
what is missing, and what remains must hold three seeds of the model, and three of a move."""

RISEN = 1.25
"""Times its lowest value that the validation loss ends at, from which a rung overfits. On adult,
embedded_mlp(width=256) comes to 1.3 times, and one of 3 x 512 to 4 times, at four times the price."""

LEARNT = 0.999
"""Part of the blind loss under which something was learnt. A tenth of the labels, by heart, are a tenth of the loss."""

DIAGNOSIS_SHARE = 0.05
"""Part of the time that is left which the diagnosis of a ladder that has learnt something may take."""

PRESCRIBED = ("learning-rate", "epochs")
"""What the recipe itself has chosen, so that nobody has broken it: a model that learns some of it goes on, with a
warning."""

LADDERS: dict[str, tuple[str, ...]] = {
    "small picture": (
        "small_cnn(width=16)",
        "small_cnn(width=32)",
        "small_cnn(width=64)",
        "resnet(depth=8, width=32)",
        "resnet(depth=14, width=64)",
    ),
    "photo": ("small_cnn(width=16)", "small_cnn(width=32)", "resnet(depth=8, width=64)", "resnet(depth=14, width=64)"),
    "table": (
        "mlp(depth=2, width=64)",
        "mlp(depth=2, width=256)",
        "embedded_mlp(width=256)",
        "embedded_mlp(depth=3, width=512)",
    ),
}
"""Architectures by kind of input, small to large; see the docstrings of the builders for their sources."""


def default_config(problem: Problem, model: str | None = None) -> Config:
    """The first model (by default the first rung of the ladder), Adam at 3e-4, constant rate, no augmentation."""
    examples = len(problem.train)
    batch = 32 if examples < 10_000 else 64
    epochs = max(EPOCHS[0], min(EPOCHS[1], -(-STEPS * batch // examples)))
    first = model or ladder(problem)[0]
    if Spec.parse(first).name == "backbone":
        epochs = EPOCHS[1]  # most of them are of a head on features, which costs next to nothing
    return Config(first, batch_size=batch, epochs=epochs, more_data=problem.more)


def first_model(study: Study) -> str:
    """The model to begin with. What weights are at hand may change, so that the choice is recorded."""

    def choose() -> tuple[str, str]:
        found = suggest_model(study.problem)
        return found.model, f"{found.reason}; after {found.paper}"

    model: str = study.plan("overfit", "first model", choose).value
    return model


def ladder(problem: Problem) -> tuple[str, ...]:
    """Model specs from small to large for this kind and size of input."""
    if problem.signature.kind != "image":
        return LADDERS["table"]
    return LADDERS["small picture" if min(problem.signature.shape[:2]) <= PHOTO else "photo"]


def overfit(study: Study, config: Config) -> Config:
    """Climb the ladder until the training split is fitted; a config whose model is not on it is taken as it is.

    Returns the first config that fits, else the one with the lowest training loss. Raises Blocked where training
    diverges, where none learns more of its training examples than how frequent labels are, and where none on the whole
    ladder fits and the diagnosis proves why: then something is broken, and the finding says what was found to mend it.
    """
    rungs = ladder(study.problem)
    place = next((i for i, rung in enumerate(rungs) if _whole(rung) == _whole(config.model)), None)
    models = unfrozen(config.model) if place is None else rungs[place:]
    tried: list[tuple[Trial, Config]] = []
    exhausted = False
    for number, model in enumerate(models, start=1):
        saturated = bool(tried) and _saturated(study.problem, tried[-1][0], model)
        rung = _within_budget(study, config.replace(model=model), number, saturated)
        if rung is None:
            break
        try:
            trial = study.trials("overfit", [(rung, study.seeds(1)[0])])[0]
        except TimeoutError:
            if not tried:
                raise
            break  # what was trained before it is a model
        tried.append((trial, rung))
        hurried = rung.epochs < config.epochs or trial.stopped == "budget"
        if _judge(study, trial, number, hurried) or hurried:
            break
    else:
        exhausted = True
    best, chosen = min(tried, key=lambda pair: (not fitted(study.problem, pair[0]), pair[0].train_loss))
    broken = _broken(study, chosen, best, exhausted)
    if broken is not None:
        key, finding = f"check/overfit/nothing_fits/{chosen.digest()}", broken
        text = "A model that cannot learn its own training examples is broken."
        study.memo(CheckRun, key, lambda: CheckRun(key, "overfit", "nothing_fits", text, (finding,), 0.0))
        raise Blocked("overfit", [finding])
    study.forget_weights([t for t, _ in tried if t is not best])
    study.plan("overfit", "chosen", lambda: (chosen.model, _choice(study.problem, best)))
    return chosen


def _whole(model: str) -> tuple[str, dict[str, Value]]:
    """Name and all arguments of a model, its defaults included: the same model may be written in several ways."""
    spec = Spec.parse(model)
    return spec.name, MODELS.arguments(spec.name) | dict(spec.args)


def fitted(problem: Problem, trial: Trial) -> bool:
    """True if the training split is fitted, see FITTED; the user's human score may set a higher bar."""
    return _bias(problem, trial) <= 0


def _bias(problem: Problem, trial: Trial) -> float:
    """What is missing from a training split that is fitted, 0 or less where nothing is; see _missed."""
    human = problem.human_score or 0.0
    bar = max(FITTED, human) if "accuracy" in problem.objective.metric else FITTED
    return _missed(problem, trial.train_score, trial.train_loss) - (1 - bar)


def _missed(problem: Problem, score: float, loss: float) -> float:
    """Share of the examples, or of the targets' variance, that is not explained; nats for log_loss."""
    if problem.objective.metric == "rmse":
        return score**2 / float((problem.target_moments()[1].astype("float64") ** 2).mean())
    if problem.signature.task == "regression":
        return loss
    return score if problem.objective.metric == "log_loss" else 1 - score


def _saturated(problem: Problem, before: Trial, model: str) -> bool:
    """Whether the rung before overfits, and this model is only a larger one of its kind.

    It overfits where its validation loss has risen, or where the way from training to validation score is longer than
    what is missing in training: variance above avoidable bias (Ng, Machine Learning Yearning, ch. 20 to 23).
    """
    losses = before.history["val_loss"]
    gap = _missed(problem, before.score, before.loss) - _missed(problem, before.train_score, before.train_loss)
    overfits = losses[-1] > RISEN * min(losses) or gap > _bias(problem, before)
    return overfits and before.config["model"] == Spec.parse(model).name


def _within_budget(study: Study, config: Config, number: int, saturated: bool) -> Config | None:
    """The config with as many epochs as the budget allows; None where a further rung would get less than half, or,
    where the rung before was `saturated`, less than all of them in SPARE_SHARE of what is left."""

    def choose() -> tuple[int, str]:
        once, an_epoch = study.learner.feature_seconds(config), epoch_seconds(study, config)
        if number == 1 and once + an_epoch > study.remaining:
            features = f", and {once:.0f} s before it for its features" if once else ""
            raise TimeoutError(f"one epoch of {config.model} takes {an_epoch:.1f} s{features}")
        room = study.remaining * (SPARE_SHARE if saturated else RUNG_SHARE) - once
        if number == 1 and once:  # behind features, epochs are cheap, and without this rung there is no model
            room = max(room, (study.remaining - once) / 2)
        allowed = int(max(room, 0.0) / an_epoch)
        if allowed >= config.epochs:
            return config.epochs, f"the budget allows all {config.epochs} epochs"
        if saturated:
            too_much = f"one epoch of {config.model} takes {an_epoch:.1f} s, too much of the budget"
            return 0, f"not tried: {too_much} where a smaller one of its kind overfits already"
        if number > 1 and allowed * 2 < config.epochs:
            return 0, f"not tried: one epoch of {config.model} takes {an_epoch:.0f} s, too much of the budget"
        return max(1, allowed), f"{config.epochs} epochs of {an_epoch:.1f} s are too much of the budget that is left"

    # Another budget is another plan: a run that goes on with more time must not keep what was cut for lack of it.
    plan = study.plan("overfit", f"epochs of {config.model} in {study.budget:.0f} s", choose)
    return config.replace(epochs=plan.value) if plan.value else None


def _judge(study: Study, trial: Trial, number: int, hurried: bool) -> bool:
    metric = study.problem.objective.metric
    done = fitted(study.problem, trial)
    verdict = "not fitted: a larger model is next, where there is one"
    if done:
        verdict = "fitted: the ladder ends here"
    elif hurried:
        verdict = "not fitted, but it is time that is short: a larger model would get fewer epochs still"
    study.memo(
        Plan,
        f"plan/overfit/rung {number}",
        lambda: Plan(
            f"plan/overfit/rung {number}",
            "overfit",
            f"rung {number}",
            done,
            f"training {written(metric, trial.train_score)}, {verdict}",
        ),
    )
    return done


def _choice(problem: Problem, best: Trial) -> str:
    score = f"training {written(problem.objective.metric, best.train_score)}"
    if fitted(problem, best):
        return f"the smallest model that fits the training split ({score})"
    return f"no model fits the training split in its epochs; this one has the lowest training loss ({score})"


def _broken(study: Study, config: Config, best: Trial, exhausted: bool) -> Finding | None:
    """Why nothing fits, None where something does, and where some is learnt and nothing is proved: labels may be that
    noisy. It is proved only where no rung was left, and time was not short."""
    metric, blind = study.problem.objective.metric, _blind_loss(study.problem)
    proved: tuple[Finding, ...] | None = None
    if best.stopped == "diverged":
        symptom = ("training diverged", "a finite loss", f"NaN or infinity after {best.epochs} epochs")
    elif best.stopped != "budget" and best.train_loss > LEARNT * blind:
        symptom = (
            "no model learns its own training examples",
            f"a training loss below {blind:.4g}, which label frequencies alone reach",
            f"{best.train_loss:.4g} after {best.epochs} epochs of {config.model}",
        )
    elif exhausted and not fitted(study.problem, best):
        proved = diagnosed(study, config, "overfit", DIAGNOSIS_SHARE * study.remaining, PRESCRIBED)
        if not proved:
            return None
        symptom = (
            "no model fits its own training examples, for what the diagnosis proves",
            "a training split that is fitted",
            f"training {written(metric, best.train_score)} after {best.epochs} epochs of {config.model}",
        )
    else:
        return None
    proved = diagnosed(study, config, "overfit") if proved is None else proved
    cause, do = "data", "look at the tensors just before the net, and whether inputs and labels pair"
    if proved:
        cause, do = proved[0].cause, f"{proved[0].message}: {proved[0].hint}"
    return Finding("error", cause, *symptom, do, {"training loss": best.train_loss, "blind": blind})


def _blind_loss(problem: Problem) -> float:
    """Training loss of whoever knows how frequent labels are, or their mean, and nothing else."""
    from keras_recipe.compiled import loss

    y = targets(problem, problem.train.y)
    outputs = np.zeros((len(y), problem.signature.outputs), "float32")
    if problem.signature.task != "regression":
        logits = np.log(np.clip(problem.label_frequencies(), 1e-7, 1.0))
        outputs += logits if problem.signature.task == "multiclass" else logits[1] - logits[0]
    return float(loss(problem)(y, outputs))
