"""What the end of a model leaves for views: features, labels, thumbnails, counts of precision and recall."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.metrics import precision_score, recall_score

from keras_recipe import embedding, objectives
from keras_recipe.embedding import THRESHOLDS, penultimate, precision_recall, sprite, write
from keras_recipe.models import create
from keras_recipe.problem import Problem


def kept(problem: Problem, spec: str, directory: Path) -> dict[str, np.ndarray]:
    model = create(spec, problem)
    said = [
        objectives.predictions(problem, model.predict_on_batch(np.asarray(s.x)))
        for s in (problem.validation, problem.test)
    ]
    write(directory, problem, model, *said)
    with np.load(directory / embedding.FILE, allow_pickle=False) as arrays:
        return dict(arrays)


def test_features_are_what_the_last_weights_are_fed_with(blobs: Problem) -> None:
    model = create("mlp(depth=1, width=8)", blobs)
    x = np.asarray(blobs.validation.x)
    found = penultimate(model, x)
    assert found is not None
    last = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)][-1]
    assert found.shape == (len(x), 8)
    assert found @ last.kernel.numpy() + last.bias.numpy() == pytest.approx(model.predict_on_batch(x), abs=1e-4)


def test_wide_features_become_principal_components(stripes: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = create("small_cnn(width=8)", stripes), np.asarray(stripes.validation.x)
    whole = penultimate(model, x)
    monkeypatch.setattr(embedding, "WIDTH", 4)
    few = penultimate(model, x)
    assert whole is not None
    assert few is not None
    assert few.shape == (len(x), 4)
    centred = whole - whole.mean(axis=0)
    assert few[:, 0].var() == pytest.approx(np.linalg.eigvalsh(centred.T @ centred / len(x))[-1], rel=1e-3)


def test_a_picture_s_class_and_thumbnail_are_kept(stripes: Problem, tmp_path: Path) -> None:
    found = kept(stripes, "small_cnn(width=4)", tmp_path)
    count = len(stripes.validation)
    assert found["names"].tolist() == ["is", "the model says", "right", "example"]
    assert found["texts"][:, 0].tolist() == [stripes.label(y) for y in stripes.validation.y]
    assert found["texts"][:, 3].tolist() == [str(i) for i in stripes.validation.ids]
    assert len(found["features"]) == count
    assert found["counts"].shape == (3, 4, THRESHOLDS)
    assert (tmp_path / embedding.SPRITE).is_file()


def test_a_sheet_holds_the_pictures_row_by_row() -> None:
    sheet = np.asarray(sprite(np.stack([np.full((8, 8, 1), v, "uint8") for v in (10, 20, 30, 40, 50)])))
    assert sheet.shape == (96, 96, 3)
    assert [int(sheet[r * 32 + 5, c * 32 + 5, 0]) for r, c in ((0, 0), (0, 2), (1, 0), (2, 2))] == [10, 30, 40, 255]


def test_two_classes_have_one_curve(binary: Problem, tmp_path: Path) -> None:
    found = kept(binary, "mlp(depth=1, width=8)", tmp_path)
    assert found["classes"].tolist() == ["good"]
    assert not (tmp_path / embedding.SPRITE).exists()


def test_a_regression_has_targets_and_no_curve(line: Problem, tmp_path: Path) -> None:
    found = kept(line, "mlp(depth=1, width=8)", tmp_path)
    assert found["names"].tolist() == ["target", "prediction", "example"]
    assert "counts" not in found


def test_large_data_are_shown_in_part(blobs: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "EXAMPLES", 7)
    found = kept(blobs, "mlp(depth=1, width=8)", tmp_path)
    ids = blobs.validation.ids
    assert len(found["features"]) == 7
    assert found["texts"][[0, -1], 3].tolist() == [str(ids[0]), str(ids[-1])]


def test_a_model_that_is_no_graph_leaves_nothing(blobs: Problem, tmp_path: Path) -> None:
    class Opaque(keras.Model):
        def call(self, x: object) -> object:
            return x

    write(tmp_path, blobs, Opaque(), np.zeros((len(blobs.validation), 3)), np.zeros((len(blobs.test), 3)))
    assert not list(tmp_path.iterdir())


def test_counts_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    score, positive = generator.random(500), generator.random(500) < 0.3
    counts = precision_recall(positive, score)
    assert (counts.sum(axis=0) == 500).all()
    for i in (0, 20, 50, 90):
        true, false, _, missed = counts[:, i]
        said = score >= i / (THRESHOLDS - 1)
        assert true / (true + false) == pytest.approx(precision_score(positive, said))
        assert true / (true + missed) == pytest.approx(recall_score(positive, said))
