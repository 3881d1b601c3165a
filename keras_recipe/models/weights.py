"""Where pretrained weights are, and how they get into a backbone: never by halves, never silently not at all."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_recipe.core.errors import RecipeError
from keras_recipe.models.presets import Preset

if TYPE_CHECKING:
    import keras

VARIABLE = "KERAS_RECIPE_WEIGHTS"
"""Environment variable: a folder of weights files and preset folders."""

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
"""The two files of a preset folder that matter here, as keras-cv and keras-hub write them."""


CONVERTER = "image_converter.json"
"""What a backbone of keras-hub expects of pixels, beside them."""


def folder() -> Path | None:
    """The user's folder of weights, None where the variable is not set. Raises RecipeError where it names no folder."""
    given = os.environ.get(VARIABLE)
    if not given:
        return None
    place = Path(given).expanduser()
    if not place.is_dir():
        there = "a file" if place.exists() else "not there"
        raise RecipeError(
            f"a folder of weights in ${VARIABLE}", f"{given}, which is {there}", "mend the path, or unset the variable"
        )
    return place


def files(preset: Preset, alpha: float = 1.0) -> list[str]:
    """Names of the files that hold the published weights, the one that Keras downloads first."""
    if preset.family.source != "applications":
        return [f"{preset.short}/{WEIGHTS}", f"{preset.short}.weights.h5"]
    side = preset.family.side
    tenths = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}.get(alpha, str(alpha))
    name = preset.family.file.format(alpha=float(alpha), tenths=tenths, side=side, name=preset.short.lower())
    short = re.sub(r"(?<!^)(?=V\d)", "_", preset.short).lower()  # MobileNetV2 -> mobilenet_v2
    short = "mobilenet_v1" if short == "mobilenet" else short
    width = f"_{float(alpha)}" if preset.takes_alpha else ""
    plain = [f"{preset.short}.weights.h5"] if alpha == 1.0 else []  # a name without a width is of no other
    return [name, f"{short}{width}_{side}_notop.weights.h5", *plain]


def at_hand(preset: Preset, alpha: float = 1.0) -> Path | None:
    """The weights of this preset on this machine: in the user's folder, or in the caches of Keras and Kaggle.

    Returns:
        A weights file, or a preset folder; None where there is none.
    """
    for path in _candidates(preset, alpha):
        if path.is_file():
            return path.parent if path.name == WEIGHTS else path
    return None


def _candidates(preset: Preset, alpha: float) -> Iterator[Path]:
    for place in _places(preset):
        yield from (place / name for name in files(preset, alpha))
    if preset.family.source != "applications":
        # Kaggle puts each version of a preset into a folder of its own: the latest comes first.
        cache = Path(os.environ.get("KAGGLEHUB_CACHE", Path.home() / ".cache" / "kagglehub")) / "models"
        found = cache.glob(f"*/*/keras/{preset.short}/*/{WEIGHTS}")
        yield from sorted(found, key=lambda path: [int(n) for n in re.findall(r"\d+", path.parent.name)], reverse=True)


