"""Pretrained backbones of keras-cv, keras-hub and keras.applications: one builder, each with its own preprocessing."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipe.core.errors import RecipeError, nearest
from keras_recipe.core.spec import Spec
from keras_recipe.models import MODELS, model_of, weights
from keras_recipe.models.conventions import CONVENTIONS, Convention, levels_of
from keras_recipe.models.features import BACKBONE, FEATURES
from keras_recipe.models.heads import head
from keras_recipe.models.rates import slow
from keras_recipe.models.sources import Source

if TYPE_CHECKING:
    import keras

    from keras_recipe.problem import Problem

LEAST_SIDE = 64
"""Pictures are enlarged to this many pixels at least: backbones halve them five times, and what is left of 32 x 32 is
one position, which sees little but padding."""

ENLARGED = 4
"""Times that a picture is enlarged at most to the size that a backbone was trained at: beyond that there is nothing
to see, and all of it to pay for."""

MOMENTUM = 0.9
"""Of batch statistics that are to follow the data. At the 0.99 and 0.999 of ImageNet code, with its tens of thousands
of steps an epoch, they would still be those of the initializer after an epoch of a small data set."""

TRAIN, BATCH_NORM = ("head", "last", "all"), ("frozen", "adapt")
"""What of a backbone is trained, besides the new head: nothing, its last stage, or everything. What its batch
statistics do."""


STAGE = 0.25
"""Least share of a backbone's weights that its last stage has."""


@dataclass(frozen=True)
class Origin:
    """Where a built backbone comes from; the attribute `origin` of the layer "backbone".

    Attributes:
        name: as the user gave it.
        weights: path of the weights, "" where they are random.
        side, trained_side: smaller side of what it is fed, and of what its weights were trained on (0: unknown).
        enlarged: how often larger the fed picture is than the problem's.
        convention: what it expects of pixels.
        train, batch_norm: as resolved.
        built: the backbone as its package built it, with the same weights.
    """

    name: str
    weights: str
    side: int
    trained_side: int
    enlarged: float
    convention: Convention
    train: str
    batch_norm: str
    built: keras.Model


