"""Then regularize: is it the gap to validation that costs most, and what comes next?"""

from __future__ import annotations

import warnings

import keras

from keras_recipe.callbacks.overfit import accuracy_among, lower_is_better
from keras_recipe.core.records import Finding

RISEN = 1.25
"""Times its lowest value that the validation loss ends at, from which on it is worth a warning."""

ORDER = (
    "more data, augmentation (kr.pipeline), a pretrained backbone, a smaller input, a smaller model, a smaller batch, "
    "dropout, weight decay, early stopping, last a larger model: one at a time, each measured"
)
"""What regularizes, in the order of the essay."""


class Regularize(keras.callbacks.Callback):
    """Compares training with validation in a `fit` of your own, and says what comes next: the recipe's fourth part.

    What is missing on the training split is bias, the way from there to validation is variance (Ng, Machine Learning
    Yearning, ch. 20 to 23). Where variance is the larger one, it is time to regularize; where bias is, to fit first. It
    warns after the training where the validation loss has risen well above its lowest value. Nothing is changed.

    Args:
        target: what the training split is to be fitted to, see `Overfit`.
        monitor: name of the metric in `logs`, whose validation has "val_" before it; None for the first accuracy.

    Attributes:
        train, validation: values of the metric, one an epoch.
        losses: of validation, one an epoch.
    """

    def __init__(self, target: float = 0.99, monitor: str | None = None) -> None:
        super().__init__()
        self.target, self.monitor = target, monitor
        self.train: list[float] = []
        self.validation: list[float] = []
        self.losses: list[float] = []

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Forget an earlier training."""
        self.train, self.validation, self.losses = [], [], []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note both splits. Raises ValueError where one of them is missing."""
        logs = logs or {}
        if self.train and not any(name.startswith("val_") for name in logs):
            return  # validation_freq
        self.monitor = self.monitor or accuracy_among(logs)
        if self.monitor not in logs or f"val_{self.monitor}" not in logs:
            raise ValueError(
                "Expected validation_data, and monitor= to name a metric of the model, or one with 'acc' in its name. "
                f"Received monitor={self.monitor!r}, and logs of {sorted(logs)}."
            )
        self.train.append(float(logs[self.monitor]))
        self.validation.append(float(logs[f"val_{self.monitor}"]))
        self.losses.append(float(logs["val_loss"]))

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Warn where training went on long after validation had turned."""
        found = self.finding
        if found.severity == "warning":
            warnings.warn(f"{found.message} ({found.measured}). To do: {found.hint}", stacklevel=2)

    @property
    def bias(self) -> float:
        """What is missing on the training split, in the metric's unit; 0 or less where it is fitted."""
        return self._sign * (self.target - self.train[-1])

    @property
    def variance(self) -> float:
        """The way from training to validation, in the metric's unit."""
        return self._sign * (self.train[-1] - self.validation[-1])

    @property
    def _sign(self) -> float:
        return -1.0 if lower_is_better(self.monitor or "") else 1.0

    @property
    def finding(self) -> Finding:
        """What the curves say so far, of cause "generalization"."""
        if not self.train:
            return Finding("info", "generalization", "nothing was trained yet")
        expected = "a way from training to validation that is shorter than what is missing in training"
        measured = (
            f"{self.monitor}: {self.variance:.3g} from training to validation, {self.bias:.3g} missing in training"
        )
        evidence = {"train": self.train, "validation": self.validation, "validation losses": self.losses}
        lowest = self.losses.index(min(self.losses)) + 1
        if self.losses[-1] > RISEN * min(self.losses):
            message = f"it overfits: the validation loss was lowest after epoch {lowest} of {len(self.losses)}"
            return Finding("warning", "generalization", message, expected, measured, ORDER, evidence)
        if self.variance <= 0 >= self.bias:
            return Finding("ok", "generalization", "fitted, and nothing is lost to validation", expected, measured)
        if self.variance <= max(self.bias, 0.0):
            message = "what is missing in training is more than what is lost from there to validation"
            return Finding("ok", "generalization", message, expected, measured, "fit first, see Overfit", evidence)
        message = "more is lost from training to validation than is missing in training: regularize"
        return Finding("info", "generalization", message, expected, measured, ORDER, evidence)
