"""Pictures in a page: within its room, those of the mistakes first."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from keras_recipe.views.pictures import LARGE, Album


def photo(path: Path, side: int) -> int:
    smooth = np.random.default_rng(side).integers(0, 255, (side // 16, side // 16, 3), dtype=np.uint8)
    Image.fromarray(smooth).resize((side, side), Image.Resampling.BICUBIC).save(path)
    return path.stat().st_size


def test_a_grid_of_photos_is_compressed_and_a_drawing_is_not(tmp_path: Path) -> None:
    assert photo(tmp_path / "photo.png", 480) > LARGE
    Image.new("RGB", (480, 480), "steelblue").save(tmp_path / "drawing.png")
    album = Album(tmp_path)
    assert album.picture("drawing.png").source.startswith("data:image/png;")
    kind, data = album.picture("photo.png").source.split(",")
    assert kind == "data:image/webp;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (480, 480)
    assert len(data) < (tmp_path / "photo.png").stat().st_size / 2


def test_a_page_takes_no_more_than_it_has_room_for(tmp_path: Path) -> None:
    for name in "abc":
        Image.new("L", (40, 40), ord(name)).save(tmp_path / f"{name}.png")
    size = (tmp_path / "a.png").stat().st_size
    album = Album(tmp_path, room=size + size // 2)
    assert album.picture("a.png").source
    assert "left out of this page" in album.picture("b.png").missing
    assert album.picture("a.png").source, "what is there already costs nothing"
