"""Files for TensorBoard's projector: what the model makes of examples just before it decides, with their pictures."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector.metadata import PROJECTOR_FILENAME
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from keras_recipe.core.whole import whole

FILE, SPRITE = "artifacts/embedding.npz", "artifacts/embedding.png"
"""What the end of a run leaves of its model, in the run directory."""

TENSOR, METADATA, PICTURES = "penultimate_layer.tsv", "examples.tsv", "thumbnails.png"


def precision_recall(directory: Path) -> dict[str, np.ndarray]:
    """Counts by class, (4, thresholds): true and false positives, true and false negatives. {} where there are none."""
    if not (directory / FILE).is_file():
        return {}
    with np.load(directory / FILE, allow_pickle=False) as arrays:
        if "classes" not in arrays.files:
            return {}
        return dict(zip(map(str, arrays["classes"]), arrays["counts"], strict=True))


def write_embedding(directory: Path, run: Path) -> None:
    """Write the projector's files into a run of the logs, unless they are there already or there is nothing to show.

    The configuration comes last, so that it never names a file that is not there.
    """
    source = directory / FILE
    config = run / PROJECTOR_FILENAME
    if not source.is_file() or (config.is_file() and config.stat().st_mtime >= source.stat().st_mtime):
        return
    with np.load(source, allow_pickle=False) as arrays:
        features, names, texts = arrays["features"], arrays["names"], arrays["texts"]
    shown = ProjectorConfig()
    embedding = shown.embeddings.add(
        tensor_name="penultimate layer", tensor_path=TENSOR, metadata_path=METADATA, tensor_shape=features.shape
    )
    run.mkdir(parents=True, exist_ok=True)
    _write(run / TENSOR, ["\t".join(f"{v:.5g}" for v in row) for row in features.tolist()])
    _write(run / METADATA, ["\t".join(_cell(text) for text in row) for row in (names, *texts)])
    if (directory / SPRITE).is_file():
        with Image.open(directory / SPRITE) as picture:
            side = picture.width // math.ceil(math.sqrt(len(features)))
        shutil.copyfile(directory / SPRITE, run / PICTURES)
        embedding.sprite.image_path = PICTURES
        embedding.sprite.single_image_dim.extend([side, side])
    _write(config, [text_format.MessageToString(shown).rstrip()])


def _cell(text: str) -> str:
    """On one line, in one column."""
    return " ".join(str(text).split()) or "-"


def _write(path: Path, lines: list[str]) -> None:
    with whole(path) as draft:
        draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
