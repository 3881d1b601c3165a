"""Small synthetic problems that are learnt in seconds, for tests and for trying things out."""

from __future__ import annotations

import numpy as np

from keras_recipe.data.loading import load
from keras_recipe.problem import Problem


def blobs(n: int = 200, classes: int = 3, seed: int = 0) -> Problem:
    """Vectors of 4 features in one Gaussian cloud of deviation 0.5 a class; centres are 3 apart on average."""
    generator = np.random.default_rng(seed)
    y = np.arange(n) % classes
    centres = generator.normal(scale=1.5, size=(classes, 4))
    x = centres[y] + generator.normal(scale=0.5, size=(n, 4))
    return load((x.astype("float32"), y), seed=seed, name="blobs")


def stripes(n: int = 120, size: int = 8, classes: int = 3, seed: int = 0) -> Problem:
    """Grey uint8 pictures (size, size, 1) of noisy stripes; the class is their direction, their phase is random."""
    generator = np.random.default_rng(seed)
    y = np.arange(n) % classes
    angle = (np.pi * y / classes)[:, np.newaxis, np.newaxis]
    phase = generator.uniform(0, 2 * np.pi, size=(n, 1, 1))
    rows, columns = np.mgrid[:size, :size]
    wave = np.sin(np.pi / 2 * (np.cos(angle) * rows + np.sin(angle) * columns) + phase)
    pictures = 127.5 + 90 * wave + generator.normal(scale=10, size=wave.shape)
    return load((pictures.clip(0, 255).astype("uint8"), y), seed=seed, name="stripes")


def line(n: int = 200, seed: int = 0) -> Problem:
    """Regression: y = 3 a - 2 b + 10 + noise of deviation 0.1, for a, b and an idle third feature, all normal."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 3)).astype("float32")
    y = x @ np.array([3.0, -2.0, 0.0]) + 10 + generator.normal(scale=0.1, size=n)
    return load((x, y), seed=seed, name="line")
