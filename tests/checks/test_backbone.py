from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_recipe import compiled
from keras_recipe.checks.backbone import _compared, _is_untouched
from keras_recipe.core.records import Finding
from keras_recipe.data import load
from keras_recipe.models import create, weights
from keras_recipe.problem import Problem

Look = Callable[..., list[Finding]]
SPEC = "backbone(alpha=0.35, name='applications:MobileNetV2'{})"


@pytest.fixture(scope="module")
def flowers(real: Callable[[str], Path]) -> Iterator[Problem]:
    """Photos, with the pretrained weights of one backbone at hand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(weights.VARIABLE, str(real("weights")))
        yield load(real("flowers"), image_size=96, name="flowers")


def built(more: str = "") -> Callable[[Problem], keras.Model]:
    def build(problem: Problem) -> keras.Model:
        model = create(SPEC.format(more), problem)
        model.compile("adam", compiled.loss(problem))
        return model

    return build


def one(findings: list[Finding]) -> Finding:
    assert len(findings) == 1
    return findings[0]


def test_pretrained_weights_are_seen_to_be_there(look: Look, flowers: Problem) -> None:
    found = one(look("backbone_weights", flowers, built()))
    assert found.severity == "ok"
    assert "mobilenet_v2_0.35_224_notop" in found.message
    assert len(found.evidence["untouched"]) <= 2


def test_weights_that_were_claimed_but_are_not_there_are_an_error(look: Look, flowers: Problem) -> None:
    def spoilt(problem: Problem) -> keras.Model:
        model = built()(problem)
        fresh = create(SPEC.format(", weights='random'"), problem)
        model.get_layer("backbone").set_weights(fresh.get_layer("backbone").get_weights())
        return model

    found = one(look("backbone_weights", flowers, spoilt))
    assert (found.severity, found.cause) == ("error", "pretrained")
    assert "untouched" in found.message


def test_every_kind_of_convolution_is_compared(flowers: Problem) -> None:
    """MobileNet has as many depthwise kernels as others, which are drawn by an initializer of another name."""
    trunk = create(SPEC.format(", weights='random'"), flowers).get_layer("backbone")
    depthwise = [layer for layer in trunk.layers if isinstance(layer, keras.layers.DepthwiseConv2D)]
    known, untouched = _compared(trunk)
    assert known == len(untouched)
    assert {layer.name for layer in depthwise} & {*untouched}
    depthwise[3].set_weights([w + 1 for w in depthwise[3].get_weights()])
    assert not _is_untouched(depthwise[3])


def test_a_frozen_backbone_that_nobody_trained_is_an_error(look: Look, flowers: Problem) -> None:
    found = one(look("backbone_weights", flowers, built(", train='head', weights='random'")))
    assert (found.severity, found.cause) == ("error", "pretrained")


def test_a_backbone_from_scratch_is_fine(look: Look, flowers: Problem, stripes: Problem, blobs: Problem) -> None:
    found = one(look("backbone_weights", flowers, built(", weights='random'")))
    assert found.severity == "info"
    assert "random weights" in found.message
    small = one(look("backbone_weights", stripes, built(", weights='random'")))
    assert "enlarged 8 times" in small.message
    assert look("backbone_weights", blobs) == []
    assert look("backbone_input", flowers, built(", weights='random'")) == []


def test_the_backbones_own_preprocessing_is_right(look: Look, flowers: Problem) -> None:
    found = one(look("backbone_input", flowers, built()))
    assert (found.severity, found.cause) == ("ok", "preprocessing")


def test_a_backbone_without_statistics_of_a_batch_is_said_not_to_be_judged(
    look: Look, flowers: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keras_recipe.checks.backbone._first_norm", lambda trunk: None)  # as of VGG16
    found = one(look("backbone_input", flowers, built()))
    assert (found.severity, found.cause) == ("info", "preprocessing")
    assert "cannot be judged" in found.message
    assert look("backbone_input", flowers, built(", weights='random'")) == []


@pytest.mark.parametrize("convention", ["0..255", "0..1", "caffe", "imagenet"])
def test_another_range_of_pixels_is_found_and_the_right_one_named(
    convention: str, look: Look, flowers: Problem
) -> None:
    found = one(look("backbone_input", flowers, built(f", convention='{convention}'")))
    assert found.severity == ("error" if convention in ("0..255", "caffe") else "warning")
    assert "-1..1, R, G, B" in found.message


def test_blue_and_red_exchanged_are_found_in_anybodys_model(look: Look, flowers: Problem) -> None:
    def theirs(problem: Problem) -> keras.Model:
        inputs = keras.Input((96, 96, 3))
        x = keras.layers.Rescaling(1 / 127.5, -1)(inputs)
        trunk = keras.applications.MobileNetV2(
            alpha=0.35, include_top=False, weights=None, input_shape=(96, 96, 3), name="theirs"
        )
        trunk.load_weights(weights.folder() / "mobilenet_v2_0.35_224_notop.weights.h5")  # type: ignore[operator]
        x = keras.layers.GlobalAveragePooling2D()(trunk(keras.ops.flip(x, axis=-1)))
        model = keras.Model(inputs, keras.layers.Dense(5)(x))
        model.compile("adam", compiled.loss(problem))
        return model

    found = one(look("backbone_input", flowers, theirs))
    assert found.cause == "preprocessing"
    assert found.severity == "warning"
    assert "-1..1, R, G, B" in found.message


def test_drawings_in_grey_are_no_other_range_of_pixels(
    look: Look, flowers: Problem, real: Callable[[str], Path]
) -> None:
    drawings = load(real("fashion_mnist"))
    found = one(look("backbone_input", drawings, built()))
    assert found.severity == "ok"
    assert np.isfinite(list(found.evidence["distances"].values())).all()
