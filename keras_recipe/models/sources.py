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
from keras_recipe.models.presets import FAMILIES, PRESETS, SOURCES, Family, Preset

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
        preset = PRESETS.get(name)
        if alpha != 1.0 and not (preset and preset.takes_alpha):
            raise RecipeError(
                "alpha for applications:MobileNet or MobileNetV2", f"alpha={alpha} for {name}", "leave it out"
            )
        if not 0 < alpha <= 10:
            raise RecipeError("a width multiplier alpha above 0 and at most 10", f"{alpha:g}", "give one, such as 0.5")
        if preset:
            return cls(kind, preset)
        if (Path(rest).expanduser() / weights.CONFIG).is_file() and kind != "applications":
            return cls(kind, folder=Path(rest).expanduser())
        if "/" in rest and kind == "applications":
            raise RecipeError(
                "the name of an architecture of keras.applications",
                f"{rest}, which is a path",
                "name the architecture and give the path as weights=..., as in "
                "backbone(name='applications:MobileNetV2', weights='PATH')",
            )
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

    @property
    def family(self) -> Family | None:
        """What is known of backbones of this kind; None for a folder of a class that the table does not have."""
        if self.preset is not None:
            return self.preset.family
        builder = self._config().get("class_name", "")
        return next((f for f in FAMILIES if (f.source, f.builder) == (self.kind, builder)), None)

    @property
    def fixed_side(self) -> int:
        """The one size that pretrained weights take, 0 where they take any: position embeddings of ViTDet."""
        if self.family is None or self.family.builder != "ViTDetBackbone":
            return 0
        return int(self._config()["config"]["input_shape"][0]) if self.folder is not None else self.family.side

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
            raise RecipeError(
                "a weights file or preset folder",
                f"{path}, which is not there",
                "check the path; published weights are those of the name, where weights=... is left out",
            )
        if path.is_dir() and not (path / weights.WEIGHTS).is_file():
            raise RecipeError(
                f"a preset folder with the files {weights.CONFIG} and {weights.WEIGHTS}",
                f"{path}, in which there is no {weights.WEIGHTS}",
                "copy it whole; or say weights='random', to train its backbone from scratch",
            )
        return path

    def build(
        self, shape: tuple[int, int, int], found: Path | None, alpha: float, convention: str = ""
    ) -> tuple[keras.Model, Convention]:
        """The backbone for inputs of this shape, with its weights, and what it expects of pixels.

        Args:
            shape: of one input.
            found: weights file or preset folder, None for random weights.
            alpha: width multiplier.
            convention: what it expects of pixels, where the user says so.

        Raises:
            RecipeError: weights of another architecture, or whose form of pixels nothing tells.
        """
        rescales = convention in ("", "0..255")
        built, own = self._built(shape, alpha, rescales)
        if found is not None:
            weights.load(built, found / weights.WEIGHTS if found.is_dir() else found)
            if self.kind == "keras_hub" and not convention:
                own = _converter(found if found.is_dir() else found.parent, found)
            if self.kind == "applications" and _divides_by_a_root(built):
                own = EFFICIENTNET
        return built, CONVENTIONS[convention] if convention else own

    def _built(self, shape: tuple[int, int, int], alpha: float, rescales: bool) -> tuple[keras.Model, Convention]:
        """At random, and what it expects of pixels; only backbones of keras-cv rescale inside, or do not."""
        import keras

        if self.folder is not None:
            return self._from_folder(shape, rescales)
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
            return family(include_rescaling=rescales, input_shape=shape, **arguments), convention
        return family(image_shape=shape, **arguments), CONVENTIONS["0..1"]

    def _from_folder(self, shape: tuple[int, int, int], rescales: bool) -> tuple[keras.Model, Convention]:
        place, config = str(self.folder), self._config()
        written_by = config.get("registered_name", self.kind).partition(">")[0].partition(".")[0]
        kind = config.get("class_name", "")
        family = getattr(package(self.kind).models, kind, None)
        if family is None or written_by != self.kind:
            raise RecipeError(
                f"a preset folder of a backbone of {self.kind}",
                f"{place}, of a {config.get('registered_name') or kind or 'thing without a class_name'!r}",
                "name the package that wrote it: keras_cv:PATH or keras_hub:PATH",
            )
        if self.kind == "keras_cv":
            rescales = rescales and config["config"].get("include_rescaling", False)
            built = family.from_preset(place, load_weights=False, input_shape=shape, include_rescaling=rescales)
            return built, CONVENTIONS["0..255" if rescales else "0..1"]
        return family.from_preset(place, load_weights=False, image_shape=shape), CONVENTIONS["0..1"]

    def _config(self) -> dict[str, Any]:
        """What a preset folder says of its backbone. Raises RecipeError."""
        assert self.folder is not None
        path = self.folder / weights.CONFIG
        try:
            config = json.loads(path.read_text())
            if not isinstance(config.get("config"), dict):
                raise ValueError("no arguments of a backbone ('config')")
        except (ValueError, AttributeError) as error:
            raise RecipeError(f"{weights.CONFIG} of a preset folder", f"{path}: {error}", "copy it again") from error
        return dict(config)


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


def _converter(place: Path, found: Path) -> Convention:
    """What the image converter of keras-hub in this folder says of pixels, for the weights `found`.

    Raises:
        RecipeError: there is none, or none that can be read. Every backbone of keras-hub has its own, and the wrong one
            would cost points in silence.
    """
    path = place / weights.CONVERTER
    try:
        config = json.loads(path.read_text())["config"]
        # Older files say mean and variance, which keras-hub turns into these.
        given = {name: config[name] for name in ("scale", "offset", "mean", "variance") if config.get(name) is not None}
        converter = package("keras_hub").layers.ImageConverter(**given)
        factors, offsets = _three(converter.scale, 1.0), _three(converter.offset, 0.0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecipeError(
            f"{weights.CONVERTER}, which says what the backbone expects of pixels, beside its weights",
            f"{found}, " + ("without it" if isinstance(error, FileNotFoundError) else f"and in it {error!r}"),
            f"bring it into {place}, as keras-hub publishes and `save_preset` writes it; or give "
            f"convention=..., one of {', '.join(map(repr, CONVENTIONS))}",
        ) from error
    # keras-hub says levels * scale + offset.
    return Convention(
        tuple(-o / s for o, s in zip(offsets, factors, strict=True)),  # type: ignore[arg-type]
        tuple(1 / s for s in factors),  # type: ignore[arg-type]
    )


def _three(value: Any, missing: float) -> tuple[float, float, float]:
    """By channel."""
    given = missing if value is None else value
    r, g, b = given if isinstance(given, list | tuple) else (given,) * 3
    return float(r), float(g), float(b)


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
