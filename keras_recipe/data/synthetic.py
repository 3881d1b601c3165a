"""Simulated examples: functions `(problem, count, seed, **arguments) -> (x, y)`, registered by their own name.

A generator makes `count` examples from the training split alone: `x` (count, *problem.signature.shape) of the
signature's type and range, `y` (count, ...) labels as those of `problem.train.y`. The same seed must give the same
examples. One that takes the keyword `told` calls `told(done, total)` now and then; it raises where the time is over.

In a config, a generator is a spec such as `"paste(share=0.25)"` or `"package.module:function(share=0.5, size=8)"`. The
argument `share` belongs to the mixture: it says which share of each epoch's examples is simulated. All others are the
generator's.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_recipe.core.errors import RecipeError
from keras_recipe.core.registry import Registry
from keras_recipe.core.spec import Spec
from keras_recipe.data.parts import Joined
from keras_recipe.problem import Problem, Rows, Signature, Split

SYNTHETIC: Registry[Callable[..., tuple[np.ndarray, np.ndarray]]] = Registry("generator", __name__)
register_synthetic = SYNTHETIC.register
synthetic_of = SYNTHETIC.staged
"""Decorator: a generator of "pictures" only, or of "classes" of pictures."""

SHARE = 0.25
"""Share of an epoch's examples that are simulated, where a spec does not say."""

POOL_SHARE, POOL_LEAST, POOL_ROWS, POOL_BYTES = 4, 1_000, 50_000, 2**28
"""Simulated examples that are made: four for each one of the training split and a thousand at least, but no more than
50,000, nor than 256 MB. An epoch draws from them; over a training, most are seen several times."""

PROBED = 8
"""Examples that a generator is tried with before it is trusted with all of them."""

SEED = 0
"""Of all simulated examples: every trial of a problem sees the same ones."""

Told = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Progress that nobody looks at."""


@synthetic_of("pictures")
def paste(problem: Problem, count: int, seed: int, shift: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Objects cut out of training pictures, moved by up to this share, on other backgrounds (Dwibedi et al., 2017).

    The label is that of the object; backgrounds are those of pictures of any class, so that they tell nothing. Raises
    RecipeError where too few pictures show one object that stands out from the border.
    """
    from keras_recipe.data import pasting

    made = pasting.paste(problem, count, seed, shift)
    if isinstance(made, str):
        raise RecipeError("pictures of single objects, five of each class, to paste", made, "leave this generator out")
    return made


@synthetic_of("classes")
def gan(problem: Problem, count: int, seed: int, steps: int = 1500, *, told: Told) -> tuple[np.ndarray, np.ndarray]:
    """Samples of a small class-conditional GAN, trained for so many steps (Mirza & Osindero, 2014).

    Raises RecipeError for pictures of more than 32 pixels, and where a class has fewer than 20 examples.
    """
    from keras_recipe.data import adversarial

    if why := adversarial.unfit(problem):
        raise RecipeError("small pictures of classes with twenty examples or more", why, "leave this generator out")
    return adversarial.draw(problem, count, seed, steps, told)


def share_of(text: str) -> float:
    """Share of each epoch's examples that a spec asks for. Raises RecipeError unless it is above 0 and below 1."""
    share = dict(Spec.parse(text).args).get("share", SHARE)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
        raise RecipeError(
            "a share of simulated examples above 0 and below 1", f"share={share!r} in {text!r}", "say share=0.25"
        )
    return float(share)


def generator_of(text: str) -> Spec:
    """The spec without the share: what decides which examples are made."""
    return Spec.parse(text).with_args(share=None)


def content_of(text: str) -> str:
    """Source code of a user's own generator; empty for those of this package."""
    return SYNTHETIC.source(Spec.parse(text).name) if text else ""


def check(text: str) -> None:
    """Raise RecipeError where the generator or one of its arguments is unknown, or the share is none."""
    share_of(text)
    SYNTHETIC.check(generator_of(text))


def applies(text: str, signature: Signature) -> bool:
    """Whether the generator, if there is one, is for this kind of input and label."""
    if not text:
        return True
    name = Spec.parse(text).name
    if name in SYNTHETIC.of_stage("classes") and signature.task == "regression":
        return False
    return signature.kind == "image" or name not in (*SYNTHETIC.of_stage("pictures"), *SYNTHETIC.of_stage("classes"))


