"""What trials of a problem share: its data on the device, traced graphs, features behind frozen backbones, simulated
examples."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import tensorflow as tf

from keras_recipe import checkpoint
from keras_recipe.compiled import build, learning_rate
from keras_recipe.core.config import Config, digest
from keras_recipe.core.spec import Spec
from keras_recipe.data import synthetic
from keras_recipe.feed import Feed
from keras_recipe.loop import Apply, Loop
from keras_recipe.order import training_rows
from keras_recipe.problem import Problem, Split

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

HEAD_SHARE = 5 / 6
"""Part of the epochs in which only the head of a pretrained backbone is trained, on its features. A random head would
distort these before it has learnt anything (Kumar et al., 2022, "Fine-tuning can distort pretrained features"); and
these epochs cost next to nothing."""

FEATURE_ROWS = 256
"""Examples at a time where the features behind a frozen backbone are computed: progress shows, and Ctrl-C is heard."""

FEATURE_BYTES = 2**31
"""Features that are kept take no more memory than this; where they would, each epoch computes them again."""

KEPT_FEATURES = 3
"""Backbones whose features are kept: that of the incumbent and those of a move's two candidates."""

KEPT_POOLS = 2
"""Generators whose simulated examples are kept in memory: that of the incumbent and that of the candidate."""

PROBE = 8
"""Examples by whose features two backbones are told apart."""

Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Phase:
    """A part of a trial: from this epoch (0 is the first) on, a loop, and both splits as it takes them.

    Attributes:
        mixed: the training split with simulated examples behind it, which the epochs draw from; None without any.
    """

    start: int
    loop: Loop
    train: Feed
    validation: Feed
    mixed: Feed | None = None


@dataclass(frozen=True)
class Training:
    """What a trial trains.

    Attributes:
        loop: whose state is all that changes.
        phases: in order; all but the fine-tuning of a pretrained backbone have one.
    """

    loop: Loop
    phases: tuple[Phase, ...]

    def phase(self, epoch: int) -> Phase:
        """The phase that this epoch belongs to."""
        return next(p for p in reversed(self.phases) if p.start <= epoch)


