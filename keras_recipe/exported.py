"""The model file: raw inputs in, probabilities out, and all that is needed to use it on new data.

`model.keras` is an ordinary Keras file of built-in layers: `keras.models.load_model` opens it, in safe mode, without
this package. One more member of the archive, `signature.json`, says what a raw input is and names the classes.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipe.core.errors import RecipeError
from keras_recipe.core.whole import whole
from keras_recipe.models.sources import package
from keras_recipe.problem import Column, Problem, Signature, buffer_rows

if TYPE_CHECKING:
    import keras

_MEMBER = "signature.json"
_BATCH = 64
"""Examples at a time: raw pictures may be large."""

_PROVEN = 256
"""Examples whose predictions are compared."""

RawInputs = Any
"""Pictures (examples, height, width, channels), vectors (examples, features), or {column: (examples, 1)}."""


def export(models: Sequence[keras.Model], problem: Problem, path: Path) -> Path:
    """Write a model with the preprocessing before it and the meaning of its outputs behind it, all or nothing.

    Args:
        models: one, or several whose predictions are averaged.
        problem: what they were trained on.
        path: of the file.
    """
    with whole(path) as draft:
        deployable(models, problem).save(draft)
        with zipfile.ZipFile(draft, "a") as archive:
            archive.writestr(_MEMBER, json.dumps(dataclasses.asdict(problem.signature)))
    return path


def deployable(models: Sequence[keras.Model], problem: Problem) -> keras.Model:
    """A model from raw inputs to probabilities (examples, classes), or targets in the user's unit: the mean of those of
    `models`.

    Pictures of any size are resized; columns of a table are looked up and standardized.
    """
    import keras

    signature = problem.signature
    if signature.kind == "table":
        inputs, encoded = _table(signature.columns)
    elif signature.kind == "image":
        inputs = keras.Input((None, None, signature.shape[-1]), dtype=signature.dtype, name="pictures")
        height, width = signature.shape[:2]
        encoded = keras.layers.Resizing(height, width, antialias=True, dtype="float32", name="resize")(inputs)
        if signature.dtype == "uint8":
            encoded = keras.ops.cast(keras.ops.round(encoded), "uint8")
    else:
        inputs = encoded = keras.Input(signature.shape, dtype=signature.dtype, name="vectors")
    for number, model in enumerate(models if len(models) > 1 else ()):
        model.name = f"{model.name}_{number}"  # layers of one model must not share a name
    meanings = [_meaning(model(encoded), problem) for model in models]
    outputs = keras.layers.Average(name="mean")(meanings) if len(meanings) > 1 else meanings[0]
    return keras.Model(inputs, outputs, name="keras_recipe")


def load(path: Path) -> tuple[keras.Model, Signature]:
    """The model of an exported file and its signature. Raises RecipeError."""
    import keras

    if not path.is_file():
        raise RecipeError("a model.keras that `train` has written", str(path), "let `train` finish first")
    try:
        with zipfile.ZipFile(path) as archive:
            signature = Signature.from_json(json.loads(archive.read(_MEMBER)))
    except (zipfile.BadZipFile, KeyError) as error:
        raise RecipeError(
            "a model.keras that `train` has written", f"{path}: {error}", "give the run directory of a finished run"
        ) from error
    _import_packages(path)
    return keras.models.load_model(path, compile=False, safe_mode=True), signature


def _import_packages(path: Path) -> None:
    """Import keras-cv or keras-hub where the model has layers of theirs: Keras knows these once they are imported."""
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json").decode()
    for kind in ("keras_cv", "keras_hub"):
        if f'"registered_name": "{kind}' in config:
            package(kind, f", of which {path} has layers")


def predict(model: keras.Model, inputs: RawInputs) -> np.ndarray:
    """Predictions for raw inputs, (examples, outputs), a batch at a time."""
    return np.concatenate([np.asarray(model.predict_on_batch(part)) for part in _batches(inputs)])


def verify(path: Path, problem: Problem, expected: np.ndarray) -> float:
    """Load the file in a new process, predict the first validation examples, and return the largest difference.

    Args:
        path: of the exported model.
        problem: whose validation examples are taken, as raw inputs.
        expected: predictions of the trained model for at least these examples.

    Raises:
        RuntimeError: the new process failed.
    """
    count = buffer_rows(problem.validation.x, min(len(expected), _PROVEN))
    raw = raw_inputs(np.asarray(problem.validation.x[np.arange(count)]), problem.signature)
    with tempfile.TemporaryDirectory() as folder:
        inputs, outputs = Path(folder, "inputs.npz"), Path(folder, "outputs.npy")
        np.savez(inputs, **(raw if isinstance(raw, dict) else {"": raw}))
        # This very package, however it was found: installed, in the working directory, or by a changed sys.path.
        places = [str(Path(__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        done = subprocess.run(
            [sys.executable, "-m", "keras_recipe.exported", str(path), str(inputs), str(outputs)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(places)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"the exported model cannot be used in a new process:\n{done.stderr[-2000:]}")
        return float(np.abs(np.load(outputs) - expected[:count]).max())


def raw_inputs(x: np.ndarray, signature: Signature) -> RawInputs:
    """Raw inputs whose encoding is `x`: the inverse of the encoding, for tables; others are raw already."""
    if signature.kind != "table":
        return x
    raw, start = {}, 0
    for column in signature.columns:
        part = x[:, start : start + column.width]
        start += column.width
        raw[column.name] = _decoded(column, part)[:, None]
    return raw


def _decoded(column: Column, part: np.ndarray) -> np.ndarray:
    if column.vocabulary is not None:
        # No word can be longer than all words together, so this one is in no vocabulary.
        words = [*column.vocabulary, "?" * (1 + sum(map(len, column.vocabulary)))]
        return np.array(words)[part.argmax(axis=1)]
    values = (part[:, 0] * np.float32(column.scale) + np.float32(column.mean)).astype("float32")
    return np.where(part[:, 1] > 0, np.float32("nan"), values) if column.missing else values


def _table(columns: tuple[Column, ...]) -> tuple[dict[str, Any], Any]:
    import keras

    inputs, parts = {}, []
    for column in columns:
        dtype = "float32" if column.vocabulary is None else "string"
        tensor = inputs[column.name] = keras.Input((1,), dtype=dtype, name=column.name)
        parts.append(_number(column, tensor) if column.vocabulary is None else _word(column.vocabulary, tensor))
    return inputs, keras.layers.Concatenate(name="encoded")(parts) if len(parts) > 1 else parts[0]


def _word(vocabulary: tuple[str, ...], tensor: Any) -> Any:
    import keras

    words = list(vocabulary)
    # One index for all other words, which the encoding has last and StringLookup first: roll it around.
    indices = keras.layers.StringLookup(vocabulary=words, num_oov_indices=1, mask_token=None)(tensor)
    rolled = keras.ops.mod(indices + len(words), len(words) + 1)
    return keras.ops.one_hot(keras.ops.squeeze(rolled, axis=1), len(words) + 1, dtype="float32")


def _number(column: Column, tensor: Any) -> Any:
    import keras

    missing = keras.ops.isnan(tensor)
    value = keras.ops.where(missing, column.mean, tensor)
    value = (value - column.mean) / column.scale
    if not column.missing:
        return value
    return keras.layers.Concatenate()([value, keras.ops.cast(missing, "float32")])


def _meaning(outputs: Any, problem: Problem) -> Any:
    import keras

    task = problem.signature.task
    if task == "multiclass":
        return keras.layers.Softmax()(outputs)
    if task == "binary":
        positive = keras.layers.Activation("sigmoid")(outputs)
        return keras.layers.Concatenate()([1.0 - positive, positive])
    mean, deviation = problem.target_moments()
    return keras.layers.Rescaling(deviation.tolist(), offset=mean.tolist())(outputs)


def _batches(inputs: RawInputs) -> Iterator[RawInputs]:
    if isinstance(inputs, dict):
        import tensorflow as tf

        count = len(next(iter(inputs.values())))
        for start in range(0, count, _BATCH):
            yield {name: tf.constant(values[start : start + _BATCH]) for name, values in inputs.items()}
        return
    for start in range(0, len(inputs), _BATCH):
        yield inputs[start : start + _BATCH]


def _main(path: str, inputs: str, outputs: str) -> None:
    with np.load(inputs, allow_pickle=False) as arrays:
        raw = arrays[""] if arrays.files == [""] else dict(arrays)
    np.save(outputs, predict(load(Path(path))[0], raw))


if __name__ == "__main__":
    _main(*sys.argv[1:])
