"""How far one step moves each weight, beside its size."""

from __future__ import annotations

import keras
import numpy as np


class UpdateRatio(keras.callbacks.Callback):
    """Records, once an epoch, how far the first step of the epoch moves each kernel: |update| / |weights|.

    About 1e-3 is usual. Far less, and the layer hardly learns (the rate is too low, or no gradient arrives); far more,
    and it is thrown about.

    Attributes:
        history: for each epoch {path of the kernel: ratio}; 0 for one that is not trained.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: list[dict[str, float]] = []
        self._before: dict[str, np.ndarray] = {}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Forget an earlier training."""
        self.history = []

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Keep the kernels as they are before the epoch's first step."""
        if batch == 0:
            self._before = self._kernels()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Compare them with what they are after it."""
        if not self._before:
            return
        after, before, self._before = self._kernels(), self._before, {}
        sizes = {path: max(float(np.linalg.norm(value)), 1e-12) for path, value in before.items()}
        self.history.append({p: float(np.linalg.norm(after[p] - before[p])) / sizes[p] for p in before})

    def _kernels(self) -> dict[str, np.ndarray]:
        return {v.path: keras.ops.convert_to_numpy(v) for v in self.model.weights if v.path.endswith("kernel")}
