"""A few of many, spread over all of them."""

from __future__ import annotations

import numpy as np


def evenly(n: int, most: int) -> np.ndarray:
    """At most so many of the numbers 0 to n - 1, rising, from the first to the last."""
    return np.linspace(0, n - 1, min(n, most)).astype(int)
