"""Which examples a trial sees, and in which order: functions of its seed, so that going on with it needs no state."""

from __future__ import annotations

import numpy as np

from keras_recipe.core.config import Config
from keras_recipe.problem import Problem

SUBSET = 0x5EB5E7
"""Beside a trial's seed, the seed of the subset that it sees, so that no epoch's order is drawn from the same one."""


def training_rows(problem: Problem, config: Config, seed: int) -> np.ndarray:
    """Row numbers of the training split that a trial sees, int32, ascending: those of the data, with those that were
    added where the config says so; or the share of them that it asks for.

    A smaller share of one seed is part of a larger one. Each class keeps its share, and an example at least. What is
    taken from the training split without training (means, vocabularies, the last layer's bias) is that of all of it.
    """
    rows = np.arange(problem.trained_on(config.more_data), dtype="int32")
    if config.train_share == 1:
        return rows
    rows = np.random.default_rng([seed, SUBSET]).permutation(rows)
    classes = problem.train.y[rows] if problem.signature.classes else np.zeros(len(rows), "int32")
    order = np.argsort(classes, kind="stable")
    counts = np.bincount(classes)
    rank = np.empty(len(rows), int)
    rank[order] = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = np.maximum(np.round(counts * config.train_share), 1)
    return np.sort(rows[rank < kept[classes]])


def epoch_order(examples: int, batch_size: int, seed: int, epoch: int) -> np.ndarray:
    """Row numbers of one epoch, (steps, batch): a function of seed and epoch alone, so that resume needs no state.

    The incomplete last batch is left out; another epoch shuffles its rows to the front.
    """
    batch = min(batch_size, examples)
    rows = np.random.default_rng([seed, epoch]).permutation(examples).astype("int32")
    return rows[: examples // batch * batch].reshape(-1, batch)


def mixed_order(order: np.ndarray, examples: int, simulated: int, share: float, seed: int, epoch: int) -> np.ndarray:
    """An epoch's `order` in which simulated examples stand in for a share of the real ones, anywhere in it.

    A function of seed and epoch alone, too. Which of the simulated ones is drawn anew in every epoch; none comes twice
    before each has come once. At least one real example stays.

    Args:
        order: (steps, batch) of row numbers below `examples`.
        examples, simulated: how many there are; simulated ones have the row numbers from `examples` on.
        share: above 0 and below 1.
        seed: of the trial.
        epoch: 0 is the first.
    """
    rows = order.ravel().copy()
    count = min(max(1, round(share * rows.size)), rows.size - 1)
    generator = np.random.default_rng([seed, epoch, 1])
    places = generator.permutation(rows.size)[:count]
    drawn = [generator.permutation(simulated) for _ in range(-(-count // simulated))]
    rows[places] = examples + np.concatenate([*drawn, np.zeros(0, "int64")])[:count]
    return rows.reshape(order.shape)