class Learner:
    """A problem with its data on the device and its graphs traced: trains any config of it, from several threads.

    Args:
        problem: its training split goes to the device as a whole where it is in memory.
        graphs: compiled models that each thread keeps; one more throws the oldest out.
        directory: where simulated examples are kept for a later process, which then has the very same ones and does
            not pay for them again; None for nowhere.

    Attributes:
        interrupted: set it, and every trial that is running raises InterruptedError before its next steps.
    """

    def __init__(self, problem: Problem, graphs: int = 3, directory: Path | None = None) -> None:
        self.problem = problem
        self.interrupted = threading.Event()
        self._graphs = graphs
        self._threads = threading.local()
        self._features: OrderedDict[bytes, tuple[Feed, Feed]] = OrderedDict()
        self._computing = threading.Lock()
        self._directory = directory
        self._pools: OrderedDict[Spec, Split] = OrderedDict()
        self._mixed: OrderedDict[tuple[bytes, Spec], Feed] = OrderedDict()
        self._simulating = threading.Lock()

    def rows(self, config: Config, seed: int) -> np.ndarray:
        """Row numbers of the training split that a trial of this config sees, ascending."""
        return training_rows(self.problem, config, seed)

    def loop(self, config: Config) -> Loop:
        """The compiled loop of this config; seed, rate, batch size and length do not need another."""
        loops: OrderedDict[Config, Loop] = self._threads.__dict__.setdefault("loops", OrderedDict())
        graph = config.with_args("optimizer", learning_rate=None).replace(
            batch_size=1, epochs=1, patience=None, schedule="", synthetic="", train_share=1.0, more_data=""
        )
        return _kept(loops, graph, self._graphs, lambda: Loop(lambda: build(self.problem, config)))

    def training(
        self, config: Config, seed: int, told: Told = lambda done, total: None, rows: int | None = None
    ) -> Training:
        """What is to be trained for this config, with the weights of this seed.

        The head of a pretrained backbone is trained on its features, which are computed once for all trials that
        share them. A backbone that is to be trained too joins in when its head has learnt (see HEAD_SHARE).

        Args:
            config: of the trial.
            seed: of its weights.
            told: called with (done, total) while features are computed.
            rows: features of no more than so many examples of each split, to measure what they cost; nothing is
                simulated then.
        """
        pool = self.simulated(config.synthetic, told) if config.synthetic and rows is None else None
        loop = self.loop(config)
        loop.reset(seed, learning_rate(config))
        whole = Phase(0, loop, self.train, self.validation, self._mixture(config, self.train, pool))
        if loop.parts is None or not self._worth_keeping(loop.parts[1]):
            return Training(loop, (whole,))
        rest = loop.parts[1]
        if loop.frozen and loop.augmentation is not None:  # other pictures, other features, in every epoch
            return Training(rest, (whole,))
        head = Phase(0, rest, *self._features_of(loop.parts[0], told, rows))
        if pool is not None:
            head = dataclasses.replace(head, mixed=self._mixture(config, head.train, pool, loop.parts[0], told))
        if loop.frozen:
            return Training(rest, (head,))
        start = int(config.epochs * HEAD_SHARE)
        return Training(loop, (head, dataclasses.replace(whole, start=start)) if start else (whole,))

    def simulated(self, text: str, told: Told = synthetic.silent) -> Split:
        """Simulated examples of this spec's generator, made once for all shares, trials and threads.

        As many as `synthetic.pool_size` says; those of KEPT_POOLS generators are kept in memory, those of all of them
        in the run directory.

        Raises:
            RecipeError: what the generator makes are no examples of the problem.
        """
        with self._simulating:
            return _kept(self._pools, synthetic.generator_of(text), KEPT_POOLS, lambda: self._pool(text, told))

    def simulated_at_hand(self, text: str) -> bool:
        """Whether the simulated examples of this spec's generator are made already."""
        path = self._pool_path(text)
        return synthetic.generator_of(text) in self._pools or (path is not None and path.is_file())

    def _pool_path(self, text: str) -> Path | None:
        if self._directory is None:
            return None
        content = [self.problem.fingerprint, str(synthetic.generator_of(text)), synthetic.content_of(text)]
        return self._directory / f"{digest(content)}.npz"

    def _pool(self, text: str, told: Told) -> Split:
        path, count = self._pool_path(text), synthetic.pool_size(self.problem)
        if path is not None and path.is_file():
            x, y = checkpoint.read_sequence(path)
            return Split(x, y, [f"simulated {i}" for i in range(len(y))])

        def heard(done: int, total: int) -> None:
            if self.interrupted.is_set():
                raise InterruptedError("the run was interrupted")
            told(done, total)

        pool = synthetic.simulate(self.problem, text, count, heard)
        if path is not None:
            checkpoint.write_sequence(path, [np.asarray(pool.x), pool.y])
        return pool

    def _mixture(
        self, config: Config, train: Feed, pool: Split | None, apply: Apply | None = None, told: Told = synthetic.silent
    ) -> Feed | None:
        """The training split with the pool behind it, as features of `apply` where that is given."""
        if pool is None:
            return None
        key = (self._key(apply) if apply else b"", synthetic.generator_of(config.synthetic))

        def mixed() -> Feed:
            behind = dataclasses.replace(pool, x=self._applied(apply, pool, len(pool), told)) if apply else pool
            return Feed(self.problem, synthetic.joined(train.split, behind))

        with self._simulating:
            return _kept(self._mixed, key, KEPT_POOLS, mixed)

    def feature_seconds(self, config: Config) -> float:
        """Measured seconds that the features of this config will take; 0 if they are there, or are not kept."""
        loop = self.loop(config)
        if loop.parts is None or loop.augmentation is not None or not self._worth_keeping(loop.parts[1]):
            return 0.0
        loop.reset(0)
        key, missing = self._key(loop.parts[0]), 0  # which has traced
        if key not in self._features:
            missing += self._examples
        if config.synthetic and (key, synthetic.generator_of(config.synthetic)) not in self._mixed:
            missing += synthetic.pool_size(self.problem)
        if not missing:
            return 0.0
        began, count = time.monotonic(), min(FEATURE_ROWS, len(self.problem.train))
        loop.parts[0](tf.constant(self.problem.train.x[np.arange(count)]))
        return (time.monotonic() - began) * missing / count

    @property
    def _examples(self) -> int:
        return len(self.problem.train) + len(self.problem.validation)

    def _key(self, apply: Apply) -> bytes:
        """Two builds are the same function if they say the same of the same examples."""
        return apply(tf.constant(self.problem.train.x[np.arange(min(PROBE, len(self.problem.train)))])).tobytes()

    def _features_of(self, apply: Apply, told: Told, rows: int | None) -> tuple[Feed, Feed]:
        with self._computing:
            key = self._key(apply)
            if rows is not None and key not in self._features:
                return self._computed(apply, told, rows)
            every = max(len(self.problem.train), len(self.problem.validation))
            return _kept(self._features, key, KEPT_FEATURES, lambda: self._computed(apply, told, every))

    def _worth_keeping(self, rest: Loop) -> bool:
        return self._examples * rest.input_values * 4 <= FEATURE_BYTES

    def _computed(self, apply: Apply, told: Told, rows: int) -> tuple[Feed, Feed]:
        done, made = 0, []
        for split in (self.problem.train, self.problem.validation):
            count = min(rows, len(split))
            x = self._applied(apply, split, count, lambda part, _, done=done: told(done + part, self._examples))  # type: ignore[misc]
            done += count
            some = dataclasses.replace(split, x=x, y=split.y[:count], ids=split.ids[:count])
            made.append(Feed(self.problem, some))
        return made[0], made[1]

    def _applied(self, apply: Apply, split: Split, count: int, told: Told) -> np.ndarray:
        """What `apply` makes of the first `count` examples, (count, ...)."""
        parts: list[np.ndarray] = []
        for start in range(0, count, FEATURE_ROWS):
            if self.interrupted.is_set():
                raise InterruptedError("the run was interrupted")
            parts.append(apply(tf.constant(split.x[np.arange(start, min(start + FEATURE_ROWS, count))])))
            told(start + len(parts[-1]), count)
        return np.concatenate(parts)

    @cached_property
    def train(self) -> Feed:
        """The training split."""
        return Feed(self.problem, self.problem.train)

    @cached_property
    def validation(self) -> Feed:
        """The validation split."""
        return Feed(self.problem, self.problem.validation)


def _kept(values: OrderedDict[K, V], key: K, most: int, make: Callable[[], V]) -> V:
    """The value of this key, made where it is missing; beyond so many, that which was asked for longest ago goes."""
    if key not in values:
        values[key] = make()
        if len(values) > most:
            values.popitem(last=False)
    values.move_to_end(key)
    return values[key]
