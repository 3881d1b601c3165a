"""Watch a run, and say what is wrong with it when it does not learn."""

from __future__ import annotations

import sys
from typing import Any

import keras
import numpy as np


class Diagnose(keras.callbacks.Callback):
    """Diagnose a `model.fit` that turns out not to learn.

    While training goes on it looks at nothing but the logs of each epoch, so that a healthy run pays nothing for it. A
    run is sick if its loss is not finite, if its weights hardly moved, or if its loss ends above LEARNT of that of a
    constant. Then, at the end, the job is diagnosed from the weights that it began with, as `kr.diagnose` does, and the
    verdict is printed. The trained weights are left as they are.

        model.fit(x, y, epochs=10, callbacks=[kr.callbacks.Diagnose()])

    Args:
        budget: seconds that a diagnosis may take, about; or "2m".
        verbose: 0 to print nothing.

    Attributes:
        symptoms: what made the run sick, in words; () for a healthy one.
        diagnosis: of a sick run, else None.
    """

    LEARNT = 0.9

    def __init__(self, budget: float | str = 60.0, verbose: int = 1) -> None:
        super().__init__()
        self._budget, self._verbose = budget, verbose
        self.symptoms: tuple[str, ...] = ()
        self.diagnosis: Any = None
        self._call: tuple[dict[str, Any], str] | None = None
        self._first: list[np.ndarray] = []
        self._losses: list[float] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Remember the weights, and the arguments of fit, which Keras shows to no callback."""
        from keras_recipe.diagnosis.anatomy import caller

        self._call, self._losses, self.symptoms, self.diagnosis = None, [], (), None
        frame: Any = sys._getframe(1)
        while frame is not None:
            code = frame.f_code
            if code.co_name == "fit" and frame.f_locals.get("self") is self.model and "epochs" in frame.f_locals:
                self._call = {k: v for k, v in frame.f_locals.items() if k in _ARGUMENTS}, caller()
                break
            frame = frame.f_back
        if self._call is not None and not self.model.built:
            self._built(self._call[0]["x"])
        self._first = [v.numpy() for v in self.model.variables]

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the loss."""
        self._losses.append(float((logs or {}).get("loss", np.nan)))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Diagnose, if there is reason to."""
        if self._call is None or not self._losses or not self._first:
            return
        self.symptoms = tuple(self._sick())
        if not self.symptoms:
            return
        from keras_recipe.core.duration import duration
        from keras_recipe.diagnosis.examine import examine
        from keras_recipe.diagnosis.fitting import bound

        model, (given, line) = self.model, self._call
        seconds = duration(self._budget) if isinstance(self._budget, str) else float(self._budget)
        trained = [v.numpy() for v in model.variables]
        optimizer = model.optimizer
        slots = [v.numpy() for v in optimizer.variables] if optimizer is not None else []
        try:
            for variable, value in zip(model.variables, self._first, strict=False):
                variable.assign(value)
            for variable in optimizer.variables if optimizer is not None else []:
                if variable is not optimizer.learning_rate:
                    variable.assign(np.zeros(variable.shape, variable.dtype))
            self.diagnosis = examine(bound(model, (), given, line), seconds)
        finally:
            for variable, value in zip(model.variables, trained, strict=False):
                variable.assign(value)
            for variable, value in zip(optimizer.variables if optimizer is not None else [], slots, strict=False):
                variable.assign(value)
        if self._verbose:
            from rich.console import Console

            from keras_recipe.views.diagnosis import write

            write(Console(highlight=False), self.diagnosis)

    def _built(self, x: Any) -> None:
        """Give the model its weights before its first step does, so that they can be kept."""
        import tensorflow as tf

        from keras_recipe.diagnosis.rows import mapped

        if isinstance(x, tf.data.Dataset):
            batch = next(iter(x))
            self.model(batch[0] if isinstance(batch, tuple) else batch)
        elif isinstance(x, keras.utils.PyDataset):
            self.model(x[0][0])
        elif not hasattr(x, "__next__"):  # a generator would lose a batch
            self.model(mapped(lambda a: np.asarray(a[:2]), x))

    def _sick(self) -> list[str]:
        from keras_recipe.diagnosis.proof import STILL

        found = []
        if not np.isfinite(self._losses[-1]):
            return [f"the loss is {self._losses[-1]}"]
        moved = size = 0.0
        for variable, first in zip(self.model.variables, self._first, strict=False):
            if variable.trainable and first.dtype.kind == "f":
                moved += float(np.square(variable.numpy() - first).sum())
                size += float(np.square(first).sum())
        if np.sqrt(moved / max(size, 1e-12)) < STILL:
            found.append("the weights hardly moved")
        chance = self._chance()
        if chance is not None and self._losses[-1] > self.LEARNT * chance:
            found.append(f"the loss ends at {self._losses[-1]:.3g}, that of a constant is {chance:.3g}")
        return found

    def _chance(self) -> float | None:
        """Loss of whoever always says the same; None where only the script knows what its loss means."""
        from keras_recipe.diagnosis.targets import REGRESSING, loss_of

        assert self._call is not None
        y, loss = self._call[0].get("y"), loss_of(getattr(self.model, "loss", None))
        if y is None or isinstance(y, list | tuple | dict) or not loss.name:
            return None
        y = np.asarray(y)
        if loss.name == "mean_squared_error":
            return float(np.var(y, axis=0).mean())
        if loss.name in REGRESSING or "crossentropy" not in loss.name or y.dtype.kind not in "iufb":
            return None
        if loss.name.startswith("binary"):
            share = np.clip(y.mean(axis=0), 1e-6, 1 - 1e-6)
            return float(np.mean(-share * np.log(share) - (1 - share) * np.log(1 - share)))
        shares = y.mean(axis=0) if loss.name.startswith("categorical") else np.unique(y, return_counts=True)[1] / y.size
        shares = shares[shares > 0]
        return float(-(shares * np.log(shares)).sum())


_ARGUMENTS = (
    "x", "y", "batch_size", "epochs", "validation_split", "validation_data", "shuffle", "class_weight", "sample_weight",
    "initial_epoch", "steps_per_epoch",
)  # fmt: skip
