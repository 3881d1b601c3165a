"""Files that cannot be decoded or mislead, blank pictures, and how much detail matters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_recipe.core.records import Finding
from keras_recipe.data import load
from keras_recipe.problem import Problem

Look = Callable[..., list[Finding]]
Alarms = Callable[[list[Finding]], set[str]]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two class folders of ten smooth colour pictures each."""
    generator = np.random.default_rng(0)
    for number in range(20):
        coarse = generator.integers(0, 256, (4, 5, 3)).astype("uint8")
        path = tmp_path / "photos" / ("cat" if number % 2 else "dog") / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(coarse).resize((60, 48), Image.Resampling.BICUBIC).save(path, quality=90)
    return tmp_path / "photos"


def seen(folder: Path) -> Problem:
    return load(folder, tolerant=True)


def test_healthy_files_are_decoded_without_an_alarm(photos: Path, look: Look, alarms: Alarms) -> None:
    for check in ("picture_files", "picture_sizes", "examples", "value_ranges", "duplicates", "shortcuts", "unusual"):
        assert not alarms(look(check, seen(photos))), check


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-60])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def not_a_picture(path: Path) -> None:
    path.write_text("<html>404</html>")


def tiff(path: Path) -> None:
    Image.open(path).convert("RGB").save(path, "TIFF")


def animated_webp(path: Path) -> None:
    frame = Image.open(path).convert("RGB")
    frame.save(path, "WEBP", save_all=True, append_images=[frame.rotate(90)])


def png_without_its_end(path: Path) -> None:
    Image.open(path).convert("RGB").save(path, "PNG")
    path.write_bytes(path.read_bytes()[:-8])


@pytest.mark.parametrize("damage", [truncated, empty, not_a_picture, tiff, animated_webp, png_without_its_end])
def test_a_file_that_training_would_refuse_is_an_error_with_its_path(
    damage: Callable[[Path], None], photos: Path, look: Look
) -> None:
    damage(photos / "cat" / "3.jpg")
    found = next(f for f in look("picture_files", seen(photos)) if f.severity == "error")
    assert found.cause == "corrupt"
    assert found.evidence["paths"] == ["cat/3.jpg"]
    assert [(s.example, s.given) for s in found.suspects] == [("cat/3.jpg", "")]


@pytest.mark.parametrize("damage", [truncated, empty, not_a_picture, tiff, animated_webp, png_without_its_end])
def test_training_refuses_it_too(damage: Callable[[Path], None], photos: Path) -> None:
    from keras_recipe.core.errors import RecipeError

    damage(photos / "cat" / "3.jpg")
    with pytest.raises(RecipeError, match=r"cat/3\.jpg"):
        load(photos)


def test_what_misleads_is_told(photos: Path, look: Look) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(photos / "dog/0.jpg").save(photos / "dog/0.jpg", exif=exif)
    Image.open(photos / "dog/2.jpg").convert("CMYK").save(photos / "dog/2.jpg")
    Image.fromarray(np.arange(4800, dtype="uint16").reshape(60, 80) * 13).save(photos / "dog/deep.png")
    frame = Image.open(photos / "dog/4.jpg").convert("RGB")
    frame.save(photos / "dog/moving.gif", save_all=True, append_images=[frame.rotate(90)])
    Image.open(photos / "dog/6.jpg").convert("RGB").save(photos / "dog/6.jpg", "PNG")
    Image.open(photos / "dog/8.jpg").convert("P").save(photos / "dog/palette.bmp")
    findings = look("picture_files", seen(photos))
    told = {path: f.message for f in findings if f.cause == "files" for path in f.evidence["paths"]}
    for path, word in {
        "dog/0.jpg": "EXIF",
        "dog/2.jpg": "CMYK",
        "dog/deep.png": "16 bits",
        "dog/moving.gif": "animated",
        "dog/6.jpg": "another format",
        "dog/palette.bmp": "palette",
    }.items():
        assert word in told[path], told
    assert not any(f.severity == "error" for f in findings)


def test_a_blank_picture_is_told(photos: Path, look: Look, alarms: Alarms) -> None:
    Image.new("RGB", (60, 48), "grey").save(photos / "cat" / "blank.png")
    findings = look("picture_sizes", seen(photos))
    assert alarms(findings) == {"data"}
    assert [s.example for f in findings for s in f.suspects] == ["cat/blank.png"]


def fine_stripes(side: int) -> Problem:
    """The class is the direction of stripes that are two pixels wide, a little noisy."""
    generator = np.random.default_rng(0)
    y = np.arange(90) % 2
    wave = np.tile(np.repeat([0, 1], 2), side // 4)
    across = np.broadcast_to(wave, (side, side))
    x = np.where(y[:, None, None] == 1, across, across.T) * 150 + generator.integers(0, 80, (90, side, side))
    return load((x.astype("uint8"), y))


def test_detail_that_matters_is_measured(look: Look) -> None:
    findings = look("detail", fine_stripes(32))
    assert "at 16 x 16 pixels" in findings[0].message
    assert findings[0].table is not None
    assert dict(findings[0].table.rows)[8] < 0.7


def bright(problem: Problem, label: int, levels: int) -> Problem:
    parts = [(s.x[:].astype("int64"), s.y) for s in (problem.train, problem.validation, problem.test)]
    brighter = [((x + levels * (y == label)[:, None, None, None]).clip(0, 255).astype("uint8"), y) for x, y in parts]
    return load(brighter[0], validation=brighter[1], test=brighter[2])


def test_a_class_in_another_light_is_named(look: Look, alarms: Alarms) -> None:
    from keras_recipe.data.toys import stripes

    findings = look("shortcuts", bright(stripes(600), 1, 60))
    assert alarms(findings) == {"shortcut"}
    assert "'1'" in findings[0].message
    assert not alarms(look("shortcuts", bright(stripes(600), 1, 0)))


def test_a_class_of_another_size_is_named(tmp_path: Path, look: Look, alarms: Alarms) -> None:
    generator = np.random.default_rng(0)
    for number in range(120):
        side = (40, 64)[number % 2] if number > 3 else 50
        path = tmp_path / "sizes" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (side, side, 3)).astype("uint8")).save(path)
    findings = look("shortcuts", seen(tmp_path / "sizes"))
    assert alarms(findings) == {"shortcut"}
    assert {"width", "height"} <= set(findings[0].evidence["properties"])
