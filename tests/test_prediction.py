"""Predictions for new data, as a table."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_recipe import prediction
from keras_recipe.core.errors import RecipeError
from keras_recipe.prediction import predict_to_csv
from keras_recipe.problem import Problem
from keras_recipe.recipe import Result

Finished = Callable[[str], tuple[Problem, Result]]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def probabilities(rows: list[dict[str, str]], problem: Problem) -> np.ndarray:
    return np.array([[float(row[name]) for name in problem.signature.classes] for row in rows])


def test_a_folder_of_pictures_is_listed_by_path(finished: Finished, tmp_path: Path) -> None:
    problem, result = finished("stripes")
    count = 6
    for row in range(count):
        (tmp_path / "new" / "deep").mkdir(parents=True, exist_ok=True)
        Image.fromarray(problem.test.x[row][..., 0]).save(tmp_path / "new" / "deep" / f"{row}.png")
    assert predict_to_csv(result.directory, [tmp_path / "new"], tmp_path / "out.csv") == count
    rows = table(tmp_path / "out.csv")
    assert list(rows[0]) == ["path", "prediction", *problem.signature.classes]
    assert [Path(r["path"]).name for r in rows] == [f"{row}.png" for row in range(count)]
    values = probabilities(rows, problem)
    assert np.allclose(values.sum(axis=1), 1, atol=1e-4)
    assert [r["prediction"] for r in rows] == [problem.signature.classes[i] for i in values.argmax(axis=1)]
    right = sum(r["prediction"] == problem.signature.classes[y] for r, y in zip(rows, problem.test.y, strict=False))
    assert right >= 4


def test_rows_of_an_npz_are_numbered(finished: Finished, tmp_path: Path) -> None:
    for name in ("blobs", "stripes"):
        problem, result = finished(name)
        np.savez(tmp_path / "new.npz", x=problem.test.x[:5])
        predict_to_csv(result.directory, [tmp_path / "new.npz"], tmp_path / "out.csv")
        rows = table(tmp_path / "out.csv")
        assert list(rows[0]) == ["row", "prediction", *problem.signature.classes]
        assert [r["row"] for r in rows] == ["0", "1", "2", "3", "4"]


def test_more_rows_than_are_in_memory_at_a_time_come_out_in_order(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, result = finished("blobs")
    np.savez(tmp_path / "new.npz", x=problem.test.x[:10])
    predict_to_csv(result.directory, [tmp_path / "new.npz"], tmp_path / "whole.csv")
    monkeypatch.setattr(prediction, "_ROWS", 3)
    predict_to_csv(result.directory, [tmp_path / "new.npz"], tmp_path / "parts.csv")
    assert (tmp_path / "whole.csv").read_text() == (tmp_path / "parts.csv").read_text()


def test_a_table_with_unseen_words_and_missing_cells_is_predicted(finished: Finished, tmp_path: Path) -> None:
    problem, result = finished("table")
    (tmp_path / "new.csv").write_text("city,age,income,extra\nAtlantis,,30000,1\nRome,60,31000,2\n")
    predict_to_csv(result.directory, [tmp_path / "new.csv"], tmp_path / "out.csv")
    rows = table(tmp_path / "out.csv")
    assert [r["row"] for r in rows] == ["0", "1"]
    assert {r["prediction"] for r in rows} <= {"yes", "no"}
    assert np.allclose(probabilities(rows, problem).sum(axis=1), 1, atol=1e-4)


def test_a_regression_has_one_column_in_the_users_unit(finished: Finished, tmp_path: Path) -> None:
    problem, result = finished("line")
    np.savez(tmp_path / "new.npz", x=problem.test.x[:20])
    predict_to_csv(result.directory, [tmp_path / "new.npz"], tmp_path / "out.csv")
    rows = table(tmp_path / "out.csv")
    assert list(rows[0]) == ["row", "prediction"]
    errors = np.array([float(r["prediction"]) for r in rows]) - problem.test.y[:20, 0]
    assert np.abs(errors).mean() < 2 * result.score + 0.1


def test_the_model_file_alone_is_enough(finished: Finished, tmp_path: Path) -> None:
    problem, result = finished("blobs")
    np.savez(tmp_path / "new.npz", x=problem.test.x[:2])
    assert predict_to_csv(result.model_path, [tmp_path / "new.npz"], tmp_path / "out.csv") == 2


def test_what_cannot_be_predicted_is_told_and_leaves_no_table(finished: Finished, tmp_path: Path) -> None:
    _, result = finished("blobs")
    np.savez(tmp_path / "wide.npz", x=np.zeros((2, 9), "float32"))
    out = tmp_path / "out.csv"
    for directory, inputs, told in (
        (tmp_path, tmp_path / "wide.npz", "finish first"),
        (result.directory, tmp_path / "wide.npz", r"shape \(n, 4\)"),
        (result.directory, tmp_path / "gone.npz", "does not exist"),
    ):
        with pytest.raises(RecipeError, match=told):
            predict_to_csv(directory, [inputs], out)
        assert not out.exists()


def test_a_table_that_cannot_be_written_is_told(finished: Finished, tmp_path: Path) -> None:
    problem, result = finished("blobs")
    np.savez(tmp_path / "new.npz", x=problem.test.x[:2])
    with pytest.raises(RecipeError, match=r"(?s)gone/out\.csv.*--out"):
        predict_to_csv(result.directory, [tmp_path / "new.npz"], tmp_path / "gone" / "out.csv")
