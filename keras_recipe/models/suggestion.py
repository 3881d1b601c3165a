"""Don't be a hero: the model to begin with is that of the most related paper."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keras_recipe.core.spec import Spec
from keras_recipe.models import weights
from keras_recipe.models.convnets import PHOTO
from keras_recipe.models.presets import PRESETS, Preset

if TYPE_CHECKING:
    from keras_recipe.problem import Problem

ALPHAS = {"MobileNet": (1.0, 0.75, 0.5, 0.25), "MobileNetV2": (1.4, 1.3, 1.0, 0.75, 0.5, 0.35)}
"""Widths that weights are published for."""

LARGEST = 12_000_000
"""Parameters of the largest backbone that is suggested where there is no GPU: one pass over a thousand photos then
takes a minute or so on two cores."""

PASS = 5_000 * LARGEST
"""Parameters times photos of a pass that is worth waiting for, five minutes or so: of more photos than these five
thousand, the backbone that is suggested is smaller. They make up for it by being many."""

GPU = 10
"""Times as large as both may be where there is a GPU."""


@dataclass(frozen=True)
class Suggestion:
    """A model to begin with.

    Attributes:
        model: its spec.
        reason: in a sentence.
        paper: which it follows.
        weights: path of the pretrained weights, "" where it starts at random.
    """

    model: str
    reason: str
    paper: str
    weights: str = ""


def suggest_model(problem: Problem) -> Suggestion:
    """The first model for this kind and size of input, number of examples, and weights at hand.

    Photos get a pretrained backbone under a new head where weights are at hand: features of ImageNet beat training
    from scratch up to tens of thousands of photos, and lose to it nowhere (Kornblith et al., 2019, sections 4.2 and
    4.7). It is the largest that can look at every photo once in minutes, see PASS. Small pictures get a small ConvNet,
    vectors and tables a multilayer perceptron.
    """
    shape, examples = problem.signature.shape, len(problem.train)
    if problem.signature.kind != "image":
        reason = f"{examples:,} examples of {shape[0]} features"
        return Suggestion("mlp(depth=2, width=64)", reason, "Gorishniy et al., 2021, section 3.2")
    side = min(shape[:2])
    if side <= PHOTO:
        return Suggestion(
            "small_cnn(width=16)", f"{examples:,} pictures of {side} pixels", "Simonyan & Zisserman, 2014"
        )
    found = _largest_at_hand(examples)
    said = f"{examples:,} photos of {side} pixels"
    if found is None:
        return Suggestion(
            "small_cnn(width=16)",
            f"{said}, and {none_at_hand(problem)}",
            "Simonyan & Zisserman, 2014",
        )
    preset, alpha, path = found
    return Suggestion(
        _spec(preset, alpha),
        f"{said}, and pretrained weights at hand ({path.name})",
        f"Kornblith et al., 2019; {preset.family.paper}",
        str(path),
    )


def best_at_hand(problem: Problem) -> str:
    """Spec of the pretrained backbone that is suggested for so many photos, "" where no weights are at hand."""
    found = _largest_at_hand(len(problem.train))
    return _spec(*found[:2]) if found else ""


def none_at_hand(problem: Problem) -> str:
    """Why `best_at_hand` suggests none, and what to do about it."""
    found = [preset for preset, _, _ in at_hand() if preset.family.side <= 600]
    if found:
        least = min(found, key=lambda preset: preset.parameters).name
        many = f" for {len(problem.train):,} photos" if len(problem.train) * LARGEST > PASS else ""
        slow = "" if _has_gpu() else "without a GPU "
        return f"{slow}{least} is too large to be suggested{many}: name it with --model"
    return (
        f"no pretrained weights at hand: put some into a folder and set {weights.VARIABLE} to it, or name a backbone, "
        "which is then downloaded (`list models`)"
    )


def at_hand() -> list[tuple[Preset, float, Path]]:
    """Every backbone whose pretrained weights are on this machine: preset, width, and where they are."""
    found = []
    for preset in PRESETS.values():
        for alpha in ALPHAS.get(preset.short, (1.0,)):
            path = weights.at_hand(preset, alpha) if preset.has_weights else None
            if path is not None:
                found.append((preset, alpha, path))
    return found


def _largest_at_hand(examples: int) -> tuple[Preset, float, Path] | None:
    limit = min(LARGEST, PASS / max(1, examples))
    limit *= GPU if _has_gpu() else 1
    # Weights grow with the square of the width. ViTDet is for detection: its weights take 1024 x 1024 only.
    usable = [found for found in at_hand() if _installed(found[0].family.source) and found[0].family.side <= 600]
    sized = [(p.parameters * alpha**2, p, alpha, path) for p, alpha, path in usable]
    fitting = [entry for entry in sized if entry[0] <= limit]
    return max(fitting, key=lambda entry: entry[0])[1:] if fitting else None


def _has_gpu() -> bool:
    return Path("/dev/nvidia0").exists()  # asking TensorFlow would cost seconds


def _installed(source: str) -> bool:
    """Whether the package that builds backbones of this source is here; what is at hand may be another project's."""
    return source == "applications" or importlib.util.find_spec(source) is not None


def _spec(preset: Preset, alpha: float) -> str:
    return str(Spec("backbone").with_args(name=preset.name, alpha=None if alpha == 1.0 else alpha))
