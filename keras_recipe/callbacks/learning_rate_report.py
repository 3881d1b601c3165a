"""Whether the learning rate lasts: a schedule of another data set reaches 0 before the loss has settled."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import keras

from keras_recipe.schedules import schedule

if TYPE_CHECKING:
    from keras_recipe.core.records import Finding


class LearningRateReport(keras.callbacks.Callback):
    """Reads the learning rate and the training loss of every epoch, and warns after the training where the rate fell
    to less than 1 % of its maximum while the loss was still falling.

    The rate is that of the optimizer, whoever sets it: a `LearningRateSchedule`, `LearningRateScheduler`,
    `ReduceLROnPlateau`.

    Attributes:
        rates, losses: one value an epoch; the rate at its first step.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rates: list[float] = []
        self.losses: list[float] = []

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Forget an earlier training."""
        self.rates, self.losses = [], []

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Read the rate of the epoch, once all other callbacks have had their chance to change it."""
        if len(self.rates) == len(self.losses):
            self.rates.append(float(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note the loss."""
        self.losses.append(float((logs or {}).get("loss", float("nan"))))

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Warn where the rate was spent too early."""
        found = self.finding
        if found.severity == "warning":
            warnings.warn(f"{found.message} ({found.measured}). To do: {found.hint}", stacklevel=2)

    @property
    def finding(self) -> Finding:
        """What the curves say so far, of cause "schedule"."""
        return schedule(self.rates[: len(self.losses)], self.losses)
