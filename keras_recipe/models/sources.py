"""What the name of a backbone stands for: a preset of the table or a local folder, its weights, how it is built."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipe.core.errors import RecipeError, nearest
from keras_recipe.models import weights
from keras_recipe.models.conventions import CONVENTIONS, EFFICIENTNET, Convention
from keras_recipe.models.presets import PRESETS, SOURCES, Preset

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Source:
    """What a name stands for: a preset of the table, or a local preset folder.

    Attributes:
        kind: "keras_cv", "keras_hub" or "applications".
        preset: None for a folder.
        folder: None for a preset.
    """

    kind: str
    preset: Preset | None = None
    folder: Path | None = None

    @classmethod
    def of(cls, name: str, alpha: float) -> Source:
        """Raises RecipeError with the nearest name."""
        kind, _, rest = name.partition(":")
        if kind not in SOURCES or not rest:
            raise RecipeError(
                "the name of a backbone, 'keras_cv:...', 'keras_hub:...' or 'applications:...'",
                repr(name),
                nearest(name, PRESETS),
            )
        if name in PRESETS:
            preset = PRESETS[name]
            if alpha != 1.0 and not preset.takes_alpha:
                raise RecipeError(
                    "alpha for applications:MobileNet or MobileNetV2", f"alpha={alpha} for {name}", "leave it out"
                )
            return cls(kind, preset)
        if (Path(rest).expanduser() / weights.CONFIG).is_file() and kind != "applications":
            return cls(kind, folder=Path(rest).expanduser())
        if "/" in rest:
            raise RecipeError(
                f"a preset folder of {kind} with the files {weights.CONFIG} and {weights.WEIGHTS}",
                f"{rest}, in which there is no {weights.CONFIG}",
                "check the path; `save_preset` here, and save_to_preset of keras-cv and keras-hub, write such folders",
            )
        same = [n for n in PRESETS if n.startswith(f"{kind}:")]
        raise RecipeError(f"the name of a backbone of {kind}", repr(name), nearest(name, same))

    @property
    def side(self) -> int:
        """Side of the pictures that published weights were trained on, 0 where that is unknown."""
        return self.preset.family.side if self.preset and self.preset.has_weights else 0

    def is_pretrained(self, asked: str) -> bool:
        """Whether it starts from pretrained weights where the user asks for `asked`: "", "random", or a path."""
        if asked:
            return asked != "random"
        if self.folder is not None:
            return True  # one whose weights are missing is half of a copy, and no wish for random ones
        return self.preset is not None and self.preset.has_weights

    def weights(self, asked: str, alpha: float) -> Path | None:
        """The weights file or preset folder to load; None for random weights. Raises RecipeError."""
        if not self.is_pretrained(asked):
            return None
        if not asked and self.preset is not None:
            if self.kind != "applications":
                package(self.kind)  # without which nobody could use what is downloaded
            return weights.at_hand(self.preset, alpha) or weights.download(self.preset, alpha)
        path = Path(asked).expanduser() if asked else self.folder
        assert path is not None
        if not path.exists():
            raise RecipeError("a weights file or preset folder", f"{path}, which is not there", "check the path")
        if path.is_dir() and not (path / weights.WEIGHTS).is_file():
            raise RecipeError(
                f"a preset folder with the files {weights.CONFIG} and {weights.WEIGHTS}",
                f"{path}, in which there is no {weights.WEIGHTS}",
                "copy it whole; or say weights='random', to train its backbone from scratch",
            )
        return path

    def build(self, shape: tuple[int, int, int], found: Path | None, alpha: float) -> tuple[keras.Model, Convention]:
        """The backbone for inputs of this shape, with its weights, and what it expects of pixels."""
        built, convention = self._built(shape, alpha)
        if found is not None:
            weights.load(built, found / weights.WEIGHTS if found.is_dir() else found)
            if found.is_dir() and self.kind == "keras_hub":
                convention = _converter(found)
            if self.kind == "applications" and _divides_by_a_root(built):
                convention = EFFICIENTNET
        return built, convention

    def _built(self, shape: tuple[int, int, int], alpha: float) -> tuple[keras.Model, Convention]:
        import keras

        if self.folder is not None:
            return self._from_folder(shape)
        assert self.preset is not None
        preset, arguments = self.preset, {k: _listed(v) for k, v in self.preset.arguments.items()}
        convention = CONVENTIONS[preset.family.convention]
        if self.kind == "applications":
            if preset.takes_alpha:
                arguments["alpha"] = alpha
            build = getattr(keras.applications, preset.family.builder)
            return build(weights=None, input_shape=shape, **arguments), convention
        family = getattr(package(self.kind).models, preset.family.builder)
        if self.kind == "keras_cv":
            return family(include_rescaling=True, input_shape=shape, **arguments), convention
        return family(image_shape=shape, **arguments), CONVENTIONS["0..1"]

    def _from_folder(self, shape: tuple[int, int, int]) -> tuple[keras.Model, Convention]:
        assert self.folder is not None
        place = str(self.folder)
        config = json.loads((self.folder / weights.CONFIG).read_text())
        family = getattr(package(self.kind).models, config.get("class_name", ""), None)
        if family is None:
            raise RecipeError(
                f"a preset folder of a backbone of {self.kind}",
                f"{place}, of a {config.get('class_name', 'thing without a class_name')!r}",
                "name the package that wrote it: keras_cv:PATH or keras_hub:PATH",
            )
        if self.kind == "keras_cv":
            rescales = config["config"].get("include_rescaling", False)
            built = family.from_preset(place, load_weights=False, input_shape=shape)
            return built, CONVENTIONS["0..255" if rescales else "0..1"]
        return family.from_preset(place, load_weights=False, image_shape=shape), _converter(self.folder)


def package(kind: str, use: str = "") -> Any:
    """The imported package "keras_cv" or "keras_hub"; `use` says what for. Raises RecipeError."""
    try:
        return importlib.import_module(kind)
    except ImportError as error:
        name = kind.replace("_", "-")
        raise RecipeError(
            f"the package {name}{use}", str(error), f"install it: pip install 'keras-recipe[{name}]'"
        ) from error


def _divides_by_a_root(built: keras.Model) -> bool:
    """Whether it is an EfficientNetB that holds ImageNet's mean and deviation: one trained from scratch holds none."""
    import keras

    if not built.name.startswith("efficientnetb"):
        return False
    layer = next(layer for layer in built.layers if isinstance(layer, keras.layers.Normalization))
    return bool(np.any(np.asarray(layer.mean) != 0))


def _converter(place: Path) -> Convention:
    """What the image converter of a keras-hub preset folder says of pixels; 0..1 where there is none."""
    path = place / weights.CONVERTER
    if not path.is_file():
        return CONVENTIONS["0..1"]
    config = json.loads(path.read_text()).get("config", {})
    scale, offset = config.get("scale"), config.get("offset")
    factors = _three(1.0 if scale is None else scale)
    offsets = _three(0.0 if offset is None else offset)
    # keras-hub says levels * scale + offset.
    return Convention(
        tuple(-o / s for o, s in zip(offsets, factors, strict=True)),  # type: ignore[arg-type]
        tuple(1 / s for s in factors),  # type: ignore[arg-type]
    )


def _three(value: Any) -> tuple[float, float, float]:
    return tuple(map(float, value)) if isinstance(value, list | tuple) else (float(value),) * 3  # type: ignore[return-value]


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
