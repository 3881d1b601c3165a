"""Is the rule of acceptance honest? A config against itself, and changes that are known to help, on digits.

    python scripts/bench_decisions.py [--tries 100]

A config that is compared with itself under other seeds must hardly ever be accepted (at most 10 %); a change that
helps must be (at least 80 %). The rule is that of the regularize stage: one seed that must be promising, then three
seeds whose interval must lie above 0. Every try draws seeds of its own. Data and split stay the same, as in a run;
besides, the first line is repeated on another split.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import keras_recipe as kr
from keras_recipe.compare import compare, promising, score_interval
from keras_recipe.core.config import Config
from keras_recipe.stages.regularize import SEEDS
from keras_recipe.study import Study

Seeds = Callable[[int], list[int]]

BASE = Config("small_cnn(width=16)", "adam(learning_rate=0.003)", epochs=8)

HELPFUL = {
    "8 epochs instead of 2": (BASE.replace(epochs=2), BASE),
    "a ConvNet instead of a linear model": (Config("linear()", BASE.optimizer, epochs=8), BASE),
    "32 channels instead of 4": (BASE.with_args("model", width=4), BASE.with_args("model", width=32)),
}


def main() -> None:
    """Print both rates, with their 95 % intervals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=100)
    tries = parser.parse_args().tries
    for split in (0, 1):
        with tempfile.TemporaryDirectory() as folder:
            problem = kr.load("digits", seed=split)
            with kr.Recipe(problem, folder, budget=1e6, seed=split).study() as study:
                report(f"a config against itself, split {split}", "at most 10 %", itself(study, tries))
                for name, (before, after) in HELPFUL.items() if split == 0 else ():
                    report(name, "at least 80 %", helpful(study, before, after, tries))


def report(name: str, aim: str, accepted: list[bool]) -> None:
    """One line: how often of how many."""
    low, high, _ = score_interval("accuracy", np.array(accepted, dtype="float64"))
    rate = sum(accepted) / len(accepted)
    print(f"{name:40} accepted {rate:6.1%} of {len(accepted)} (95 %: {low:.1%} to {high:.1%}), aim {aim}", flush=True)


def itself(study: Study, tries: int) -> list[bool]:
    """Incumbent and candidate are the same config; seeds are never used twice."""
    gains = _gains(study, BASE, range(2 * SEEDS * tries)).reshape(tries, 2, SEEDS, -1)
    return [_accepted(study, before, after) for before, after in gains]


def helpful(study: Study, before: Config, after: Config, tries: int) -> list[bool]:
    """Two configs under the same seeds, new ones at every try."""
    pair = [_gains(study, c, range(SEEDS * tries)).reshape(tries, SEEDS, -1) for c in (before, after)]
    return [_accepted(study, b, a) for b, a in zip(*pair, strict=True)]


def _gains(study: Study, config: Config, seeds: range) -> np.ndarray:
    return study.gains(study.trials("bench", [(config, seed) for seed in seeds]))


def _accepted(study: Study, before: np.ndarray, after: np.ndarray) -> bool:
    return promising(before, after[0]) and compare(study.problem.objective.metric, before, after).better


if __name__ == "__main__":
    main()
