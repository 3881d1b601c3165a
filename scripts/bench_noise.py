"""How often does a whole run accept a move where there is nothing to learn?

    python scripts/bench_noise.py [--sets 20] [--budget 60]

Each data set is 600 vectors of 20 normal features, or 600 pictures of 8x8 random pixels, in turn; labels of three
classes are drawn at random. A run is the whole recipe. Every accepted move is a false one: a decision is one at a level
of 2.5 %, and a run makes about ten. What a move is said to bring, on the test split, is nothing but luck.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import keras_recipe as kr
from keras_recipe.compare import score_interval
from keras_recipe.core.journal import read, run_of, select
from keras_recipe.core.records import Decision
from keras_recipe.problem import Problem
from keras_recipe.views.story import tell
from keras_recipe.views.units import Units
from keras_recipe.views.verdict import verdict


def main() -> None:
    """Print each run, and both rates with their 95 % intervals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=20)
    parser.add_argument("--budget", type=float, default=60.0)
    options = parser.parse_args()
    decisions: list[bool] = []
    runs: list[bool] = []
    nothing: list[bool] = []
    for number in range(options.sets):
        with tempfile.TemporaryDirectory() as folder:
            result = kr.Recipe(noise(number), folder, budget=options.budget).run()
            records = list(read(Path(folder)))
        made = select(records, Decision)
        accepted = [d.move for d in made if d.accepted]
        said = "no evidence" in verdict(tell(records), Units.of(run_of(records)))
        decisions += [d.accepted for d in made]
        runs.append(bool(accepted))
        nothing.append(said)
        figures = f"{len(made):2} decisions, accepted {', '.join(accepted) or 'none'}"
        print(f"{number:3} {figures}; test {result.score:.3f}; nothing to learn: {said}", flush=True)
    for name, found in (("decisions", decisions), ("runs", runs), ("runs that say there is nothing", nothing)):
        low, high, _ = score_interval("accuracy", np.array(found, dtype="float64"))
        print(f"{name}: {sum(found)} of {len(found)} ({np.mean(found):.1%}, 95 %: {low:.1%} to {high:.1%})", flush=True)


def noise(seed: int) -> Problem:
    """Vectors where the seed is even, pictures where it is odd, with labels that say nothing."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(600, 20)).astype("float32")
    pictures = rng.integers(0, 256, size=(600, 8, 8, 1)).astype("uint8")
    return kr.load((pictures if seed % 2 else vectors, rng.integers(0, 3, size=600)), seed=seed, name=f"noise {seed}")


if __name__ == "__main__":
    main()
