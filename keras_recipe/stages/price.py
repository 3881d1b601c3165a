"""What a candidate costs: seconds of its trials and before them, and what a smaller model saves."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from keras_recipe.core.config import Config
from keras_recipe.core.spec import Spec
from keras_recipe.data.synthetic import generator_of
from keras_recipe.stages.incumbent import Incumbent
from keras_recipe.stages.simulation import made, making_seconds
from keras_recipe.study import Study


def seconds_of(study: Study, name: str, incumbent: Incumbent, proposed: Sequence[Config]) -> float:
    """Seconds of a trial of the dearest candidate: no less than one of the incumbent, as a rule.

    A longer run costs more in proportion, one that goes on from the incumbent's last epoch what it adds, one that stops
    early what the incumbent's own history says, one of a larger model as much more as it has more multiply-adds. Where
    a frozen backbone thaws, or sees other pictures in every epoch,
    it may cost a hundred times more: that is measured.
    """
    config, one = incumbent.config, incumbent.seconds
    if all(c.begins_with(config) for c in proposed):
        return one * max(c.all_epochs / config.all_epochs - 1.0 for c in proposed)
    if (part := share_until_stop(incumbent, proposed)) < 1:
        return one * part
    longer = max(c.all_epochs for c in proposed)
    if longer > config.all_epochs:
        return one * longer / config.all_epochs
    if proposed[0].more_data != config.more_data:
        sizes = [len(study.learner.rows(c, 0)) for c in (proposed[0], config)]
        return one * sizes[0] / sizes[1]
    others = [c.model for c in proposed if c.model != config.model and Spec.parse(c.model).name != "backbone"]
    if others:
        return one * max(1.0, *(_multiply_adds(study, model) / _multiply_adds(study, config.model) for model in others))
    changed = [
        c
        for c in proposed
        if Spec.parse(c.model).name == "backbone" and (c.model, c.augmentation) != (config.model, config.augmentation)
    ]
    if not changed:
        return one
    dearest, at_a_time = changed[-1], min(len(proposed), study.workers)  # moves go from gentle to aggressive

    def choose() -> tuple[float, str]:
        once, an_epoch = study.learner.feature_seconds(dearest), epoch_seconds(study, dearest, at_a_time)
        told = f"{dearest.epochs} epochs of {an_epoch:.2g} s"
        return round(once + an_epoch * dearest.epochs, 1), f"{told}, and {once:.2g} s for features" if once else told

    # What an augmentation costs is the forward passes that it asks for, which are those of any other.
    augmented = dearest.model == config.model
    which = dearest.replace(augmentation="") if augmented else dearest
    what = f"seconds of a trial of {'an augmentation' if augmented else name.replace('_', ' ')} ({which.digest()[:6]}"
    what += f", {at_a_time} at a time)" if at_a_time > 1 else ")"
    seconds: float = study.plan(incumbent.stage, what, choose).value
    return max(seconds, one)


def epoch_seconds(study: Study, config: Config, at_a_time: int = 1) -> float:
    """Measured seconds of an epoch of this config where so many trials run at a time, no more than `study.workers`.

    Two are slower than one where one alone keeps both cores busy: crops of photos behind a frozen backbone took 10 s an
    epoch alone, and 23 s two at a time. It is measured in the threads of trials, which then need not trace again.
    """
    from keras_recipe.training import seconds_an_epoch

    if study.executor is None:
        return seconds_an_epoch(study.learner, config)
    if at_a_time == 1:
        return study.executor.submit(seconds_an_epoch, study.learner, config).result()
    together = threading.Barrier(at_a_time)

    def measured() -> float:
        try:
            return seconds_an_epoch(study.learner, config, traced=together.wait)
        except BaseException:
            together.abort()  # or the other one would wait for ever
            raise

    running = [study.executor.submit(measured) for _ in range(at_a_time)]
    failed = [e for e in (future.exception() for future in running) if e is not None]
    if failed:
        raise next((e for e in failed if not isinstance(e, threading.BrokenBarrierError)), failed[0])
    return max(future.result() for future in running)


def _multiply_adds(study: Study, model: str) -> int:
    from keras_recipe.models import create
    from keras_recipe.models.cost import cost

    return max(1, cost(create(model, study.problem)).multiply_adds)


def share_until_stop(incumbent: Incumbent, proposed: Sequence[Config]) -> float:
    """Part of the incumbent's epochs that it would have trained with the patience of the dearest candidate; 1.0 where
    these change something else.

    Until it stops, early stopping changes nothing, so that the validation losses are known. A backbone that is
    fine-tuned does not stop before its last epochs.
    """
    config = incumbent.config
    stopping = [c.patience for c in proposed if c.replace(patience=config.patience) == config and c.patience]
    if not stopping or len(stopping) < len(proposed) or config.patience or Spec.parse(config.model).name == "backbone":
        return 1.0
    epochs = [epochs_until_stop(t.history["val_loss"], patience) for t in incumbent.trials for patience in stopping]
    return min(1.0, max(epochs) / config.all_epochs)


def epochs_until_stop(losses: Sequence[float], patience: int) -> int:
    """Epochs after which training with these validation losses stops, if it has so much patience; all of them where
    it does not stop."""
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        if epoch - best >= patience:
            return epoch + 1
    return len(losses)


def before_seconds(study: Study, incumbent: Incumbent, proposed: Sequence[Config]) -> float:
    """Seconds that it takes to make the simulated examples of the candidates, and their features."""
    texts = _generators(incumbent, proposed)
    if not texts or not study.missing([(c, study.seeds(1)[0]) for c in proposed]):
        return 0.0
    seconds = sum(making_seconds(study, incumbent.stage, text) for text in texts)
    if Spec.parse(proposed[0].model).name != "backbone":
        return seconds

    def choose() -> tuple[float, str]:
        return round(study.learner.feature_seconds(proposed[0]), 1), "measured on a few of them"

    what = f"seconds of the features of simulated examples ({proposed[0].digest()[:6]})"
    features: float = study.plan(incumbent.stage, what, choose).value
    return seconds + features


def simulate(study: Study, incumbent: Incumbent, proposed: Sequence[Config]) -> str:
    """Make the examples that the candidates need, and show them. Returns why that was not possible, or ""."""
    for text in _generators(incumbent, proposed):
        why = made(study, incumbent.stage, text, study.remaining - incumbent.kept)
        if why:
            return why
    return ""


def _generators(incumbent: Incumbent, proposed: Sequence[Config]) -> list[str]:
    """One spec for each generator whose examples the candidates need and the incumbent does not."""
    own = generator_of(incumbent.config.synthetic) if incumbent.config.synthetic else None
    needed = {generator_of(c.synthetic): c.synthetic for c in proposed if c.synthetic}
    return [text for generator, text in needed.items() if generator != own]


def savings_of(study: Study, incumbent: Incumbent, proposed: Sequence[Config]) -> dict[Config, str]:
    """Candidates that are smaller or cheaper than the incumbent, the cheapest first, with what they save in words."""
    if not proposed:
        return {}
    from keras_recipe.models import create
    from keras_recipe.models.cost import cost

    own = cost(create(incumbent.config.model, study.problem))
    costs = {c: cost(create(c.model, study.problem)) for c in proposed}
    ranked = sorted(costs, key=lambda c: (costs[c].multiply_adds, costs[c].weights, costs[c].inputs))
    return {c: costs[c].less(own) for c in ranked if costs[c].less(own)}
