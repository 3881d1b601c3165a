"""Predictions on one fixed batch, over training: they show how wildly the model still changes its mind."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


class PredictionDynamics(keras.callbacks.Callback):
    """Records what the model predicts for the same examples after every epoch.

    Args:
        x: the fixed batch, (examples, *shape), as the model takes it.

    Attributes:
        history: one array (examples, outputs) an epoch.
    """

    def __init__(self, x: Any) -> None:
        super().__init__()
        self._x = x
        self.history: list[np.ndarray] = []

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Forget an earlier training."""
        self.history = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Predict the batch."""
        self.history.append(np.asarray(self.model(self._x, training=False)))

    def jitter(self) -> np.ndarray:
        """Mean absolute change of the predictions from one epoch to the next, (epochs - 1,)."""
        return np.array([np.abs(b - a).mean() for a, b in zip(self.history, self.history[1:], strict=False)])
