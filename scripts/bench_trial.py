"""What a trial costs, beside bare `model.fit` and a plain `tf.function` loop, measured side by side in one run.

    python scripts/bench_trial.py

Digits, batches of 32, with validation after every epoch. Prints ratios; below 1 is cheaper than the other side.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

import keras_recipe as kr
from keras_recipe.compiled import build
from keras_recipe.core.config import Config
from keras_recipe.learner import Learner
from keras_recipe.objectives import targets
from keras_recipe.order import epoch_order
from keras_recipe.problem import Problem
from keras_recipe.training import run_trial

MODELS = ("mlp(depth=2, width=128)", "small_cnn(width=32)", "resnet(depth=8, width=16)")
EPOCHS = 12
ROUNDS = 3


def main() -> None:
    """Print all ratios."""
    imports()
    problem = kr.load("digits")
    print(f"\nseconds an epoch, digits, median of {ROUNDS} alternating rounds of {EPOCHS} epochs")
    print(f"{'model':28} {'fit':>7} {'trial':>7} {'loop':>7} {'trial/fit':>10} {'trial/loop':>11}")
    for model in MODELS:
        epochs(problem, model)
    print("\nstart-up: seconds before the first gradient steps are done")
    print(f"{'model':28} {'first':>7} {'seed':>7} {'rate':>7} {'seed/first':>11} {'rate/first':>11}")
    for model in MODELS:
        start_up(problem, model)
    print("\nfour trials, one at a time and two at a time")
    for model in MODELS:
        two_at_a_time(problem, model)


def imports() -> None:
    """What does not train does not import TensorFlow."""
    with tempfile.TemporaryDirectory() as folder:
        kr.Recipe(kr.load("digits"), folder, moves=(), model="linear()").run()
        commands = {
            "import keras_recipe": ["-c", "import keras_recipe"],
            "--help": ["-m", "keras_recipe", "--help"],
            "list": ["-m", "keras_recipe", "list"],
            "report": ["-m", "keras_recipe", "report", folder],
        }
        print("seconds of a whole process, median of 5")
        for name, arguments in commands.items():
            print(f"{name:28} {statistics.median(_process(arguments) for _ in range(5)):7.2f}")


def epochs(problem: Problem, model: str) -> None:
    """One trial, bare fit and the plain loop, in turn."""
    config = Config(model, epochs=EPOCHS)
    learner = Learner(problem)
    run_trial(learner, config.replace(epochs=1), 0)
    fit, loop = bare_fit(problem, config), plain_loop(problem, config)
    seconds: dict[str, list[float]] = {"fit": [], "trial": [], "loop": []}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            seconds["trial"].append(_timed(lambda f=folder: run_trial(learner, config, 1, directory=Path(f))))  # type: ignore[misc]
        seconds["fit"].append(_timed(fit))
        seconds["loop"].append(_timed(loop))
    f, t, p = (statistics.median(seconds[k]) / EPOCHS for k in ("fit", "trial", "loop"))
    print(f"{model:28} {f:7.3f} {t:7.3f} {p:7.3f} {t / f:10.2f} {t / p:11.2f}", flush=True)


def bare_fit(problem: Problem, config: Config) -> Callable[[], object]:
    """`model.fit` with validation and accuracy, as a user would call it; traced before it is timed."""
    model, _ = build(problem, config)
    model.compile(model.optimizer, model.loss, metrics=["accuracy"])
    x, y = np.asarray(problem.train.x), targets(problem, problem.train.y)
    keep = len(y) // config.batch_size * config.batch_size  # the same number of steps as a trial
    validation = (np.asarray(problem.validation.x), targets(problem, problem.validation.y))

    def fit(epochs: int = EPOCHS) -> object:
        return model.fit(
            x[:keep], y[:keep], batch_size=config.batch_size, epochs=epochs, validation_data=validation, verbose=0
        )

    fit(1)
    return fit


def plain_loop(problem: Problem, config: Config) -> Callable[[], object]:
    """A `tf.function` over the steps of an epoch, without metrics, validation or record."""
    model, _ = build(problem, config)
    x, y = tf.constant(np.asarray(problem.train.x)), tf.constant(targets(problem, problem.train.y))

    @tf.function(input_signature=[tf.TensorSpec([None, None], "int32")])
    def walk(order: tf.Tensor) -> tf.Tensor:
        loss = tf.constant(0.0)
        for i in tf.range(tf.shape(order)[0]):
            with tf.GradientTape() as tape:
                predictions = model(tf.gather(x, order[i]), training=True)
                loss = model.compute_loss(y=tf.gather(y, order[i]), y_pred=predictions)
            model.optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    def loop(epochs: int = EPOCHS) -> None:
        for epoch in range(epochs):
            walk(epoch_order(len(problem.train), config.batch_size, 0, epoch))

    model.optimizer.build(model.trainable_variables)
    loop(1)
    return loop


def start_up(problem: Problem, model: str) -> None:
    """First trial of a graph, then another seed and another rate."""
    learner, config = Learner(problem), Config(model, epochs=1)
    first = run_trial(learner, config, 0).trial.startup_seconds
    seed = statistics.median(run_trial(learner, config, s).trial.startup_seconds for s in (1, 2, 3))
    rates = [config.with_args("optimizer", learning_rate=r) for r in (1e-3, 1e-2, 1e-4)]
    rate = statistics.median(run_trial(learner, c, 0).trial.startup_seconds for c in rates)
    print(f"{model:28} {first:7.2f} {seed:7.2f} {rate:7.2f} {seed / first:11.1%} {rate / first:11.1%}", flush=True)


def two_at_a_time(problem: Problem, model: str) -> None:
    """Four seeds through a study with one worker, then with two."""
    seconds = []
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder, kr.Recipe(problem, folder, workers=workers).study() as study:
            pairs = [(Config(model, epochs=30), seed) for seed in range(4)]
            seconds.append(_timed(lambda s=study, p=pairs: s.trials("bench", p)))  # type: ignore[misc]
    print(f"{model:28} {seconds[0]:7.2f} {seconds[1]:7.2f}   {seconds[0] / seconds[1]:.2f} times as fast", flush=True)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _process(arguments: list[str]) -> float:
    return _timed(lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True))


if __name__ == "__main__":
    main()
