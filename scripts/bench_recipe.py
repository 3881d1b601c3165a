"""What does the recipe bring? The whole recipe beside plain Keras, boosted trees and published figures.

    python scripts/bench_recipe.py [--data DIR] [--only ROW] [--minutes M] [--record FILE]

digits      the 1,797 digits of scikit-learn, 10 minutes
fashion     fashion_mnist, all 60,000 pictures, 60 minutes
flowers     3,670 photos at 128 pixels, a pretrained MobileNetV2 0.35, 30 minutes
scratch     the same photos, without pretrained weights, 30 minutes
adult       a table of 32,561 people (its own test set: 16,281), 10 minutes
housing     20,640 districts of California, 10 minutes

Each row: the recipe's test score with its 95 % interval; plain Keras (the model that the recipe has chosen, built
anew, Adam with its defaults, batch 32, stopped early on the same validation split, the same minutes at most); gradient
boosting of scikit-learn with its defaults, on tables; and what others have published. The sets are folders of --data,
by default $KERAS_RECIPE_DATA or ../shared/data. With --record, rows are kept in a file and not measured again.
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

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import keras_recipe as kr
from keras_recipe import compiled, objectives
from keras_recipe.compare import score_interval
from keras_recipe.core.spec import Spec
from keras_recipe.problem import Problem


@dataclass(frozen=True)
class Row:
    """A set and what is asked of it.

    Attributes:
        load: the folder of all sets -> the problem.
        minutes: budget of the recipe.
        aim: test score that the recipe is to reach, None where none is set.
        published: what others have reached.
        weights: folder of pretrained weights, relative to that of all sets.
    """

    load: Callable[[Path], Problem]
    minutes: float
    aim: float | None
    published: str
    weights: str | None = None


def adult(data: Path) -> Problem:
    """Train and test as they were published, without header; the labels of the test part end in a full stop there."""
    folder = data / "tabular"
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as mended:
        lines = (folder / "adult-test.csv").read_text().splitlines()
        mended.write("\n".join(line.rstrip(".") for line in lines))
        mended.flush()
        return kr.load(folder / "adult-train.csv", test=mended.name, target="14", name="adult")


ROWS = {
    "digits": Row(lambda data: kr.load("digits"), 10, None, "-"),
    "fashion": Row(lambda data: kr.load(data / "fashion_mnist"), 60, 0.93, ".916 to .967 (README of the set)"),
    "flowers": Row(
        lambda data: kr.load(data / "flowers", image_size=128, test=0.2, validation=0.1),
        30, 0.93, ".882 frozen, .918 fine-tuned, at 128 px", "weights",
    ),
    "scratch": Row(
        lambda data: kr.load(data / "flowers", image_size=128, test=0.2, validation=0.1), 30, None, ".871 at 128 px"
    ),
    "adult": Row(adult, 10, 0.872, ".845 C4.5, .859 NBTree (adult.names)"),
    "housing": Row(
        lambda data: kr.load(data / "tabular" / "california_housing.csv", target="median_house_value"),
        10, 46_000, "43,412 tuned boosting, 50,496 plain Keras",
    ),
}  # fmt: skip


def main() -> None:
    """Run the rows that were asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("KERAS_RECIPE_DATA", "../shared/data")))
    parser.add_argument("--only", choices=ROWS)
    parser.add_argument("--minutes", type=float, help="instead of those of the row")
    parser.add_argument("--record", type=Path)
    arguments = parser.parse_args()
    kept = arguments.record is not None and arguments.record.is_file()
    known: dict[str, Any] = json.loads(arguments.record.read_text()) if kept else {}
    for name in [arguments.only] if arguments.only else ROWS:
        if name not in known:
            known[name] = measured(ROWS[name], arguments.data, arguments.minutes or ROWS[name].minutes)
            if arguments.record:
                arguments.record.write_text(json.dumps(known, indent=1))
        print(line(name, known[name]), flush=True)


