"""How the weights are moved: rate, length, batches, order, schedule."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np

from keras_recipe.diagnosis.anatomy import unwrapped
from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.probe import Outcome, with_
from keras_recipe.diagnosis.repairs import Repair, repair
from keras_recipe.diagnosis.rows import sorted_by_target

FACTORS = (0.001, 0.01, 0.1, 10.0, 100.0, 1000.0)
"""Of the script's own rate that are tried, with CANONICAL ones."""

CANONICAL = {"sgd": (0.01, 0.1), "adam": (1e-3, 1e-2)}
"""Rates that networks are commonly trained at: those of adaptive optimizers, and others."""

ORDINARY = {"sgd": (1e-3, 5.0), "adam": (1e-4, 2e-2)}
"""Rates that nobody would look at twice."""

LONGER = 5.0
"""Times as many epochs that are tried."""


def family(case: Case) -> str:
    """Whether an optimizer divides by the size of gradients ("adam") or not ("sgd")."""
    name = type(unwrapped(case.model.optimizer)).__name__.lower()
    return "sgd" if name in ("sgd", "adagrad", "adadelta", "ftrl") else "adam"


def rate_of(case: Case) -> float:
    """The highest learning rate of the plan, by size."""
    return float(case.rates[np.abs(case.rates).argmax()])


def ordinary(case: Case) -> bool:
    """Whether the learning rate is one that is commonly used."""
    low, high = ORDINARY[family(case)]
    return low <= rate_of(case) <= high


def rates(case: Case) -> list[float]:
    """Learning rates to try, those nearest to the script's own first."""
    own = rate_of(case)
    size = abs(own) or 1e-3
    found = {float(f"{size * f:.3g}") for f in FACTORS} | set(CANONICAL[family(case)])
    if own <= 0:
        found.add(size)
    found = {r for r in found if 1e-7 <= r <= 30 and (own <= 0 or not 0.99 < r / own < 1.01)}
    return sorted(found, key=lambda r: abs(np.log10(r / size)))


@repair
def batch_size(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Batches of one or two, and batches so large that an epoch is one step."""
    batch, rows = case.data.batch, case.data.total
    if batch <= 2 and rows >= 64:
        normalized = any(type(c.layer).__name__ == "BatchNormalization" for c in case.anatomy.calls)
        yield Repair(
            (("batch-normalization", "batch-size") if normalized else ("batch-size",)),
            "batches of 32",
            lambda v: with_(v, batch=32, longer=v.longer * _kept(case)),
            "batches of 16 to 256",
            f"{batch}",
            "use batch_size=32",
            "batch_size=32",
            location=case.fit.location,
            rank=4,
        )
    elif batch >= rows / 4 and rows >= 256 and case.data.steps < 200:
        yield Repair(
            ("batch-size",),
            "batches of 32",
            lambda v: with_(v, batch=32),
            "batches of 16 to 256",
            f"{batch} of {rows:,} rows: {case.data.steps} steps in all",
            "use batch_size=32",
            "batch_size=32",
            location=case.fit.location,
            rank=5,
        )


def _kept(case: Case) -> float:
    """How many times as many passes give at least 300 steps of batches of 32."""
    steps = case.data.steps * case.data.batch / 32
    return float(max(1.0, 300 / max(steps, 1)))


@repair
def order(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """Rows that come sorted and are not shuffled."""
    if not case.data.ordered or not sorted_by_target(case.data.train.y, _kept_of_a_batch(case)):
        return
    yield Repair(
        ("shuffling",),
        "shuffled rows",
        lambda v: with_(v, shuffle=True),
        "batches with examples of all kinds",
        "rows come sorted by their target, and are not shuffled",
        "shuffle before batching: dataset.shuffle(len(x)), or fit(shuffle=True) on arrays",
        "shuffle=True",
        location=case.fit.location,
        certain=case.target is not None and case.target.kind != "regression",  # a series is left in order on purpose
        rank=2,
    )


def _kept_of_a_batch(case: Case) -> int:
    """Rows of a batch that are among those that are looked at."""
    return max(1, round(case.data.batch * min(1.0, len(case.data.train) / case.data.total)))


@repair
def schedule(case: Case, own: Outcome | None) -> Iterator[Repair]:
    """A learning rate that is spent long before training ends, or that a callback cuts from the first step on."""
    compiled = getattr(unwrapped(case.model.optimizer), "_learning_rate", None)
    given = float(compiled.numpy()) if isinstance(compiled, keras.Variable) else 0.0
    highest = max(float(np.abs(case.rates).max()), given)
    if highest <= 0 or case.rates[-1] == highest:
        return
    spent = float(np.mean(np.abs(case.rates) < 0.03 * highest))
    if spent < 0.5:
        return
    yield Repair(
        ("schedule",),
        "a constant rate",
        lambda v: with_(v, rate=highest),
        "a rate that falls over the whole training",
        f"below 3 % of {highest:g} for {spent:.0%} of the steps",
        "give the schedule as many steps as training has",
        f"learning_rate={highest:g}",
        rank=2,
    )