@model_of("pictures")
def backbone(
    problem: Problem,
    name: str = "keras_cv:resnet18_v2",
    weights: str = "",
    train: str = "",
    batch_norm: str = "",
    rate: float = 0.1,
    size: int = 0,
    alpha: float = 1.0,
    convention: str = "",
    dropout: float = 0.0,
) -> keras.Model:
    """Backbone of keras-cv, keras-hub or keras.applications, pretrained or not, under a new head.

    Takes pictures as they are, (batch, height, width, 1 or 3) from 8x8 up, in any range of pixels: grey becomes R = G
    = B, small pictures are enlarged, pixels are brought to the range that the backbone was trained with.
    Global average pooling, then one dense layer. The layer "backbone" is a plain functional model, the layer
    "features" its pooled output.

    Args:
        problem: pictures.
        name: "keras_cv:resnet50_v2_imagenet", "keras_hub:resnet_50_imagenet", "applications:MobileNetV2", ...: see
            `list models`; or "keras_cv:PATH", "keras_hub:PATH" of a local preset folder.
        weights: "" for those of the name, from this machine or the network (names without published weights start at
            random); "random"; or the path of a weights file or preset folder.
        train: "head" leaves the backbone as it is, "last" trains its last stage too, "all" everything; "" is "head" for
            pretrained weights and "all" for random ones.
        batch_norm: "frozen" keeps batch normalization, its statistics and its weights, as it is; "adapt" lets it follow
            the data; "" is "frozen" for pretrained weights, "adapt" for random ones.
        rate: share of the learning rate at which the first layer of pretrained weights moves, above 0 to 1; those
            behind it move faster and faster, up to the whole rate of the head (Howard & Ruder, 2018). In a `fit` of
            your own, `rates.discriminative(optimizer, model)` makes the optimizer heed it.
        size: pixels of the smaller side that the backbone sees; 0 for that which its weights were trained at (at most
            four times the picture's own: filters know objects at one apparent size, Touvron et al., 2019), for random
            weights the picture's own, and in any case at least 64.
        alpha: width multiplier of MobileNet (0.25 to 1) and MobileNetV2 (0.35 to 1.4).
        convention: range of pixels that the backbone is given, where the name does not tell: one of "0..255", "0..1",
            "-1..1", "imagenet", "caffe". One of keras-cv rescales them itself only where this is "0..255", or is left
            out.
        dropout: share of features dropped before the last layer, 0 to below 1.

    Raises:
        RecipeError: an unknown name, missing or unfitting weights, a package that is not installed, no pictures.
    """
    import keras

    if problem.signature.kind != "image":
        raise RecipeError("pictures", f"a {problem.signature.kind} problem", "use mlp() for tables and vectors")
    _check_choice("train", train, TRAIN)
    _check_choice("batch_norm", batch_norm, BATCH_NORM)
    _check_choice("convention", convention, CONVENTIONS)
    if not 0 < rate <= 1:
        raise RecipeError("a rate above 0 and at most 1", f"{rate:g}", "freeze the backbone with train='head' instead")
    if not 0 <= dropout < 1:
        raise RecipeError("a dropout of 0 to below 1", f"{dropout:g}", "give the share of features that are dropped")
    source = Source.of(name, alpha)
    found = source.weights(weights, alpha)
    train, batch_norm = train or ("head" if found else "all"), batch_norm or ("frozen" if found else "adapt")
    shape = _fed(problem, source, size, pretrained=found is not None)
    built, pixels = source.build(shape, found, alpha, convention)
    trunk = _plain(built)
    side = min(problem.signature.shape[:2])
    trunk.origin = Origin(
        name,
        str(found or ""),
        min(shape[:2]),
        source.side if found else 0,
        min(shape[:2]) / side,
        pixels,
        train,
        batch_norm,
        built,
    )
    _train_only(trunk, train)
    _hold(trunk, train, batch_norm)
    if found and train != "head":
        _slow_towards_the_front(trunk, rate)
    tensor = keras.Input(problem.signature.shape, dtype=problem.signature.dtype, name="inputs")
    x = pixels.layers(_enlarged(problem, tensor, shape))
    x = trunk(x)
    pool = keras.layers.GlobalAveragePooling2D if len(x.shape) == 4 else keras.layers.GlobalAveragePooling1D
    x = pool(name=FEATURES)(x)
    if dropout:
        x = keras.layers.Dropout(dropout)(x)
    return keras.Model(tensor, head(problem, x), name="model")


def save_preset(model: keras.Model, folder: str | Path) -> Path:
    """Write the backbone of a trained model as a preset folder, for `backbone(name="keras_cv:FOLDER")`.

    Args:
        model: what `backbone` has built, from keras-cv or keras-hub.
        folder: made where it is missing; files of a preset that is there are overwritten.

    Raises:
        RecipeError: the model has no such backbone, or its package has no word for the pixels that it is fed.
    """
    origin: Origin | None = next((layer.origin for layer in model.layers if hasattr(layer, "origin")), None)
    kind = origin.name.partition(":")[0] if origin else ""
    if origin is None or kind == "applications":
        raise RecipeError(
            "a model of `backbone(name='keras_cv:...')` or `'keras_hub:...'`, as it was built",
            f"one of {origin.name}" if origin else "another",
            "write a weights file instead: model.get_layer('backbone').save_weights('NAME.weights.h5')",
        )
    if kind == "keras_cv" and origin.convention not in (CONVENTIONS["0..255"], CONVENTIONS["0..1"]):
        raise RecipeError(
            "pixels of 0..255 or 0..1, which is all that a preset folder of keras-cv can say of them",
            "a backbone that is fed others (convention=...)",
            "write a weights file instead: model.get_layer('backbone').save_weights('NAME.weights.h5')",
        )
    if kind == "keras_hub" and origin.convention.bgr:
        raise RecipeError(
            "pixels as R, G, B, which is all that an image converter of keras-hub knows",
            "a backbone that is fed B, G, R (convention='caffe')",
            "write a weights file instead: model.get_layer('backbone').save_weights('NAME.weights.h5')",
        )
    Path(folder).mkdir(parents=True, exist_ok=True)
    if kind == "keras_hub":
        from keras_hub.layers import ImageConverter

        scale = [1 / s for s in origin.convention.scale]
        offset = [-o / s for o, s in zip(origin.convention.offset, origin.convention.scale, strict=True)]
        origin.built.save_to_preset(str(folder))
        ImageConverter(scale=scale, offset=offset).save_to_preset(str(folder))
    else:
        from keras_cv.src.utils.preset_utils import save_to_preset

        save_to_preset(origin.built, str(folder))
    return Path(folder)


