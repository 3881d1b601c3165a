"""More data joins the training part, and changes nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from keras_recipe.core.errors import RecipeError
from keras_recipe.data import load
from keras_recipe.data.more import JoinedIds
from keras_recipe.data.parts import Joined
from keras_recipe.problem import Problem


def points(n: int, seed: int, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return generator.normal(size=(n, 3)).astype("float32") + y[:, None], y


def table(path: Path, rows: list[tuple[object, ...]], header: str = "size,city,label") -> Path:
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


def rows(n: int, seed: int) -> list[tuple[object, ...]]:
    generator = np.random.default_rng(seed)
    return [(f"{generator.normal():.6f}", ["Rome", "Oslo"][i % 2], ["yes", "no"][i % 3 == 0]) for i in range(n)]


def pictures(root: Path, n: int, seed: int) -> Path:
    generator = np.random.default_rng(seed)
    for i in range(n):
        place = root / ["cat", "dog"][i % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 255, (8, 8, 3), "uint8")).save(place / f"{seed}-{i}.png")
    return root


def unchanged(plain: Problem, grown: Problem) -> None:
    assert grown.fingerprint == plain.fingerprint
    assert grown.signature == plain.signature
    assert grown.given == len(plain.train)
    for name in ("validation", "test"):
        old, new = getattr(plain, name), getattr(grown, name)
        assert list(new.ids) == list(old.ids)
        assert (new.y == old.y).all()
        assert (np.asarray(new.x[np.arange(len(new))]) == np.asarray(old.x[np.arange(len(old))])).all()
    assert list(grown.train.ids)[: grown.given] == list(plain.train.ids)
    assert (grown.train.x[np.arange(grown.given)] == plain.train.x[np.arange(grown.given)]).all()


def told(problem: Problem) -> str:
    return " ".join(f.message for f in problem.findings if f.cause == "more-data")


def test_arrays_are_added_to_the_training_part_alone() -> None:
    plain, more = load(points(100, 0)), points(40, 1)
    grown = load(points(100, 0), more=more)
    unchanged(plain, grown)
    assert grown.added == 40
    assert (grown.train.x[grown.given :] == more[0].astype("float32")).all()
    assert (grown.train.y[grown.given :] == more[1]).all()
    assert grown.train.ids[len(grown.train) - 1] == "added 39"
    assert grown.more
    assert not plain.more


def test_a_table_is_encoded_as_the_data_is(tmp_path: Path) -> None:
    data, more = table(tmp_path / "a.csv", rows(90, 0)), table(tmp_path / "b.csv", rows(30, 1))
    plain, grown = load(data), load(data, more=more)
    unchanged(plain, grown)
    assert grown.added == 30
    assert grown.train.raw is not None
    assert len(grown.train.raw) == len(grown.train)


def test_a_folder_is_added_by_its_paths(tmp_path: Path) -> None:
    data, more = pictures(tmp_path / "a", 24, 0), pictures(tmp_path / "b", 10, 1)
    plain, grown = load(data), load(data, more=more)
    unchanged(plain, grown)
    assert grown.added == 10
    assert all(Path(i).is_absolute() and Path(i).is_file() for i in list(grown.train.ids)[grown.given :])
    streamed = load(data, more=more, memory=1)
    assert not streamed.train.in_memory
    order = np.random.default_rng(0).permutation(len(grown.train))
    assert (streamed.train.x[order] == grown.train.x[order]).all()


def test_what_was_added_is_identified_by_its_content(tmp_path: Path) -> None:
    first = load(points(100, 0), more=points(40, 1)).more
    assert load(points(100, 0), more=points(40, 1)).more == first
    assert load(points(100, 0), more=points(40, 2)).more != first
    x, y = points(40, 1)
    assert load(points(100, 0), more=(x, 1 - y)).more != first


def test_a_second_source_comes_behind_the_first_without_copies_of_it() -> None:
    data, one, (x, y) = points(100, 0), points(40, 1), points(30, 2)
    x[4] = one[0][5]
    once, grown = load(data, more=one), load(data, more=[one, (x, y)])
    unchanged(load(data), grown)
    assert (grown.added, [count for _, count in grown.additions]) == (69, [40, 29])
    assert grown.additions[0] == once.additions[0]
    assert grown.more not in ("", once.more, load(data, more=(x, y)).more)
    assert [grown.trained_on(name) - grown.given for name in ("", once.more, grown.more)] == [0, 40, 69]
    assert list(grown.train.ids)[: len(once.train)] == list(once.train.ids)
    assert len(set(grown.train.ids)) == len(grown.train)
    with pytest.raises(ValueError, match="more data"):
        grown.trained_on("abc")


def test_a_second_folder_and_a_second_table_come_behind_the_first(tmp_path: Path) -> None:
    data, *folders = (pictures(tmp_path / f"p{i}", 24, i) for i in range(3))
    grown = load(data, more=[str(f) for f in folders])
    assert grown.added == 48
    assert all(Path(i).is_file() for i in list(grown.train.ids)[grown.given :])
    streamed, order = load(data, more=folders, memory=1), np.random.default_rng(0).permutation(len(grown.train))
    assert (streamed.train.x[order] == grown.train.x[order]).all()
    csv, *more = (table(tmp_path / f"{i}.csv", rows(60, i)) for i in range(3))
    grown = load(csv, more=more)
    assert [count for _, count in grown.additions] == [60, 60]
    assert len(grown.train.raw) == len(grown.train) == len(grown.train.x)


@pytest.mark.parametrize("part", ["validation", "test", "train"])
def test_copies_of_the_data_are_left_out_and_named(part: str) -> None:
    plain, (x, y) = load(points(100, 0)), points(40, 1)
    x[7] = getattr(plain, part).x[3]
    grown = load(points(100, 0), more=(x, y))
    assert grown.added == 39
    assert "copies" in told(grown)
    assert ": 7" in told(grown)
    assert "added 7" not in list(grown.train.ids)


def test_copies_of_files_are_left_out_whatever_they_are_called(tmp_path: Path) -> None:
    data, more = pictures(tmp_path / "a", 24, 0), pictures(tmp_path / "b", 10, 1)
    plain = load(data)
    copied = data / plain.test.ids[0]
    (more / "cat" / "renamed.png").write_bytes(copied.read_bytes())
    grown = load(data, more=more)
    assert grown.added == 10
    assert "cat/renamed.png" in told(grown)


def test_rows_that_a_coarse_table_repeats_anyway_are_no_copies(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    coarse = [(i % 2, generator.integers(1, 4), generator.integers(1, 4), i % 2) for i in range(300)]
    data = table(tmp_path / "a.csv", coarse, "a,b,c,label")
    assert load(data, more=table(tmp_path / "b.csv", coarse[:50], "a,b,c,label")).added == 50


def test_data_that_is_all_there_already_is_refused() -> None:
    with pytest.raises(RecipeError, match="something new"):
        load(points(100, 0), more=points(100, 0))


def test_groups_of_the_other_parts_are_left_out(tmp_path: Path) -> None:
    def grouped(n: int, seed: int) -> list[tuple[object, ...]]:
        return [(*row[:2], f"g{i % 20}", row[2]) for i, row in enumerate(rows(n, seed))]

    header = "size,city,who,label"
    data, more = table(tmp_path / "a.csv", grouped(200, 0), header), table(tmp_path / "b.csv", grouped(60, 1), header)
    plain, grown = load(data, groups="who"), load(data, groups="who", more=more)
    unchanged(plain, grown)
    assert 0 < grown.added < 60
    lines = data.read_text().splitlines()[1:]
    held = {lines[int(i)].split(",")[2] for part in (plain.validation, plain.test) for i in part.ids}
    fresh = more.read_text().splitlines()[1:]
    added = {fresh[int(i.split()[1])].split(",")[2] for i in list(grown.train.ids)[grown.given :]}
    assert not held & added


def test_later_rows_than_those_of_the_test_are_left_out(tmp_path: Path) -> None:
    def timed(n: int, start: int, seed: int) -> list[tuple[object, ...]]:
        return [(*row[:2], start + i, row[2]) for i, row in enumerate(rows(n, seed))]

    header = "size,city,year,label"
    data = table(tmp_path / "a.csv", timed(100, 1000, 0), header)
    more = table(tmp_path / "b.csv", timed(100, 1010, 1), header)
    grown = load(data, time="year", more=more)
    assert grown.added == 60  # 70 % of the data train, the years 1000 to 1069


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((np.zeros((4, 3), "float32"), np.array([0, 1, 7, 1])), "among the 2 classes"),
        ((np.zeros((4, 5), "float32"), np.array([0, 1, 0, 1])), "inputs of shape"),
    ],
)
def test_other_classes_and_other_shapes_are_refused(more: object, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load(points(100, 0), more=more)


def test_other_columns_other_forms_and_empty_folders_are_refused(tmp_path: Path) -> None:
    data = table(tmp_path / "a.csv", rows(90, 0))
    with pytest.raises(RecipeError, match="without city"):
        load(data, more=table(tmp_path / "b.csv", [(1.5, "yes"), (2.5, "no")], "size,label"))
    with pytest.raises(RecipeError, match="in the form of"):
        load(data, more=points(20, 0))
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecipeError, match="holds no pictures"):
        load(pictures(tmp_path / "pictures", 24, 0), more=tmp_path / "empty")


@given(st.integers(1, 9), st.integers(1, 9), st.data())
@settings(deadline=None, max_examples=50)
def test_joined_rows_are_those_of_one_array(first: int, second: int, data: st.DataObject) -> None:
    whole = np.arange((first + second) * 2).reshape(-1, 2)
    joined = Joined(whole[:first], whole[first:])
    wanted = data.draw(st.lists(st.integers(0, len(whole) - 1)))
    assert (joined[np.array(wanted, int)] == whole[np.array(wanted, int)]).all()
    assert (joined[1:5] == whole[1:5]).all()
    assert joined.shape == whole.shape
    names = [str(i) for i in range(len(whole))]
    ids = JoinedIds(names[:first], names[first:])
    assert list(ids) == names
    assert ids[-1] == names[-1]
    assert ids[:3] == names[:3]
