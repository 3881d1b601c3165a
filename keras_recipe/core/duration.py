"""Durations as people write them."""

from __future__ import annotations

import re

from keras_recipe.core.errors import RecipeError


def duration(text: str) -> float:
    """Seconds of "90s", "10m", "1h30m", "1.5h" or "600". Raises RecipeError."""
    parts = re.fullmatch(r"(?:([\d.]+)h)?(?:([\d.]+)m)?(?:([\d.]+)s?)?", text.strip())
    try:
        if parts is None or not any(parts.groups()):
            raise ValueError(text)
        hours, minutes, seconds = (float(p or 0) for p in parts.groups())
    except ValueError as error:
        raise RecipeError("a duration such as 90s, 10m or 1h30m", repr(text), "write it in that form") from error
    return hours * 3600 + minutes * 60 + seconds
