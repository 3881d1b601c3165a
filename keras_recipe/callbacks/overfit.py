"""Overfit first: train until the training split is fitted, and say what is to be done where it is not."""

from __future__ import annotations

import warnings

import keras
import numpy as np

from keras_recipe.core.records import Finding
from keras_recipe.schedules import settled

LEARNT = 0.999
"""Part of the first epoch's loss under which something was learnt."""


class Overfit(keras.callbacks.Callback):
    """Stops a `fit` when the training split is fitted, and says after it what to do next: the recipe's third part.

    Only training counts here, so leave augmentation, dropout and weight decay out, and the rate constant. What Keras
    logs is a mean over the epoch, while weights move: the split is fitted a little better than it says.

    Args:
        target: value of the metric from which the training split is fitted. The last hundredth is left to labels that
            are wrong.
        monitor: name of the metric in `logs`; None for the first one with "acc" in its name. Of one with "loss" or
            "error" in its name, or of "mse" and "mae", lower values are better.

    Attributes:
        values, losses: one value an epoch.
    """

    def __init__(self, target: float = 0.99, monitor: str | None = None) -> None:
        super().__init__()
        self.target, self.monitor = target, monitor
        self.values: list[float] = []
        self.losses: list[float] = []

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Forget an earlier training."""
        self.values, self.losses = [], []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Stop where the training split is fitted. Raises ValueError where nobody measures how well it is."""
        logs = logs or {}
        self.monitor = self.monitor or accuracy_among(logs)
        if self.monitor not in logs:
            raise ValueError(
                f"Expected monitor= to name a metric of the model, or a metric with 'acc' in its name. "
                f"Received monitor={self.monitor!r}, and logs of {sorted(logs)}."
            )
        self.values.append(float(logs[self.monitor]))
        self.losses.append(float(logs["loss"]))
        if self.fitted:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Warn where it is not fitted."""
        if self.values and not self.fitted:
            found = self.finding
            warnings.warn(f"{found.message} ({found.measured}). To do: {found.hint}", stacklevel=2)

    @property
    def fitted(self) -> bool:
        """Whether the last epoch has fitted the training split."""
        if not self.values:
            return False
        lower = lower_is_better(self.monitor or "")
        return self.values[-1] <= self.target if lower else self.values[-1] >= self.target

    @property
    def finding(self) -> Finding:
        """What the curves say so far, of cause "fit"."""
        expected = f"{self.monitor} of {self.target:g} on the training split"
        if not self.values:
            return Finding("info", "fit", "nothing was trained yet", expected)
        measured = f"{self.values[-1]:.4g} after {len(self.values)} epochs"
        evidence = {"values": self.values, "losses": self.losses}
        if self.fitted:
            return Finding("ok", "fit", "the training split is fitted", expected, measured, "regularize next", evidence)
        if not np.isfinite(self.losses[-1]):
            message, hint = "the loss is no number", "a smaller learning rate; kr.diagnose(model, x, y, ...)"
        elif len(self.losses) > 1 and not min(self.losses) < LEARNT * self.losses[0]:
            message, hint = "nothing was learnt: something is broken", "kr.diagnose(model, x, y, ...) looks for it"
        elif len(self.losses) < 2 or not settled(self.losses):
            message, hint = "the training split is not fitted, and the loss still falls", "train for longer"
        else:
            message, hint = "the training split is not fitted, and the loss has settled", "a larger model"
        return Finding("warning", "fit", message, expected, measured, hint, evidence)


def accuracy_among(logs: dict[str, float]) -> str | None:
    """Name of the first accuracy of the training split in the logs of an epoch."""
    return next((name for name in logs if "acc" in name and not name.startswith("val_")), None)


def lower_is_better(metric: str) -> bool:
    """Whether lower values of a metric of this name are better."""
    return any(word in metric for word in ("loss", "error", "mse", "mae"))
