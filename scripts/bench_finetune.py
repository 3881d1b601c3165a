"""Are pretrained backbones loaded, fed and fine-tuned as they should be? Photos of flowers against published figures.

    python scripts/bench_finetune.py [--data DIR] [--only PART] [--side 128|224] [--how frozen|...] [--seeds 3]
    [--record FILE]

flowers   the 3,670 photos of --data (by default $KERAS_RECIPE_DATA or ../shared/data), 80/20, MobileNetV2 0.35 with a
plain
          `model.fit`: frozen, unfrozen and from scratch, at 128 and 224 pixels, beside the published accuracies
pass      a pass over the features of a frozen backbone beside the full forward pass that it stands for
norm      a training step with batch normalization in one operation beside Keras's own
imagenet  MobileNet 0.25 with its 1,000 classes names the daisies: proof that pixels reach it as it was trained
preset    a ResNet18V2 of keras-cv, trained on fashion_mnist, saved as a preset folder, fine-tuned on 500 digits
recipe    the whole recipe on the same flowers

From scratch takes hours on two cores. With --record, what is measured is kept in a file, with the plan that it was
measured with, and not measured again until the plan is another.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

import keras_recipe as kr
from keras_recipe.core.config import Config
from keras_recipe.core.spec import Spec
from keras_recipe.data.augmentations import pipeline
from keras_recipe.learner import Learner
from keras_recipe.models.backbones import save_preset
from keras_recipe.models.conventions import CONVENTIONS
from keras_recipe.models.fused import fuse
from keras_recipe.models.presets import PRESETS
from keras_recipe.problem import Problem
from keras_recipe.training import run_trial

PUBLISHED = {
    (128, "scratch"): 0.871, (128, "frozen"): 0.882, (128, "unfrozen"): 0.918,
    (224, "scratch"): 0.887, (224, "frozen"): 0.890, (224, "unfrozen"): 0.936,
}  # fmt: skip
"""Accuracy on flowers by side and way of training."""

V2 = "mobilenet_v2_0.35_224_notop.weights.h5"
BATCH = 32


@dataclass(frozen=True)
class Plan:
    """How a backbone is trained, and shown the test pictures.

    Attributes:
        sides: progressive resizing, (side, epochs), small first.
        rate: highest learning rate.
        tested: side of the test pictures. Objects look larger in crops than in whole pictures, so that these are shown
            larger than the last ones in training (Touvron et al., 2019).
    """

    sides: tuple[tuple[int, int], ...]
    rate: float
    tested: int


PLANS = {
    (128, "unfrozen"): Plan(((128, 24),), 1e-3, 160),
    (224, "unfrozen"): Plan(((160, 24), (224, 12)), 1e-3, 256),
    (128, "scratch"): Plan(((64, 120), (96, 60), (128, 40)), 3e-3, 160),
    (224, "scratch"): Plan(((64, 120), (96, 60), (160, 24)), 3e-3, 224),
}


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("KERAS_RECIPE_DATA", "../shared/data")))
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--side", type=int, choices=(128, 224))
    parser.add_argument("--how", choices=("frozen", "unfrozen", "scratch"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--record", type=Path)
    arguments = parser.parse_args()
    for name in [arguments.only] if arguments.only else PARTS:
        print(f"\n{name}", flush=True)
        PARTS[name](arguments)


def flowers(arguments: argparse.Namespace) -> None:
    """Frozen, unfrozen, from scratch."""
    known = _record(arguments.record)
    for (side, how), published in PUBLISHED.items():
        if arguments.side not in (None, side) or arguments.how not in (None, how):
            continue
        scores, seconds = [], 0.0
        for seed in range(arguments.seeds):
            key, plan = f"{side} {how} {seed}", _said(PLANS.get((side, how)))
            if known.get(key, {}).get("plan") != plan:
                began = time.monotonic()
                score = fine_tuned(_split(arguments.data, side, seed), arguments.data, side, how, seed)
                known[key] = {"score": score, "seconds": time.monotonic() - began, "plan": plan}
                print(f"  {key}: {score:.4f} in {known[key]['seconds']:.0f} s", flush=True)
                if arguments.record:
                    arguments.record.write_text(json.dumps(known, indent=1))
            scores.append(known[key]["score"])
            seconds += known[key]["seconds"]
        mean = float(np.mean(scores))
        verdict = "reached" if mean >= published - 0.01 else "MISSED"
        each = ", ".join(f"{s:.3f}" for s in scores)
        print(f"{side} px {how:9} {mean:.3f} ({each}), published {published}: {verdict}, {seconds:.0f} s", flush=True)


def _said(plan: Plan | None) -> str:
    """A plan in words; the head of a frozen backbone needs none."""
    if plan is None:
        return ""
    stages = ", ".join(f"{epochs} epochs at {side} px" for side, epochs in plan.sides)
    return f"{stages}, rate {plan.rate:g}, tested at {plan.tested} px"


def fine_tuned(problem: Problem, data: Path, side: int, how: str, seed: int) -> float:
    """Accuracy on the fifth of the photos that was held out."""
    keras.utils.set_random_seed(seed)
    spec = Spec("backbone").with_args(
        name="applications:MobileNetV2",
        alpha=0.35,
        weights="random" if how == "scratch" else str(data / "weights" / V2),
    )
    if how == "frozen":
        return frozen(problem, str(spec))
    plan = PLANS[side, how]
    changes: dict[str, Any] = {"train": "all", "dropout": 0.2}
    if how == "unfrozen":
        changes |= {"batch_norm": "adapt", "rate": 1.0}

    def model_of(shown: int) -> keras.Model:
        return fuse(kr.models.create(str(spec.with_args(size=shown, **changes)), problem))

    x, y = np.asarray(problem.train.x), keras.utils.to_categorical(problem.train.y, len(problem.signature.classes))
    steps_an_epoch = -(-len(x) // BATCH)
    total, done, held = steps_an_epoch * sum(epochs for _, epochs in plan.sides), 0, None
    for shown, epochs in plan.sides:
        model = model_of(shown)
        if held is not None:
            model.set_weights(held)
        optimizer = keras.optimizers.AdamW(_Rest(total, done, plan.rate), weight_decay=0.05)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        trained = keras.Sequential([_augmentation(problem), model])
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
        trained.compile(optimizer, loss, metrics=["accuracy"])
        seen = trained.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0).history["accuracy"]
        print(f"    {shown} px: training accuracy {seen[0]:.3f} to {seen[-1]:.3f} in {epochs} epochs", flush=True)
        done += epochs * steps_an_epoch
        held = model.get_weights()
    model = model_of(plan.tested)
    model.set_weights(held)
    return _accuracy(model, problem)


def frozen(problem: Problem, spec: str) -> float:
    """A head on features that are computed once, of the photos, of their mirror images, and of two crops of each."""
    model = kr.models.create(spec, problem)
    before, head = kr.models.features.split(model)
    x = np.asarray(problem.train.x)
    crop = _augmentation(problem)
    crops = [np.concatenate([crop(x[i : i + 64], training=True) for i in range(0, len(x), 64)]) for _ in range(2)]
    features = [before.predict(pictures, batch_size=64, verbose=0) for pictures in (x, x[:, :, ::-1], *crops)]
    optimizer = keras.optimizers.AdamW(1e-3, weight_decay=0.05)
    head.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    head.fit(np.concatenate(features), np.tile(problem.train.y, 4), batch_size=BATCH, epochs=10, verbose=0)
    return _accuracy(model, problem)


def _augmentation(problem: Problem) -> keras.Model:
    made = pipeline("crop(area=0.35)|flip()", problem)
    assert made is not None
    return made


class _Rest(keras.optimizers.schedules.LearningRateSchedule):
    """Warm-up over a tenth of `total` steps, then half a cosine, of which `done` steps are over."""

    def __init__(self, total: int, done: int, rate: float) -> None:
        self.total, self.done, self.rate = total, done, rate

    def __call__(self, step: Any) -> Any:
        at = (keras.ops.cast(step, "float32") + self.done) / self.total
        warm, rest = at / 0.1, keras.ops.maximum(1.0 - at, 0.0) / 0.9
        return self.rate * keras.ops.minimum(warm, 0.5 - 0.5 * keras.ops.cos(np.pi * keras.ops.minimum(rest, 1.0)))

    def get_config(self) -> dict[str, Any]:
        return {"total": self.total, "done": self.done, "rate": self.rate}


def _accuracy(model: keras.Model, problem: Problem) -> float:
    x = np.asarray(problem.test.x)
    outputs = sum(model.predict(pictures, batch_size=64, verbose=0) for pictures in (x, x[:, :, ::-1]))
    return float(np.mean(outputs.argmax(axis=1) == problem.test.y))


def _split(data: Path, side: int, seed: int) -> Problem:
    """80 % to train on, 20 % held out; nothing is chosen by validation here, so that its one part in a hundred goes
    unused."""
    return kr.load(data / "flowers", image_size=side, test=0.2, validation=0.01, seed=seed)


def passes(arguments: argparse.Namespace) -> None:
    """Seconds a pass: head on features, and head behind the whole backbone."""
    problem = _split(arguments.data, 128, 0)
    spec = str(Spec("backbone").with_args(
        name="applications:MobileNetV2", alpha=0.35, weights=str(arguments.data / "weights" / V2)
    ))  # fmt: skip
    learner, each = Learner(problem), {}
    # With any augmentation features change in every epoch: the same head is then trained behind the full forward pass.
    for name, augmentation, epochs in (("features", "", 101), ("full pass", "shift(factor=0.0)", 6)):
        seconds = []
        for count in (1, 1, epochs):  # the first of them traces
            began = time.monotonic()
            run_trial(learner, Config(spec, augmentation=augmentation, epochs=count), 0)
            seconds.append(time.monotonic() - began)
        each[name] = (seconds[2] - seconds[1]) / (epochs - 1)
    print(
        f"features {each['features'] * 1000:.0f} ms an epoch, full pass {each['full pass']:.2f} s: "
        f"{each['full pass'] / each['features']:.0f} times as fast"
    )


def norm(arguments: argparse.Namespace) -> None:
    """Seconds a gradient step of the unfrozen backbone, fused and not, in turns."""
    problem = _split(arguments.data, 128, 0)
    spec = "backbone(name='applications:MobileNetV2', alpha=0.35, weights='random')"
    x, y = problem.train.x[:BATCH], problem.train.y[:BATCH]
    models = {"Keras's own": kr.models.create(spec, problem), "fused": fuse(kr.models.create(spec, problem))}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for model in models.values():
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.train_on_batch(x, y)  # traces
    for _ in range(20):
        for name, model in models.items():
            began = time.monotonic()
            model.train_on_batch(x, y)
            seconds[name].append(time.monotonic() - began)
    each = {name: float(np.median(s)) for name, s in seconds.items()}
    said = ", ".join(f"{name} {s * 1000:.0f} ms a step" for name, s in each.items())
    print(f"{said}: {each['fused'] / each[next(iter(each))]:.2f} of the time")


def imagenet(arguments: argparse.Namespace) -> None:
    """Top-1 and top-5 of "daisy" on the daisies, in every convention: the backbone's own must be the best."""
    place = arguments.data / "weights"
    names = [
        line.split(maxsplit=1)[-1].strip() for line in (place / "imagenet_class_names.txt").read_text().splitlines()
    ]
    daisy = next(i for i, name in enumerate(names) if "daisy" in name)
    model = keras.applications.MobileNet(alpha=0.25, weights=str(place / "mobilenet_v1_0.25_224_top1000.weights.h5"))
    problem = kr.load(arguments.data / "flowers", image_size=224)
    parts = (problem.train, problem.validation, problem.test)
    kind = problem.signature.classes.index("daisy")
    x = np.concatenate([np.asarray(p.x[np.flatnonzero(p.y == kind)]) for p in parts]).astype("float32")
    own = PRESETS["applications:MobileNet"].family.convention
    for name, convention in CONVENTIONS.items():
        order = np.argsort(-model.predict(convention.apply(x), batch_size=64, verbose=0), axis=1)[:, :5]
        top1, top5 = float(np.mean(order[:, 0] == daisy)), float(np.mean((order == daisy).any(axis=1)))
        mark = "  <- the backbone's own" if name == own else ""
        print(f"{name:9} top-1 {top1:.3f}, top-5 {top5:.3f} of {len(x)} daisies{mark}", flush=True)


