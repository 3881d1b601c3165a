"""Exact and near duplicates, within splits and across them."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from keras_recipe.core.records import Finding
from keras_recipe.data import load
from keras_recipe.problem import Problem
from keras_recipe.twins import equal, hashes

Look = Callable[..., list[Finding]]
Alarms = Callable[[list[Finding]], set[str]]


def scenes(count: int, seed: int = 0) -> np.ndarray:
    """Smooth random colour pictures (count, 48, 48, 3), all different."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (count, 7, 7, 3)).astype("uint8")
    return np.stack([np.asarray(Image.fromarray(c).resize((48, 48), Image.Resampling.BICUBIC)) for c in coarse])


def with_copies(copy: Callable[[Image.Image], Image.Image], label: int | None = None) -> Problem:
    """Sixty training scenes, and validation and test scenes of which the first two are copies of training ones."""
    x, held = scenes(60), scenes(20, seed=1)
    copies = np.stack([np.asarray(copy(Image.fromarray(p)).convert("RGB").resize((48, 48))) for p in x[:4]])
    y = np.arange(60) % 2
    labels = y[:4] if label is None else np.full(4, label)
    validation = np.concatenate([copies[:2], held[:10]]), np.concatenate([labels[:2], np.arange(10) % 2])
    test = np.concatenate([copies[2:], held[10:]]), np.concatenate([labels[2:], np.arange(10) % 2])
    return load((x, y), validation=validation, test=test)


def encoded(picture: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=60)
    return Image.open(buffer)


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "equal": lambda p: p,
    "re-encoded": encoded,
    "shrunk": lambda p: p.resize((24, 24), Image.Resampling.BICUBIC),
    "enlarged": lambda p: p.resize((90, 90), Image.Resampling.BICUBIC),
    "in grey": lambda p: p.convert("L"),
}


@pytest.mark.parametrize("copy", COPIES)
def test_copies_in_other_splits_are_found(copy: str, look: Look, alarms: Alarms) -> None:
    findings = look("duplicates", with_copies(COPIES[copy]))
    assert "duplicates" in alarms(findings)
    pairs = {(a, b, c, d) for a, b, c, d in findings[0].evidence["of"]}
    assert pairs == {
        ("train", "0", "validation", "0"), ("train", "1", "validation", "1"),
        ("train", "2", "test", "0"), ("train", "3", "test", "1"),
    }  # fmt: skip
    assert {(s.split, s.example) for s in findings[0].suspects} == {("train", str(i)) for i in range(4)}
    assert findings[0].artifact


def test_different_scenes_are_no_duplicates(look: Look) -> None:
    findings = look("duplicates", load((scenes(200), np.arange(200) % 2)))
    assert [f.severity for f in findings] == ["ok"]


def test_frames_that_lie_on_a_line_are_no_duplicates(look: Look, alarms: Alarms) -> None:
    start, end = scenes(2).astype("float64")
    share = np.linspace(0, 1, 40)[:, None, None, None]
    frames = (start * share + end * (1 - share)).astype("uint8")
    assert not alarms(look("duplicates", load((frames, np.arange(40) % 2))))


def test_twins_with_two_labels_are_told(look: Look, alarms: Alarms) -> None:
    findings = look("duplicates", with_copies(COPIES["equal"], label=1))
    conflict = next(f for f in findings if f.cause == "labels")
    assert conflict.evidence["pairs"] == 1  # of the test split nobody looks at the labels
    assert not any(f.cause == "labels" for f in look("duplicates", with_copies(COPIES["equal"])))


def test_equal_rows_of_vectors_are_found(look: Look, alarms: Alarms) -> None:
    x = np.random.default_rng(0).normal(size=(80, 4)).astype("float32")
    findings = look("duplicates", load((np.concatenate([x, x[:8]]), np.arange(88) % 2), seed=1))
    assert findings[0].evidence["exact"] == 8
    assert alarms(findings)


def test_equal_answers_to_few_questions_are_no_duplicates(look: Look, alarms: Alarms) -> None:
    answers = np.random.default_rng(0).integers(1, 6, (400, 4)).astype("float32")
    findings = look("duplicates", load((answers, np.arange(400) % 2)))
    assert not alarms(findings)
    assert "so few different values" in findings[0].message
    one = np.random.default_rng(2).normal(size=(300, 1)).astype("float32")
    assert alarms(look("duplicates", load((np.concatenate([one, one[:30]]), np.arange(330) % 2)))) >= {"duplicates"}
    beside = np.random.default_rng(1).normal(size=(200, 1)).astype("float32")
    rows = np.concatenate([np.concatenate([answers[:200], beside], axis=1)] * 2)
    assert alarms(look("duplicates", load((rows, np.arange(400) % 2)))) >= {"duplicates"}


@given(st.lists(st.sampled_from([b"a", b"b", b"c", b""]), max_size=12))
def test_pairs_join_all_that_are_equal(digests: list[bytes]) -> None:
    array = np.array(digests, "S16") if digests else np.empty(0, "S16")
    pairs = equal(array)
    for digest in {b"a", b"b", b"c"}:
        places = [i for i, d in enumerate(digests) if d == digest]
        assert sorted(b for a, b in pairs.tolist() if digests[a] == digest) == places[1:]
        assert {a for a, b in pairs.tolist() if digests[a] == digest} <= set(places[:1])
    assert not any(digests[a] == b"" for a, _ in pairs.tolist())


def test_hashes_do_not_heed_brightness_and_contrast() -> None:
    pictures = scenes(3)[:, ::2, ::2]
    darker = (pictures * 0.5 + 20).astype("uint8")
    assert (np.sum(hashes(pictures) * hashes(darker), axis=1) > 0.999).all()
