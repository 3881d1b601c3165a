from __future__ import annotations

import pytest

from keras_recipe.core.duration import duration
from keras_recipe.core.errors import RecipeError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1h", 3600), ("1h30m", 5400), ("1.5h", 5400), ("600", 600)]
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5x", "ten", "1.2.3m", "-5s"])
def test_what_is_no_duration_is_told(text: str) -> None:
    with pytest.raises(RecipeError, match="10m"):
        duration(text)