def measured(row: Row, data: Path, minutes: float) -> dict[str, Any]:
    """The recipe, and what it is compared with, on one set."""
    os.environ.pop("KERAS_RECIPE_WEIGHTS", None)
    if row.weights:
        os.environ["KERAS_RECIPE_WEIGHTS"] = str(data / row.weights)
    problem = row.load(data)
    with tempfile.TemporaryDirectory() as place:
        began = time.monotonic()
        result = kr.Recipe(problem, place, budget=60 * minutes).run()
        seconds = time.monotonic() - began
        found = result.evaluation
    return {
        "metric": problem.objective.metric,
        "minutes": minutes,
        "recipe": [found.score, found.low, found.high],
        "seconds": seconds,
        "model": str(Spec(str(found.config["model"]))),
        "plain Keras": plain(problem, found.config, 60 * minutes),
        "boosting": boosted(problem) if problem.signature.kind == "table" else None,
        "baselines": found.baselines,
    }


def plain(problem: Problem, leaves: dict[str, Any], seconds: float) -> list[float]:
    """The same model with `model.fit` and what Keras does when nothing is said; its test score with its interval."""
    from keras_recipe.core.config import Config

    class Deadline(keras.callbacks.Callback):
        """Stops when the time is up."""

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.stop_training |= time.monotonic() > end

    end = time.monotonic() + seconds
    keras.utils.set_random_seed(0)
    spec = Spec.parse(Config.from_leaves(leaves).model)
    model = kr.models.create(
        str(Spec(spec.name).with_args(**{k: v for k, v in spec.args if "dropout" not in k})), problem
    )
    model.compile("adam", compiled.loss(problem))
    stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    model.fit(
        np.asarray(problem.train.x[:]),
        objectives.targets(problem, problem.train.y),
        validation_data=(np.asarray(problem.validation.x[:]), objectives.targets(problem, problem.validation.y)),
        epochs=1000,
        callbacks=[stop, Deadline()],
        verbose=0,
    )
    outputs = model.predict(np.asarray(problem.test.x[:]), verbose=0)
    return judged(problem, objectives.predictions(problem, outputs))


def boosted(problem: Problem) -> list[float]:
    """HistGradientBoosting with its defaults on the encoded table."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    x = [np.asarray(s.x[:]) for s in (problem.train, problem.test)]
    if problem.signature.task == "regression":
        model = HistGradientBoostingRegressor(random_state=0).fit(x[0], problem.train.y[:, 0])
        return judged(problem, model.predict(x[1])[:, None])
    classifier = HistGradientBoostingClassifier(random_state=0).fit(x[0], problem.train.y)
    return judged(problem, classifier.predict_proba(x[1]))


def judged(problem: Problem, predictions: np.ndarray) -> list[float]:
    """Test score with its 95 % interval."""
    metric, y = problem.objective.metric, problem.test.y
    low, high, _ = score_interval(metric, objectives.METRICS[metric].gains(y, predictions))
    return [objectives.score(metric, y, predictions), low, high]


def line(name: str, row: dict[str, Any]) -> str:
    """A row of the table."""

    def written(scores: list[float] | None) -> str:
        if scores is None:
            return "-"
        form = "{:.3f} ({:.3f} to {:.3f})" if scores[0] < 10 else "{:,.0f} ({:,.0f} to {:,.0f})"
        return form.format(*scores)

    aim, score = ROWS[name].aim, row["recipe"][0]
    better = objectives.METRICS[row["metric"]].higher_is_better
    verdict = "" if aim is None else f", aim {aim:g} " + ("reached" if (score >= aim) == better else "MISSED")
    return (
        f"{name:8} {row['minutes']:g} min: recipe {written(row['recipe'])}{verdict}; plain Keras "
        f"{written(row['plain Keras'])}; boosting {written(row['boosting'])}; published {ROWS[name].published}"
    )


if __name__ == "__main__":
    main()