def preset(arguments: argparse.Namespace) -> None:
    """ResNet18V2: fashion_mnist, preset folder, 500 digits."""
    fashion = kr.load(arguments.data / "fashion_mnist")
    keras.utils.set_random_seed(0)
    model = kr.models.create("backbone(name='keras_cv:resnet18_v2')", fashion)
    rows = np.random.default_rng(0).permutation(len(fashion.train))[:16_000]
    _fit(model, fashion.train.x[rows], fashion.train.y[rows], epochs=5, batch=64)
    accuracy = float(np.mean(model.predict(fashion.test.x, verbose=0).argmax(axis=1) == fashion.test.y))
    print(f"fashion_mnist: {accuracy:.3f} after five epochs of {len(rows):,} pictures", flush=True)
    with tempfile.TemporaryDirectory() as place:
        name = f"keras_cv:{save_preset(model, Path(place) / 'fashion_resnet18_v2')}"
        scores: dict[str, list[float]] = {"fine-tuned": [], "from scratch": []}
        for seed in range(arguments.seeds):
            digits = kr.load("digits", test=0.6, validation=0.05, seed=seed)
            for how, spec in (
                ("fine-tuned", f"backbone(name='{name}', train='all', rate=1.0, batch_norm='adapt')"),
                ("from scratch", f"backbone(name='{name}', weights='random')"),
            ):
                keras.utils.set_random_seed(seed)
                model = kr.models.create(spec, digits)
                _fit(model, digits.train.x[:500], digits.train.y[:500], epochs=10, batch=BATCH)
                right = model.predict(digits.test.x, verbose=0).argmax(axis=1) == digits.test.y
                scores[how].append(float(np.mean(right)))
                print(f"  500 digits {how}, seed {seed}: {scores[how][-1]:.4f} of {len(right)}", flush=True)
    print(", ".join(f"{how} {np.mean(each):.4f}" for how, each in scores.items()))


