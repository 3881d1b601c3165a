"""Give up some training score for validation score."""

from __future__ import annotations

from collections.abc import Iterator

from keras_recipe.core.config import Config
from keras_recipe.core.records import Trial
from keras_recipe.moves import Proposed, move
from keras_recipe.problem import Problem


def stopped_early(config: Config) -> Config:
    """The config as it stops when the validation loss has not fallen for a sixth of the epochs, or sooner."""
    return config.replace(patience=config.patience or max(2, config.epochs // 6))


@move("regularize", order=40, expect=0.02)
def smaller_batch(config: Config, trial: Trial) -> Proposed:
    """Half the batch in as many epochs: noisier gradients and batch statistics, and twice the steps."""
    if config.batch_size < 8:
        return f"batches have {config.batch_size} examples already"
    yield config.replace(batch_size=config.batch_size // 2)
    return None


@move("regularize", order=50, expect=0.05)
def dropout(config: Config, trial: Trial) -> Iterator[Config]:
    """Drop features while training (Srivastava et al., 2014)."""
    for rate in (0.2, 0.5):
        yield config.with_args("model", dropout=rate)


@move("regularize", order=52, expect=0.02)
def spatial_dropout(config: Config, trial: Trial) -> Iterator[Config]:
    """Drop a few whole channels while training: batch normalization and dropout disagree (Li et al., 2018)."""
    for rate in (0.05, 0.1):
        yield config.with_args("model", spatial_dropout=rate)


@move("regularize", order=60, expect=0.02)
def weight_decay(config: Config, trial: Trial) -> Iterator[Config]:
    """Decoupled weight decay (Loshchilov & Hutter, 2017), not on biases and normalization."""
    # Keras multiplies the decay by the rate: at 3e-4 and a few thousand steps, 0.1 shrinks weights by a tenth.
    for decay in (0.1, 1.0):
        yield config.with_args("optimizer", weight_decay=decay)


@move("regularize", order=65, expect=0.02)
def label_smoothing(config: Config, trial: Trial, problem: Problem) -> Proposed:
    """Ask for nine tenths of certainty: a tenth of each label is spread over all classes (Szegedy et al., 2016)."""
    if problem.signature.task == "regression":
        return "labels are numbers, not classes"
    yield config.replace(label_smoothing=0.1)
    return None


@move("regularize", order=70, expect=0.05, shortens=True)
def early_stopping(config: Config, trial: Trial) -> Proposed:
    """Stop when the validation loss has not fallen for a sixth of the epochs, and go back to its minimum."""
    if config.patience is not None:
        return f"training stops early already, after {config.patience} epochs without progress"
    yield stopped_early(config)
    return None