def weights_digest(spec: Spec) -> str:
    """Identifies the content of the weights file that a spec of `backbone` loads now, and what is said beside it of
    pixels; "" for random weights.

    Raises RecipeError as `backbone` does.
    """
    given = _given(spec)
    source = Source.of(given["name"], given["alpha"])
    path = source.weights(given["weights"], given["alpha"])
    if path is None:
        return ""
    file = path / weights.WEIGHTS if path.is_dir() else path
    beside = [weights.CONVERTER] if source.kind == "keras_hub" else []
    beside += [weights.CONFIG] if source.folder else []
    read = [file, *(file.parent / name for name in beside if (file.parent / name).is_file())]
    return "-".join(_digest(f, f.stat().st_mtime_ns, f.stat().st_size) for f in read)


@functools.cache
def _digest(path: Path, changed: int, size: int) -> str:
    """Of the content of a file, read once for each time that it was changed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def unfrozen(model: str) -> tuple[str, ...]:
    """A pretrained backbone under a new head, then with its last stage, then with all of it trained: more and more
    capacity.

    The spec alone where it is of another model, of random weights, or says what is trained.
    """
    spec = Spec.parse(model)
    if spec.name != "backbone" or not is_pretrained(spec) or dict(spec.args).get("train", "head") != "head":
        return (model,)
    return (model, *(str(spec.with_args(train=train)) for train in ("last", "all")))


def is_pretrained(spec: Spec) -> bool:
    """Whether a spec of `backbone` starts from pretrained weights. Raises RecipeError for an unknown name."""
    given = _given(spec)
    return Source.of(given["name"], given["alpha"]).is_pretrained(given["weights"])


def _given(spec: Spec) -> dict[str, Any]:
    """All arguments of a spec of `backbone`, defaults included."""
    return MODELS.arguments("backbone") | dict(spec.args)


def _check_choice(argument: str, value: str, known: Iterable[str]) -> None:
    if value and value not in known:
        choices = ", ".join(map(repr, known))
        raise RecipeError(f"{argument} to be one of {choices}", repr(value), nearest(value, known))


def fed_side(problem: Problem, spec: Spec) -> int:
    """Pixels of the smaller side that the backbone of a spec sees. Raises RecipeError as `backbone` does."""
    given = _given(spec)
    source = Source.of(given["name"], given["alpha"])
    return min(_fed(problem, source, given["size"], pretrained=source.is_pretrained(given["weights"]))[:2])


def _fed(problem: Problem, source: Source, size: int, *, pretrained: bool) -> tuple[int, int, int]:
    """Shape of what the backbone sees: the picture's proportions, for transformers a square."""
    height, width = problem.signature.shape[:2]
    family = source.family
    least = family.least if family else 8
    if size and size < least:
        raise RecipeError(f"a size of at least {least} pixels", str(size), "give a larger size")
    if pretrained and (side := source.fixed_side):
        if size not in (0, side):
            said = f"{size}: its position embeddings are of that size alone"
            raise RecipeError(f"a size of {side} pixels for pretrained ViTDet", said, "leave size out")
        return side, side, 3
    own = min(height, width)
    if not size:
        trained = min(source.side, ENLARGED * own) if pretrained and source.side else own
        size = max(trained, LEAST_SIDE, least)
    if family and family.multiple > 1:
        side = -(-size // family.multiple) * family.multiple
        return side, side, 3
    return round(height * size / own), round(width * size / own), 3


def _enlarged(problem: Problem, tensor: Any, shape: tuple[int, int, int]) -> Any:
    """Pixels as levels 0..255 of three channels at the size that the backbone sees."""
    import keras

    stretch = levels_of(problem)
    x = keras.layers.Rescaling(stretch.scale, stretch.offset, name="levels")(tensor)
    if tensor.shape[1:3] != shape[:2]:
        x = keras.layers.Resizing(*shape[:2], antialias=True, name="resize")(x)
    return keras.layers.Concatenate(name="grey_to_rgb")([x, x, x]) if x.shape[-1] == 1 else x


def _plain(built: keras.Model) -> keras.Model:
    """The layer "backbone": a plain functional model where that can be, so that a file of it needs no other package."""
    import keras

    if all(type(layer).__module__.startswith("keras.") for layer in built._flatten_layers(include_self=False)):
        return keras.Model(built.inputs[0], built.outputs[0], name=BACKBONE)
    built.name = BACKBONE
    return built


def _train_only(trunk: keras.Model, train: str) -> None:
    trunk.trainable = train != "head"
    if train == "last":
        for layer in trunk.layers[: last_stage(trunk)]:
            layer.trainable = False


def _slow_towards_the_front(trunk: keras.Model, rate: float) -> None:
    """From the last layer to the first, rates fall geometrically to `rate`: edges and colours are the same everywhere,
    what is behind them is of the pictures that it was learnt from."""
    layers = [layer for layer in trunk.layers if layer.weights]
    for i, layer in enumerate(layers):
        slow(layer, rate ** (1 - i / max(1, len(layers) - 1)))


def last_stage(trunk: keras.Model) -> int:
    """Index of the first layer of the last stage of a backbone.

    A stage begins where the resolution falls for good. Some families let it fall within their last block (ResNetV2 of
    keras-cv) or after it (VGG): the last stage is the shortest one with a quarter of the weights. Networks of one
    resolution (ViTDet) have no stages: the last layers with a quarter of the weights count as one.
    """
    counts = np.array([layer.count_params() for layer in trunk.layers])
    share = np.cumsum(counts[::-1])[::-1] / counts.sum()
    # Squeeze and excitation falls to 1 x 1 and comes back: what counts is the largest resolution still to come.
    positions = np.maximum.accumulate([_positions(layer) for layer in trunk.layers][::-1])[::-1]
    large_enough = np.flatnonzero(share >= STAGE)
    begins = [i for i in large_enough if positions[i] != positions[i - 1] and share[i] <= 1 - STAGE / 2]
    return int(begins[-1] if begins else large_enough[-1])


def _positions(layer: keras.layers.Layer) -> int:
    """Positions in the output of a layer: height times width, or tokens."""
    shape = layer.output.shape if not isinstance(layer.output, list) else layer.output[0].shape
    return int(shape[1]) * int(shape[2]) if len(shape) == 4 else int(shape[1] or 1)


def _hold(trunk: keras.Model, train: str, batch_norm: str) -> None:
    """Let batch statistics stay or follow the data; a frozen backbone drops nothing either."""
    import keras

    # `trunk(x, training=False)` would not do: in Keras 3 the outer model's training mode overrides it.
    for layer in trunk._flatten_layers(include_self=False):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = min(layer.momentum, MOMENTUM)
            if batch_norm == "frozen":
                layer.trainable = False
        elif train == "head" and not layer.weights and isinstance(getattr(layer, "rate", None), float):
            layer.rate = 0.0  # Dropout, DropPath, StochasticDepth