def _fit(model: keras.Model, x: np.ndarray, y: np.ndarray, epochs: int, batch: int) -> None:
    """Adam, its rate falling from 1e-3 to 0."""
    rate = keras.optimizers.schedules.CosineDecay(1e-3, epochs * -(-len(x) // batch))
    fuse(model).compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)


def recipe(arguments: argparse.Namespace) -> None:
    """The recipe itself."""
    os.environ["KERAS_RECIPE_WEIGHTS"] = str(arguments.data / "weights")
    for side in (128, 224):
        if arguments.side not in (None, side):
            continue
        with tempfile.TemporaryDirectory() as place:
            problem = kr.load(arguments.data / "flowers", image_size=side, test=0.2, validation=0.1)
            result = kr.Recipe(problem, place, budget="15m" if side == 128 else "40m").run()
            low, high = result.interval
            print(f"{side} px: {result.score:.3f} ({low:.3f} to {high:.3f})", flush=True)


def _record(path: Path | None) -> dict[str, Any]:
    return json.loads(path.read_text()) if path is not None and path.is_file() else {}


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "flowers": flowers,
    "pass": passes,
    "norm": norm,
    "imagenet": imagenet,
    "preset": preset,
    "recipe": recipe,
}


if __name__ == "__main__":
    main()
