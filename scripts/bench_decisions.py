"""Is the rule of acceptance honest? A config against itself, and changes that are known to help, on digits.

    python scripts/bench_decisions.py [--tries 100]

A config that is compared with itself under other seeds must hardly ever be accepted (at most 10 %); a change that
helps must be (at least 80 %). The rule is that of the regularize stage: one seed that must be promising, then three to
seven whose interval must lie above 0; or one on either side, where the budget holds no more. Every try has seeds of its
own. Data and split stay the same, as in a run.
"""

from __future__ import annotations

import argparse
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import keras_recipe as kr
from keras_recipe.compare import SEEDS, compare, judge, promising, score_interval
from keras_recipe.core.config import Config
from keras_recipe.study import Study

BASE = Config("small_cnn(width=16)", "adam(learning_rate=0.003)", epochs=8)

HELPFUL = {
    "8 epochs instead of 2": (BASE.replace(epochs=2), BASE),
    "a ConvNet instead of a linear model": (Config("linear()", BASE.optimizer, epochs=8), BASE),
}


def main() -> None:
    """Print both rates, with their 95 % intervals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=100)
    tries = parser.parse_args().tries
    with tempfile.TemporaryDirectory() as folder, kr.Recipe(kr.load("digits"), folder, budget=1e6).study() as study:
        report("a config against itself", "at most 10 %", itself(study, tries))
        report("the same, by one seed on either side", "at most 10 %", by_one_seed(study, tries))
        for name, (before, after) in HELPFUL.items():
            report(name, "at least 80 %", helpful(study, before, after, tries))


def report(name: str, aim: str, accepted: list[bool]) -> None:
    """One line: how often of how many."""
    low, high, _ = score_interval("accuracy", np.array(accepted, dtype="float64"))
    rate = sum(accepted) / len(accepted)
    print(f"{name:40} accepted {rate:6.1%} of {len(accepted)} (95 %: {low:.1%} to {high:.1%}), aim {aim}", flush=True)


def itself(study: Study, tries: int) -> list[bool]:
    """Incumbent and candidate are the same config under other seeds."""
    return [accepted(study, (BASE, 2 * n), (BASE, 2 * n + 1)) for n in range(tries)]


def by_one_seed(study: Study, tries: int) -> list[bool]:
    """Incumbent and candidate are the same config under another seed, where the budget holds no more seeds."""
    seeds = [(2 * n * SEEDS[-1], (2 * n + 1) * SEEDS[-1]) for n in range(tries)]
    sides = [study.gains(study.trials("bench", [(BASE, seed) for seed in pair])) for pair in seeds]
    return [compare(study.problem.objective.metric, both[:1], both[1:]).better for both in sides]


def helpful(study: Study, before: Config, after: Config, tries: int) -> list[bool]:
    """Two configs under the same seeds."""
    return [accepted(study, (before, n), (after, n)) for n in range(tries)]


def accepted(study: Study, before: tuple[Config, int], after: tuple[Config, int]) -> bool:
    """The rule, with the seeds that belong to a number of their own: none is used in two tries."""

    def gains(side: tuple[Config, int], count: int) -> np.ndarray:
        config, number = side
        seeds = range(number * SEEDS[-1], number * SEEDS[-1] + count)
        return study.gains(study.trials("bench", [(config, seed) for seed in seeds]))

    if not promising(gains(before, SEEDS[0]), gains(after, 1)[0]):
        return False
    found = judge(study.problem.objective.metric, lambda count: (gains(before, count), gains(after, count)))
    return found is not None and found.better


if __name__ == "__main__":
    main()
