from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from keras_recipe.core.errors import RecipeError
from keras_recipe.data import load
from keras_recipe.data.pictures import ImageFiles, natural_size, read_all

Photos = Callable[..., Path]
COUNTS = {"cat": 9, "dog": 12, "10": 7}


def findings(problem: Any, cause: str) -> list[Any]:
    return [f for f in problem.findings if f.cause == cause]


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def test_class_folders_become_classes(photos: Photos) -> None:
    problem = load(photos(COUNTS))
    assert problem.signature.classes == ("10", "cat", "dog")
    assert (problem.name, problem.signature.kind, problem.signature.dtype) == ("photos", "image", "uint8")
    for part in (problem.train, problem.validation, problem.test):
        assert [Path(i).parent.name for i in part.ids] == [problem.signature.classes[y] for y in part.y]
    assert sum(map(len, (problem.train, problem.validation, problem.test))) == 28
    assert problem.findings == ()


def test_streamed_rows_are_those_in_memory_bit_for_bit(photos: Photos) -> None:
    folder = photos(COUNTS, size=(70, 50))
    memory, stream = load(folder), load(folder, memory=1000)
    assert memory.train.in_memory
    assert not stream.train.in_memory
    assert isinstance(stream.train.x, ImageFiles)
    assert stream.fingerprint == memory.fingerprint
    for name in ("train", "validation", "test"):
        one, two = getattr(memory, name), getattr(stream, name)
        assert list(one.ids) == list(two.ids)
        assert one.x.shape == two.x.shape
        np.testing.assert_array_equal(one.x[:], two.x[:])


def test_rows_come_in_the_order_that_was_asked_for(photos: Photos) -> None:
    x = load(photos(COUNTS), memory=0).train.x
    everything = x[:]
    rows = np.array([5, 0, 5, 3])
    np.testing.assert_array_equal(x[rows], everything[rows])
    np.testing.assert_array_equal(x[2:7], everything[2:7])
    np.testing.assert_array_equal(x[4], everything[4])
    assert x[np.array([], int)].shape == (0, *x.shape[1:])


def test_decoding_is_traced_once_for_any_number_of_rows(photos: Photos) -> None:
    from keras_recipe.data.pictures import _decoder

    x = load(photos(COUNTS), memory=0).train.x
    for n in (1, 2, 7):
        x[np.arange(n)]
    assert _decoder(x.size).experimental_get_tracing_count() == 1  # type: ignore[attr-defined]


def test_pictures_of_one_small_size_keep_it_and_their_pixels(photos: Photos) -> None:
    folder = photos({"a": 4, "b": 4}, size=(20, 30))
    problem = load(folder)
    assert problem.signature.shape == (20, 30, 3)
    for row, path in zip(problem.train.x[:], problem.train.ids, strict=True):
        np.testing.assert_array_equal(row, np.asarray(Image.open(folder / path)))


def test_grey_pictures_have_one_channel_and_keep_their_pixels(photos: Photos) -> None:
    folder = photos({"a": 4, "b": 4}, size=(20, 30), grey=True)
    problem = load(folder)
    assert problem.signature.shape == (20, 30, 1)
    np.testing.assert_array_equal(problem.train.x[:][0, ..., 0], np.asarray(Image.open(folder / problem.train.ids[0])))


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(40, 200), (50, 60)], (32, 32, 3)),
        ([(300, 200), (500, 600)], (96, 96, 3)),
        ([(20, 24), (30, 21)], (20, 20, 3)),
    ],
)
def test_the_default_size_follows_the_median_shorter_side(
    tmp_path: Path, sizes: list[tuple[int, int]], expected: tuple[int, int, int]
) -> None:
    for i, size in enumerate(sizes):
        Image.new("RGB", size).save(tmp_path / f"{i}.png")
    assert natural_size([str(tmp_path / f"{i}.png") for i in range(len(sizes))]) == expected


def test_the_size_can_be_chosen(photos: Photos) -> None:
    folder = photos({"a": 4, "b": 4})
    assert load(folder, image_size=16).signature.shape == (16, 16, 3)
    assert load(folder, image_size=(16, 24)).signature.shape == (16, 24, 3)
    assert load(folder, image_size=16).fingerprint != load(folder).fingerprint