def pool_size(problem: Problem) -> int:
    """How many examples are made; see POOL_ROWS."""
    row = int(np.prod(problem.signature.shape)) * np.dtype(problem.signature.dtype).itemsize
    return max(PROBED, min(max(POOL_LEAST, POOL_SHARE * len(problem.train)), POOL_ROWS, POOL_BYTES // max(row, 1)))


def seconds_of(problem: Problem, text: str) -> tuple[float, str]:
    """Seconds that making all examples will take, and how that is known.

    A few are made. Where as many seconds for each of the others would be long, more are made, so that what is paid
    once (loading a simulator, training one) is told from what each example costs.

    Raises:
        RecipeError: as `simulate` does.
    """
    count, spec = pool_size(problem), generator_of(text)
    if spec.name == "gan":
        from keras_recipe.data import adversarial

        SYNTHETIC.check(spec)
        steps = dict(spec.args).get("steps", SYNTHETIC.arguments("gan")["steps"])
        return adversarial.seconds(problem, int(str(steps))), f"{steps} steps, from a few of them"
    few = _timed(problem, text, min(PROBED, count))
    most = few * count / PROBED
    if most < QUICK or count <= 4 * PROBED:
        return most, f"{PROBED} of {count:,} examples took {few:.2g} s"
    more = _timed(problem, text, 4 * PROBED)
    each = max(more - few, 0.0) / (3 * PROBED)
    once = max(few - PROBED * each, 0.0)
    return once + each * count, f"{once:.2g} s, and {each:.2g} s for each of {count:,} examples"


QUICK = 2.0
"""Seconds of making all examples that need no second look."""


def _timed(problem: Problem, text: str, count: int) -> float:
    began = time.monotonic()
    simulate(problem, text, count)
    return time.monotonic() - began


def simulate(problem: Problem, text: str, count: int, told: Told = silent) -> Split:
    """Make `count` examples and see that they are examples of the problem.

    Args:
        problem: its training split is what a generator may look at.
        text: spec of the generator; its share does not matter here.
        count: of examples.
        told: called with (done, total) by generators that take it.

    Raises:
        RecipeError: the generator or an argument is unknown, it failed, or what it returned are no examples of the
            problem.
    """
    spec = generator_of(text)
    function = SYNTHETIC.check(spec)
    listening = {"told": told} if "told" in inspect.signature(function).parameters else {}
    try:
        made = function(problem, count, SEED, **dict(spec.args), **listening)
    except (RecipeError, TimeoutError, InterruptedError):
        raise
    except Exception as error:
        if ":" not in spec.name:
            raise
        where = f"{type(error).__name__}: {error}"
        raise _wrong(spec, "a generator that makes examples", where, "correct the function") from error
    x, y = _valid(problem, spec, count, made)
    return Split(x, y, [f"simulated {i}" for i in range(count)])


def _wrong(spec: Spec, expected: str, received: str, do: str) -> RecipeError:
    return RecipeError(f"{expected} from {spec.name}", received, do)


def _valid(problem: Problem, spec: Spec, count: int, made: Any) -> tuple[np.ndarray, np.ndarray]:
    signature = problem.signature
    if not isinstance(made, tuple | list) or len(made) != 2:
        raise _wrong(spec, "a pair (x, y) of arrays", type(made).__name__, "return x, y")
    x, y = np.asarray(made[0]), np.asarray(made[1])
    shape = (count, *signature.shape)
    if x.shape != shape:
        raise _wrong(
            spec, f"inputs of shape {shape}", f"shape {x.shape}", "make `count` examples of problem.signature.shape"
        )
    if x.dtype != signature.dtype:
        raise _wrong(
            spec,
            f"inputs of type {signature.dtype}, as those of the training split",
            str(x.dtype),
            f"return x.astype({signature.dtype!r}), in the same range",
        )
    if not np.isfinite(x).all():
        raise _wrong(spec, "finite inputs", f"{np.sum(~np.isfinite(x)):,} values NaN or infinite", "leave them out")
    _in_range(problem, spec, x)
    like = problem.train.y
    if y.shape != (count, *like.shape[1:]):
        raise _wrong(
            spec,
            f"labels of shape {(count, *like.shape[1:])}",
            f"shape {y.shape}",
            "return one label an example, as those of problem.train.y",
        )
    if signature.task == "regression":
        if not np.issubdtype(y.dtype, np.number) or not np.isfinite(y).all():
            raise _wrong(spec, "finite numbers as targets", f"{y.dtype}, some not finite", "leave those out")
        return x, y.astype("float32")
    classes = len(signature.classes)
    if not np.issubdtype(y.dtype, np.integer) or (count and (y.min() < 0 or y.max() >= classes)):
        shown = ", ".join(map(repr, np.unique(y)[:5].tolist()))
        raise _wrong(
            spec,
            f"labels 0 to {classes - 1}, indices into problem.signature.classes",
            f"{y.dtype}: {shown}, ...",
            "return the index of each class as a whole number",
        )
    return x, y.astype("int32")


def _in_range(problem: Problem, spec: Spec, x: np.ndarray) -> None:
    """Pictures of 0..1 among those of 0..255 would be black; features in another unit would be outliers.

    Half the range of the training split beyond its ends is allowed for pictures, ten times the range for features,
    which may be rare or skewed.
    """
    from keras_recipe.models.heads import input_sample

    real = input_sample(problem)
    axes = None if problem.signature.kind == "image" else 0
    low, high = (np.asarray(f(real, axis=axes), "float64") for f in (np.min, np.max))
    made_low, made_high = (np.asarray(f(x, axis=axes), "float64") for f in (np.min, np.max))
    slack = np.maximum(high - low, 1e-3) * (0.5 if axes is None else 10.0)
    dark = axes is None and made_high - made_low < 0.05 * (high - low)
    if dark or (made_low < low - slack).any() or (made_high > high + slack).any():
        expected, received = (
            f"{float(np.min(a)):.4g} to {float(np.max(b)):.4g}" for a, b in ((low, high), (made_low, made_high))
        )
        raise _wrong(
            spec,
            f"inputs in the range of the training split, {expected},",
            received,
            "return them in the unit that problem.train.x has",
        )


JOINED_BYTES = 2**28
"""Real and simulated inputs that are copied into one array; more of them are read a buffer at a time."""


def joined(real: Split, simulated: Split) -> Split:
    """The examples of both, the real ones first."""
    both: Rows = Joined(real.x, simulated.x)
    if real.in_memory and int(np.prod(both.shape)) * both.dtype.itemsize <= JOINED_BYTES:
        both = np.concatenate([np.asarray(real.x), np.asarray(simulated.x)])
    return Split(both, np.concatenate([real.y, simulated.y]), [*real.ids, *simulated.ids])
