"""Which row belongs to which part: decided once, by seed, and never by a look at the inputs.

Every function maps the rows of a pool to `{"train": rows, ...}`: each row is in exactly one part, and each part that
was asked for gets at least one row.
"""

from __future__ import annotations

import numpy as np

from keras_recipe.core.errors import RecipeError

Rows = dict[str, np.ndarray]
"""Name of a part to row numbers of the pool."""

SHUFFLES = 32
"""Random orders of the groups of which the best balanced one is kept: more changed nothing on small examples."""


def check_fractions(shares: dict[str, float]) -> None:
    """Raise RecipeError unless each share is between 0 and 1 and something is left for training."""
    for part, share in shares.items():
        if not 0 < share < 1:
            raise RecipeError(
                f"a {part} share above 0 and below 1, or data of its own",
                repr(share),
                "give for instance 0.15",
            )
    if sum(shares.values()) >= 1:
        raise RecipeError(
            "shares that leave a training part", f"{shares}, which sum to 1 or more", "give smaller shares"
        )


def stratified(y: np.ndarray, classes: tuple[str, ...], shares: dict[str, float], seed: int) -> Rows:
    """Split so that each class has its share of each part, within one example.

    Args:
        y: class indices, (examples,).
        classes: names, for messages.
        shares: part to its share of the rows; the rest is "train".
        seed: of the order, in which each part is returned, too.

    Raises:
        RecipeError: a class has fewer examples than there are parts (at least one for each).
    """
    counts = np.bincount(y, minlength=len(classes))
    _check_counts(counts, classes, 1 + len(shares))
    generator = np.random.default_rng(seed)
    rows = generator.permutation(len(y))
    rows = rows[np.argsort(y[rows], kind="stable")]
    place = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)  # rank of each row within its class
    parts: Rows = {}
    start = np.zeros_like(counts)
    of_class = np.sort(y)
    for number, (part, share) in enumerate(shares.items()):
        stop = start + np.minimum(_quota(counts, share), counts - start - (len(shares) - number))
        parts[part] = generator.permutation(rows[(place >= start[of_class]) & (place < stop[of_class])])
        start = stop
    parts["train"] = generator.permutation(rows[place >= np.repeat(start, counts)])
    return parts


def shuffled(n: int, shares: dict[str, float], seed: int) -> Rows:
    """Split at random. Raises RecipeError where there are fewer rows than parts."""
    if n < 1 + len(shares):
        raise RecipeError(f"at least {1 + len(shares)} examples, one for each part", str(n), "give more examples")
    return _cut(np.random.default_rng(seed).permutation(n), shares)


def by_time(time: np.ndarray, shares: dict[str, float]) -> Rows:
    """Train on the earliest rows, test on the latest. Rows of one part are in order of time."""
    if len(time) < 1 + len(shares):
        raise RecipeError(
            f"at least {1 + len(shares)} examples, one for each part", str(len(time)), "give more examples"
        )
    return _cut(np.argsort(time, kind="stable")[::-1], shares, turn=True)


def by_groups(groups: np.ndarray, y: np.ndarray | None, shares: dict[str, float], seed: int) -> Rows:
    """Split so that no group is in two parts; of 32 random orders, the one that keeps sizes and classes best.

    Args:
        groups: name or number of the group of each row.
        y: class indices, or None for regression.
        shares: part to its share of the rows; the rest is "train".
        seed: of the orders.

    Raises:
        RecipeError: fewer groups than parts, or a class that would be missing from training in every order.
    """
    names, group = np.unique(groups, return_inverse=True)
    if len(names) < 1 + len(shares):
        raise RecipeError(f"at least {1 + len(shares)} groups, one for each part", str(len(names)), "give finer groups")
    generator = np.random.default_rng(seed)
    sizes = np.bincount(group)
    labels = np.zeros(len(group), "int64") if y is None else y
    best: tuple[float, np.ndarray] | None = None
    for _ in range(SHUFFLES):
        part = _group_parts(generator.permutation(len(names)), sizes, list(shares.values()))[group]
        imbalance = _imbalance(part, labels, [1 - sum(shares.values()), *shares.values()])
        if best is None or imbalance < best[0]:
            best = (imbalance, part)
    if best is None or not np.isfinite(best[0]):
        raise RecipeError(
            "groups that leave each class in the training part",
            "classes that lie in one group or very few",
            "give finer groups, or other shares",
        )
    return {name: generator.permutation(np.flatnonzero(best[1] == i)) for i, name in enumerate(["train", *shares])}


def _group_parts(order: np.ndarray, sizes: np.ndarray, shares: list[float]) -> np.ndarray:
    """Part of each group, 0 being train: groups are taken in order until the share is reached as nearly as can be."""
    part = np.zeros(len(order), "int64")
    reached, start, total = np.cumsum(sizes[order]), 0, sizes.sum()
    for number, share in enumerate(shares, start=1):
        before = reached[start - 1] if start else 0
        nearest = int(np.abs(reached - before - share * total)[start:].argmin()) + start + 1
        stop = min(max(nearest, start + 1), len(order) - (len(shares) - number) - 1)
        part[order[start:stop]] = number
        start = stop
    return part


def _imbalance(part: np.ndarray, y: np.ndarray, shares: list[float]) -> float:
    counts = np.stack([np.bincount(y[part == i], minlength=int(y.max()) + 1) for i in range(len(shares))])
    total = counts.sum(axis=0)
    if (counts[0][total > 0] == 0).any():
        return float("inf")
    return float(np.abs(counts - np.outer(shares, total)).sum())


def _quota(counts: np.ndarray, share: float) -> np.ndarray:
    """Examples of each class for a part: its share rounded down, at least one, the rest to the largest remainders."""
    exact = counts * share
    quota = np.maximum(np.floor(exact), 1).astype("int64")
    open_places = max(0, round(float(exact.sum())) - int(quota.sum()))
    remainder = exact - quota
    first = np.argsort(-remainder, kind="stable")[:open_places]
    quota[first[remainder[first] > 0]] += 1
    return quota


def _cut(order: np.ndarray, shares: dict[str, float], *, turn: bool = False) -> Rows:
    parts: Rows = {}
    rest, n = order, len(order)
    for number, (part, share) in enumerate(shares.items()):
        size = min(max(1, round(n * share)), len(rest) - (len(shares) - number))
        parts[part], rest = rest[:size], rest[size:]
    parts["train"] = rest
    return {part: rows[::-1] for part, rows in parts.items()} if turn else parts


def _check_counts(counts: np.ndarray, classes: tuple[str, ...], least: int) -> None:
    few = [f"{classes[i]!r} ({counts[i]})" for i in np.flatnonzero((counts > 0) & (counts < least))]
    if few:
        more = f" and {len(few) - 10} more" if len(few) > 10 else ""
        raise RecipeError(
            f"at least {least} examples of each class, one for each part",
            f"classes with fewer: {', '.join(few[:10])}{more}",
            "add examples of these classes, or take them out",
        )
