"""Objects that are cut out and pasted on other backgrounds."""

from __future__ import annotations

import numpy as np
import pytest

from keras_recipe.core.errors import RecipeError
from keras_recipe.data import load, pasting
from keras_recipe.data.synthetic import simulate
from keras_recipe.data.toys import stripes
from keras_recipe.problem import Problem

SIZE = 16


def scenes(n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures of one object, a disc or a bar, on an even ground with noise; their masks; 0 for discs, 1 for bars."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    rows, columns = np.mgrid[:SIZE, :SIZE]
    middle = rng.integers(6, 10, (2, n, 1, 1))
    down, right = np.abs(rows - middle[0]), np.abs(columns - middle[1])
    masks = np.where(y[:, None, None] == 0, down**2 + right**2 < 14, (down < 2) & (right < 5))
    ground = rng.integers(0, 90, (n, 1, 1, 3))
    x = np.where(masks[..., None], [200, 180, 220], ground) + rng.normal(scale=5, size=(n, SIZE, SIZE, 3))
    return x.clip(0, 255).astype("uint8"), masks, y


def problem() -> Problem:
    x, _, y = scenes(120)
    return load((x, np.array(["disc", "bar"])[y]), name="scenes")


def test_an_object_is_what_stands_out_from_the_border() -> None:
    x, masks, _ = scenes()
    found, plausible = pasting.objects(x)
    assert plausible.all()
    overlap = (found & masks).sum(axis=(1, 2)) / (found | masks).sum(axis=(1, 2))
    assert overlap.min() > 0.95


def test_a_picture_is_judged_by_itself_alone() -> None:
    x, _, _ = scenes(20)
    together, _ = pasting.objects(x)
    np.testing.assert_array_equal(together, np.concatenate([pasting.objects(x[i : i + 1])[0] for i in range(20)]))


def test_a_ring_is_filled_and_a_second_piece_is_left_out() -> None:
    x = np.full((1, 20, 20, 1), 10, "uint8")
    x[0, 4:14, 4:14] = 200
    x[0, 7:11, 7:11] = 10
    x[0, 17, 17] = 200
    found, plausible = pasting.objects(x)
    wanted = np.zeros((20, 20), bool)
    wanted[4:14, 4:14] = True
    np.testing.assert_array_equal(found[0], wanted)
    assert plausible.all()


@pytest.mark.parametrize("what", ["even", "noise", "slope", "half", "speck", "two", "all"])
def test_what_is_no_single_object_is_not_plausible(what: str) -> None:
    rng = np.random.default_rng(0)
    x = np.full((20, SIZE, SIZE, 1), 100.0)
    if what == "noise":
        x += rng.normal(scale=20, size=x.shape)
    elif what == "slope":
        x += 8 * np.arange(SIZE)[:, None]
    elif what == "half":
        x[:, :, 8:] = 200
    elif what == "speck":
        x[:, 8, 8] = 200
    elif what == "two":
        x[:, 4:8, 4:8] = x[:, 10:14, 10:14] = 200
    elif what == "all":
        x[:, 1:-1, 1:-1] = 200
    assert not pasting.objects(x.astype("uint8"))[1].any()


def test_a_background_has_no_object_and_is_the_picture_elsewhere() -> None:
    x, masks, _ = scenes()
    ground = pasting.background(x, masks)
    beside = ~pasting.ndimage.binary_dilation(masks, pasting._IN_PLANE)
    np.testing.assert_array_equal(ground[beside], x[beside])
    edge = x[:, 0].astype("float32").mean(axis=1)
    assert np.abs(ground - edge[:, None, None]).max() < 45  # noise of its own; the object differs by more than 90


def test_an_object_moves_and_its_ground_changes() -> None:
    x, masks, _ = scenes(2)
    grounds = np.zeros((2, SIZE, SIZE, 3), "float32")
    made = pasting.pasted(x, masks, grounds, np.array([[0, 0], [2, -3]]), soft=1e-3)
    np.testing.assert_allclose(made[0][masks[0]], x[0][masks[0]], atol=1e-3)
    assert made[0][~masks[0]].max() == 0
    moved = np.roll(masks[1], (2, -3), (0, 1))
    assert (made[1].max(axis=-1)[moved] > 100).all()
    assert made[1][~moved].max() == 0
    away = pasting.pasted(x, masks, grounds, np.full((2, 2), SIZE), soft=1e-3)
    assert away.max() == 0  # cut, and not wrapped around


def test_labels_are_those_of_the_objects_and_the_grounds_tell_nothing() -> None:
    data = problem()
    made = simulate(data, "paste(share=0.5)", 400)
    again = simulate(data, "paste(share=0.1)", 400)
    np.testing.assert_array_equal(made.x, again.x)
    np.testing.assert_array_equal(made.y, again.y)
    bright = (np.asarray(made.x).min(axis=-1) > 140).sum(axis=2).max(axis=1)  # the widest row
    names = np.array(data.signature.classes)[made.y]
    assert bright[names == "bar"].mean() > 8.0
    assert bright[names == "disc"].mean() < 8.0
    np.testing.assert_allclose(np.bincount(made.y) / 400, data.label_frequencies(), atol=0.08)
    corner = np.asarray(made.x)[:, 0, 0].astype(float).mean(axis=1)
    assert abs(corner[made.y == 0].mean() - corner[made.y == 1].mean()) < 12
    assert len(np.unique(np.asarray(made.x), axis=0)) > 390


def test_pictures_without_objects_are_refused_with_the_figures() -> None:
    with pytest.raises(RecipeError, match=r"of \d+ training pictures"):
        simulate(stripes(), "paste()", 10)


def test_every_class_must_have_objects() -> None:
    x, _, y = scenes(120)
    x[y == 1] = 100
    data = load((x, np.array(["disc", "bar"])[y]), name="half")
    assert "0 of 'bar'" in pasting.unfit(data, pasting.cuttings(data.train, 0))
