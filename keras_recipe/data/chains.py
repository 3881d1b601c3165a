"""AugMix. That of Keras 3 draws its operations in Python, while it is traced: a whole training would see one chain."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class AugMix(keras.layers.Layer):
    """Mix pictures with changed versions of themselves (Hendrycks et al., 2019, section 3).

    Each of the chains applies three operations, drawn anew for each batch, from those of the paper and none; each
    picture gets a mixture of its own of the chains' results and of itself.

    Args:
        severity: of the operations, above 0 to 1.
        chains: number of changed versions.
    """

    def __init__(self, severity: float = 0.3, chains: int = 3, **options: Any) -> None:
        super().__init__(**options)
        if not 0 < severity <= 1:
            raise ValueError(f"Expected a severity above 0 and at most 1. Received {severity}.")
        self.severity, self.chains = severity, chains
        levels, edge = (0, 255), {"fill_mode": "nearest"}
        self.operations = [
            keras.layers.RandomRotation(severity / 12, **edge),  # up to 30 degrees
            keras.layers.RandomShear(0.3 * severity, 0.3 * severity, **edge),
            keras.layers.RandomTranslation(severity / 3, severity / 3, **edge),
            keras.layers.RandomPosterization(max(1, round(8 - 4 * severity)), value_range=levels),
            keras.layers.Solarization(threshold_factor=severity, value_range=levels),
            keras.layers.AutoContrast(value_range=levels),
            keras.layers.Equalization(value_range=levels),
        ]
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, shape: Any) -> None:
        """It has no weights."""
        for operation in self.operations:
            operation.build(shape)

    def call(self, pictures: Any, training: bool | None = None) -> Any:
        """Pictures (batch, height, width, channels) of levels 0..255, of the same shape."""
        if not training:
            return pictures
        count, seed = ops.shape(pictures)[0], self.seed_generator
        # Shares of the chains from Dirichlet(1, ..., 1), that of the picture itself from Beta(1, 1).
        parts = -ops.log(keras.random.uniform((self.chains, count, 1, 1, 1), 1e-7, 1.0, seed=seed))
        shares = parts / ops.sum(parts, axis=0)
        own = keras.random.uniform((count, 1, 1, 1), seed=seed)
        mixed = sum(share * self._chain(pictures) for share in ops.unstack(shares, self.chains))
        return own * pictures + (1 - own) * mixed

    def _chain(self, pictures: Any) -> Any:
        branches = [lambda x: x, *(lambda x, o=o: ops.cast(o(x, training=True), x.dtype) for o in self.operations)]
        for _ in range(3):
            index = keras.random.randint((), 0, len(branches), seed=self.seed_generator)
            pictures = ops.reshape(ops.switch(index, branches, pictures), ops.shape(pictures))
        return pictures

    def get_config(self) -> dict[str, Any]:
        """Its arguments."""
        return {**super().get_config(), "severity": self.severity, "chains": self.chains}
