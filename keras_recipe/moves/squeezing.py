"""What is left to gain from the same model."""

from __future__ import annotations

from keras_recipe.core.config import Config
from keras_recipe.core.records import Trial
from keras_recipe.moves import Proposed, move
from keras_recipe.moves.pretraining import is_fine_tuned

FALLS = "the learning rate falls to 0 already"


def _falls(config: Config) -> bool:
    return bool(config.schedule) or is_fine_tuned(config)


@move("squeeze", order=10, expect=0.1)
def cool_down(config: Config, trial: Trial) -> Proposed:
    """Let the learning rate fall to 0 in a quarter more epochs, going on from what is trained (Hägele et al., 2024)."""
    if _falls(config):
        return FALLS
    if config.patience is not None:
        return "early stopping has ended training at a constant rate, and kept weights from before its end"
    yield config.replace(schedule="cooldown")
    return None


@move("squeeze", order=15, expect=0.1)
def let_the_rate_fall(config: Config, trial: Trial) -> Proposed:
    """Let the learning rate fall to 0 over the whole run, along a cosine (Loshchilov & Hutter, 2016)."""
    if _falls(config):
        return FALLS
    yield config.replace(schedule="cosine")
    return None


@move("squeeze", order=20, expect=0.05)
def leave_it_training(config: Config, trial: Trial) -> Proposed:
    """Train for twice as long, or three times: networks keep improving for longer than intuition says."""
    if trial.stopped == "patience" and not config.schedule:  # which would be the same trial once more
        return f"early stopping has ended it after {trial.epochs} of {config.epochs} epochs: more would not be used"
    yield config.replace(epochs=2 * config.epochs)
    yield config.replace(epochs=3 * config.epochs)
    return None