def _places(preset: Preset) -> list[Path]:
    own = folder()
    places = [] if own is None else [own]
    if preset.family.source == "applications":
        places.append(Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models")
    return places


def download(preset: Preset, alpha: float = 1.0) -> Path:
    """Fetch the published weights, with progress, into the caches of Keras or Kaggle. Raises RecipeError."""
    try:
        with contextlib.redirect_stdout(sys.stderr):  # standard output is for results; Keras reports its progress there
            return _fetched(preset, alpha)
    except Exception as error:  # each of the three downloaders raises exceptions of its own
        raise RecipeError(
            f"the pretrained weights of {preset.name}, on this machine or from the network",
            f"neither: no {_where(preset, alpha)}, and the download failed "
            f"({type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else 'no reason given'})",
            f"bring {_brought(preset, alpha)} from a machine with a network, put it into a folder and set "
            f"{VARIABLE} to that folder; or give its path as weights=...; or train from scratch with weights='random'",
        ) from error


def _brought(preset: Preset, alpha: float) -> str:
    """What it takes: backbones of keras-hub say in a second file what they expect of pixels."""
    if preset.family.source == "keras_hub":
        return f"the folder {preset.short} with {WEIGHTS} and {CONVERTER}"
    return f"the file {files(preset, alpha)[0]}"


def _where(preset: Preset, alpha: float) -> str:
    places = [str(p) for p in _places(preset)] or [f"${VARIABLE}"]
    return f"{' or '.join(files(preset, alpha))} in {' or '.join(places)}"


def _fetched(preset: Preset, alpha: float) -> Path:
    import keras

    if preset.family.source == "applications":
        # Keras alone knows the addresses; what it builds here is only a means to the file.
        side = preset.family.side
        width = {"alpha": alpha} if preset.takes_alpha else {}
        build = getattr(keras.applications, preset.family.builder)
        build(include_top=False, weights="imagenet", input_shape=(side, side, 3), **width)
        found = at_hand(preset, alpha)
        if found is None:
            raise FileNotFoundError(f"Keras has put {files(preset, alpha)[0]} elsewhere")
        return found
    if preset.family.source == "keras_cv":
        import keras_cv
        from keras_cv.src.utils.preset_utils import get_file

        family = getattr(keras_cv.models, preset.family.builder)
    else:
        import keras_hub
        from keras_hub.src.utils.preset_utils import check_file_exists, get_file

        family = getattr(keras_hub.models, preset.family.builder)
        handle = family.presets[preset.short]["kaggle_handle"]
        if check_file_exists(handle, CONVERTER):  # which says what the backbone expects of pixels
            get_file(handle, CONVERTER)
    handle = family.presets[preset.short]["kaggle_handle"]
    get_file(handle, CONFIG)
    return Path(get_file(handle, WEIGHTS)).parent


def load(model: keras.Model, path: Path) -> None:
    """Give `model` the weights of a file: all of them, and the file holds no others.

    Args:
        model: built.
        path: a `.weights.h5` or `.h5` file, as Keras 3 or Keras 2 writes it.

    Raises:
        RecipeError: the file cannot be read or is of another architecture; the first layer that differs is named.
    """
    import h5py

    if not path.is_file():
        raise RecipeError("a weights file", f"{path}, which is not there", "check the path")
    try:
        with h5py.File(path) as file:
            # A whole model in the form of Keras 2 holds its weights in a group of this name.
            inside = file.get("model_weights", file)
            old = "layer_names" in inside.attrs
            held = _contents(inside, old)
    except OSError as error:
        raise RecipeError("a weights file in HDF5 form (.h5)", f"{path}: {error}", "bring the file again") from error
    wanted = _wanted(model, old)
    difference = _difference(wanted, held)
    if difference:
        expected, received = difference
        raise RecipeError(
            f"weights of {model.name}: {expected}",
            f"{path.name}: {received}",
            "give the weights of this architecture (without its top), or name the backbone that the file is of",
        )
    with tempfile.TemporaryDirectory() as place:
        # Keras tells the two forms by the end of the name.
        link = Path(place, "old.h5" if old else "new.weights.h5")
        link.symlink_to(path.resolve())
        model.load_weights(link)


Entry = tuple[str, str, tuple[int, ...]]
"""What a weight is matched by, the name of its layer, its shape."""


def _contents(file: Any, old: bool) -> list[Entry]:
    """Weights of an open HDF5 file."""
    import h5py

    found: list[Entry] = []
    if old:
        for raw in file.attrs["layer_names"]:
            layer = _text(raw)
            names = file[layer].attrs.get("weight_names", [])
            found += [(f"{len(found) + i}", layer, tuple(file[layer][_text(n)].shape)) for i, n in enumerate(names)]
        return found

    def visit(path: str, node: Any) -> None:
        # What was saved of a compiled model holds the moments of its optimizer, too.
        if isinstance(node, h5py.Dataset) and not path.startswith("optimizer/"):
            found.append((path, _text(node.parent.attrs.get("name", path)), tuple(node.shape)))

    file.visititems(visit)
    return found


def _wanted(model: keras.Model, old: bool) -> list[Entry]:
    """Weights of a model, in the order of its layers."""
    import h5py

    if old:
        weights = [(layer.name, tuple(w.shape)) for layer in model.layers for w in layer.weights]
        return [(str(i), name, shape) for i, (name, shape) in enumerate(weights)]
    with tempfile.TemporaryDirectory() as place:
        # Only Keras knows how it names what it saves.
        model.save_weights(Path(place, "wanted.weights.h5"))
        with h5py.File(Path(place, "wanted.weights.h5")) as file:
            found = _contents(file, old=False)
    order = {layer.name: i for i, layer in enumerate(model.layers)}
    return sorted(found, key=lambda entry: order.get(entry[1], len(order)))


def _difference(wanted: list[Entry], held: list[Entry]) -> tuple[str, str] | None:
    """Expected and received for the first layer that differs."""
    by_key = {key: (layer, shape) for key, layer, shape in held}
    for key, layer, shape in wanted:
        if key not in by_key:
            return f"layer {layer!r} with a weight of shape {shape}", "no such weight"
        other, its = by_key[key]
        if its != shape:
            return f"layer {layer!r} with a weight of shape {shape}", f"layer {other!r}, of shape {its}"
    extra = {key for key, _, _ in held} - {key for key, _, _ in wanted}
    for key, layer, shape in held:
        if key in extra:
            return f"no more than its {len(wanted)} weights", f"layer {layer!r}, of shape {shape}, besides"
    return None


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