def test_fine_lines_keep_their_brightness_when_made_small(tmp_path: Path) -> None:
    lines = np.zeros((64, 64, 3), "uint8")
    lines[:, ::8] = 255
    Image.fromarray(lines).save(tmp_path / "lines.png")
    pixels = ImageFiles.of([str(tmp_path / "lines.png")], (8, 8, 3))[:]
    assert np.abs(pixels.astype(int) - 255 // 8).max() < 16


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_every_kind_of_picture_is_decoded(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"picture.{kind.lower()}"
    Image.new("RGB", (8, 8), (255, 0, 0)).save(path, kind)
    pictures, good = read_all(ImageFiles.of([str(path)], (8, 8, 3)))
    assert good.tolist() == [0]
    assert np.abs(pictures[0, 4, 4].astype(int) - [255, 0, 0]).max() < 4


@pytest.mark.parametrize("memory", [0, None])
def test_undecodable_pictures_stop_with_their_paths(photos: Photos, memory: int | None) -> None:
    folder = photos(COUNTS)
    damage(folder / "cat" / "003.png")
    (folder / "dog" / "none.jpg").write_text("no picture")
    with pytest.raises(RecipeError, match="--skip-corrupt") as caught:
        load(folder, memory=memory)
    assert "2 undecodable: cat/003.png, dog/none.jpg" in str(caught.value)


@pytest.mark.parametrize("memory", [0, None])
def test_undecodable_pictures_can_be_skipped_with_a_warning(photos: Photos, memory: int | None) -> None:
    folder = photos(COUNTS)
    damage(folder / "cat" / "003.png")
    problem = load(folder, memory=memory, skip_corrupt=True)
    [finding] = findings(problem, "corrupt")
    assert (finding.severity, finding.evidence["paths"]) == ("warning", ["cat/003.png"])
    ids = {i for s in (problem.train, problem.validation, problem.test) for i in s.ids}
    assert ids == {f"{c}/{i:03}.png" for c, n in COUNTS.items() for i in range(n)} - {"cat/003.png"}
    for part in (problem.train, problem.validation, problem.test):
        for row, path in zip(part.x[:], part.ids, strict=True):
            expected = ImageFiles.of([str(folder / path)], problem.signature.shape)[:][0]  # type: ignore[arg-type]
            np.testing.assert_array_equal(row, expected)


@pytest.mark.parametrize("memory", [None, 0])
def test_an_undecodable_picture_moves_no_other_to_another_part(
    photos: Photos, tmp_path: Path, memory: int | None
) -> None:
    folder = photos({"a": 20, "b": 20})
    damage(folder / "a" / "003.png")
    edits = tmp_path / "suspects.csv"
    edits.write_text("action,split,example,given,likely\ndrop,train,a/003.png,,\n")
    looked, skipped, dropped = (
        {path: part for part in ("train", "validation", "test") for path in getattr(problem, part).ids}
        for problem in (
            load(folder, tolerant=True),
            load(folder, skip_corrupt=True, memory=memory),
            load(folder, edits=edits, memory=memory),
        )
    )
    del looked["a/003.png"]
    assert looked == skipped == dropped


def test_many_undecodable_pictures_are_counted(photos: Photos) -> None:
    folder = photos({"a": 14, "b": 5})
    for path in (folder / "a").iterdir():
        damage(path)
    with pytest.raises(RecipeError, match=r"14 undecodable: .*a/009\.png and 4 more"):
        load(folder)


def test_a_picture_that_goes_while_streaming_is_named(photos: Photos) -> None:
    folder = photos(COUNTS)
    problem = load(folder, memory=0)
    (folder / problem.train.ids[2]).unlink()
    with pytest.raises(RecipeError, match=problem.train.ids[2]):
        problem.train.x[:4]


def test_what_is_ignored_is_reported(photos: Photos) -> None:
    folder = photos(COUNTS)
    (folder / "LICENSE.txt").write_text("free")
    (folder / "cat" / ".DS_Store").write_text("")
    (folder / "cat" / "scan.tif").write_bytes(b"")
    (folder / "empty").mkdir()
    Image.new("RGB", (8, 8)).save(folder / "loose.png")
    problem = load(folder)
    seen = {(f.severity, *f.evidence["paths"]) for f in findings(problem, "ignored")}
    assert seen == {
        ("info", "LICENSE.txt"),
        ("info", "cat/.DS_Store"),
        ("warning", "cat/scan.tif"),
        ("warning", "empty"),
        ("warning", "loose.png"),
    }
    assert problem.signature.classes == ("10", "cat", "dog")


def test_train_validation_and_test_folders_are_the_parts(photos: Photos, tmp_path: Path) -> None:
    for part, n in (("train", 6), ("val", 2), ("test", 3)):
        photos({"a": n, "b": n}, root=tmp_path / "all" / part)
    problem = load(tmp_path / "all")
    assert [len(s) for s in (problem.train, problem.validation, problem.test)] == [12, 4, 6]
    assert problem.split_by == "given"
    assert problem.signature.classes == ("a", "b")
    assert problem.test.ids[0] == "test/a/000.png"
    assert set(problem.train.y[:6].tolist()) == {0, 1}


def test_without_a_validation_folder_it_is_drawn_from_train(photos: Photos, tmp_path: Path) -> None:
    for part, n in (("train", 10), ("test", 3)):
        photos({"a": n, "b": n}, root=tmp_path / "all" / part)
    problem = load(tmp_path / "all", validation=0.2)
    assert [len(s) for s in (problem.train, problem.validation, problem.test)] == [16, 4, 6]


def test_a_test_folder_is_brought_to_the_size_of_training(photos: Photos, tmp_path: Path) -> None:
    folder = photos(COUNTS)
    other = photos({"cat": 3}, root=tmp_path / "other", size=(60, 80))
    problem = load(folder, test=other)
    assert problem.test.x.shape == (3, *problem.signature.shape)
    assert problem.test.y.tolist() == [1, 1, 1]


def test_a_class_that_only_the_test_folder_has_is_refused(photos: Photos, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="'cow' in the test part"):
        load(photos(COUNTS), test=photos({"cat": 3, "cow": 3}, root=tmp_path / "other"))


def test_added_pictures_change_the_fingerprint(photos: Photos) -> None:
    folder = photos(COUNTS)
    before = load(folder).fingerprint
    assert load(folder).fingerprint == before
    Image.new("RGB", (52, 40)).save(folder / "cat" / "new.png")
    added = load(folder).fingerprint
    (folder / "cat" / "new.png").rename(folder / "cat" / "renamed.png")
    assert len({before, added, load(folder).fingerprint}) == 3


def test_folders_without_pictures_or_classes_are_refused(tmp_path: Path, photos: Photos) -> None:
    with pytest.raises(RecipeError, match="holds no pictures"):
        load(tmp_path)
    Image.new("RGB", (8, 8)).save(tmp_path / "loose.png")
    with pytest.raises(RecipeError, match="1 pictures directly in"):
        load(tmp_path)
    with pytest.raises(RecipeError, match="one class only: 'cat'"):
        load(photos({"cat": 5}, root=tmp_path / "one"))
    with pytest.raises(RecipeError, match=r"'dog' \(1\)"):
        load(photos({"cat": 5, "dog": 1}, root=tmp_path / "few"))


def test_linked_folders_are_read_and_circles_are_left(photos: Photos, tmp_path: Path) -> None:
    folder = photos({"a": 4, "b": 4})
    (tmp_path / "elsewhere").mkdir()
    (folder / "b").rename(tmp_path / "elsewhere" / "b")
    (folder / "b").symlink_to(tmp_path / "elsewhere" / "b")
    (folder / "a" / "circle").symlink_to(folder)
    problem = load(folder)
    assert sorted(i for s in (problem.train, problem.validation, problem.test) for i in s.ids) == [
        f"{c}/{i:03}.png" for c in "ab" for i in range(4)
    ]


def test_a_name_that_is_not_in_utf8_is_left_out_and_told(photos: Photos) -> None:
    folder = photos({"a": 6, "b": 6})
    strange = os.fsencode(folder / "a") + b"/bad\xff.png"
    os.rename(folder / "a" / "000.png", strange)
    problem = load(folder, tolerant=True)
    assert sum(len(getattr(problem, part)) for part in ("train", "validation", "test")) == 11
    assert findings(problem, "ignored")[0].evidence["paths"] == ["a/bad\\udcff.png"]
