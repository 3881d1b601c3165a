from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

# A claim about rows must not fail because the machine is busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def photos(tmp_path: Path) -> Callable[..., Path]:
    """Writes a folder of class folders of random pictures."""

    def write(
        counts: dict[str, int], *, root: Path | None = None, size: tuple[int, int] = (40, 52), grey: bool = False
    ) -> Path:
        folder = root or tmp_path / "photos"
        generator = np.random.default_rng(0)
        for name, count in counts.items():
            (folder / name).mkdir(parents=True)
            for i in range(count):
                pixels = generator.integers(0, 256, size if grey else (*size, 3), dtype="uint8")
                Image.fromarray(pixels).save(folder / name / f"{i:03}.png")
        return folder

    return write


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """Writes a text file called table.csv."""

    def write(text: str, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write
