"""One pass over all pictures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_recipe import survey as module
from keras_recipe.data import load
from keras_recipe.inspection import inspect
from keras_recipe.problem import Problem
from keras_recipe.survey import look, survey


def quiet(what: str, done: int, total: int) -> None:
    """Nothing."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty pictures in two classes: class a is dark, class b is light and wider."""
    for number in range(20):
        side = number % 2
        path = tmp_path / "photos" / "ab"[side] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40 + 20 * side, 40), (60 + 100 * side, 10 * number, 0)).save(path)
    return tmp_path / "photos"


def test_files_and_arrays_are_seen_alike(folder: Path) -> None:
    files = load(folder, tolerant=True)
    arrays = Problem(**{f: getattr(load(folder, image_size=40), f) for f in Problem.__dataclass_fields__})
    seen = survey(files, quiet)
    assert len(seen) == 20
    assert seen.of_files
    assert seen.thumbnails.shape == (20, 32, 32, 3)
    assert not seen.faults
    assert arrays.signature.shape == (40, 40, 3)
    rows = {(int(s), int(r)): i for i, (s, r) in enumerate(zip(seen.split, seen.row, strict=True))}
    for number, name in enumerate(module.SPLITS):
        split = getattr(files, name)
        for row, path in enumerate(split.ids):
            entry = rows[number, row]
            light = path.startswith("b")
            assert seen.properties["width"][entry] == (60 if light else 40)
            assert seen.properties["red"][entry] == pytest.approx(160 if light else 60, abs=2)
            assert seen.properties["format"][entry] == "PNG"


def test_arrays_of_any_range_become_thumbnails() -> None:
    x = np.linspace(-3, 5, 30 * 12 * 12).reshape(30, 12, 12).astype("float32")
    seen = survey(load((x, np.arange(30) % 2)), quiet)
    assert not seen.of_files
    assert seen.thumbnails.shape == (30, 32, 32, 1)
    assert seen.properties["brightness"].between(0, 255).all()
    assert np.ptp(seen.properties["brightness"]) > 200


def test_progress_is_told(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    survey(load(folder, tolerant=True), lambda what, done, total: told.append((done, total)))
    assert told[-1] == (20, 20)


def test_many_pictures_get_small_thumbnails(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(module, "MANY", 10)
    assert survey(load(folder, tolerant=True), quiet).thumbnails.shape == (20, 16, 16, 3)


def test_a_picture_is_looked_at_with_its_proportions(folder: Path) -> None:
    problem = load(folder, tolerant=True)
    wide = next(i for i, p in enumerate(problem.train.ids) if p.startswith("b"))
    shown = look(problem.train, np.array([wide]), 30)
    assert shown.shape == (1, 30, 30, 3)
    assert (shown[0, 0] == 255).all()  # above the picture
    assert shown[0, 15, 15, 0] == 160


@pytest.mark.parametrize("kind", ["photos", "csv", "npz"])
def test_looking_needs_one_command_and_no_tensorflow(kind: str, folder: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    np.savez(tmp_path / "points.npz", x=generator.normal(size=(60, 3)), y=np.arange(60) % 2)
    rows = "".join(f"{a:.3f},{b:.3f},{'yn'[int(a > 0)]}\n" for a, b in generator.normal(size=(60, 2)))
    (tmp_path / "rows.csv").write_text("a,b,label\n" + rows)
    source = {"photos": folder, "csv": tmp_path / "rows.csv", "npz": tmp_path / "points.npz"}[kind]
    out = tmp_path / "out"
    code = (
        "import sys\nfrom keras_recipe.cli import app\n"
        f"app(['inspect', {str(source)!r}, '--out', {str(out)!r}], standalone_mode=False)\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules), 'imported'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {"journal.jsonl", "report.html", "tensorboard"} <= {p.name for p in out.iterdir()}


def test_names_with_line_breaks_and_folders_without_a_picture_are_looked_at(tmp_path: Path) -> None:
    for number in range(12):
        path = tmp_path / "photos" / "ab"[number % 2] / f"new\nline {number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20), (20 * (number // 2), 0, 0)).save(path)
    assert inspect(load(tmp_path / "photos", tolerant=True), tmp_path / "look")
    for path in (tmp_path / "photos").rglob("*.png"):
        path.write_text("no picture")
    found = [f for r in inspect(load(tmp_path / "photos", tolerant=True), tmp_path / "broken") for f in r.findings]
    assert [f.cause for f in found if f.severity == "error"] == ["corrupt"]
    assert (tmp_path / "broken" / "report.html").is_file()
