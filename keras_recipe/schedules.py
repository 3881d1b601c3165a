"""Has a learning-rate schedule run out before the loss had settled? For anybody's training, from two curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_recipe.core.records import Finding

SPENT = 0.01
"""Share of its maximum below which a learning rate moves the weights no more."""

AT_WORK = 0.1
"""Share of its maximum above which it does: the loss is looked at while it did."""

TAIL = 0.1
"""Share of the epochs that may be trained with a spent rate. A cosine over the whole run has .064, a line .01."""

WINDOW = 5
"""Epochs, the last before the rate fell, in which the loss is looked at."""

FALLING = 0.02
"""Fall of the loss in a tenth of the epochs, as a part of its first value, from which on it has not settled."""

LEAST = 4
"""Epochs of a window from which on a rank correlation can be certain; fewer must fall from one to the next."""

CERTAIN = 0.05
"""p-value, of Kendall's rank correlation of loss and time in the window, up to which the loss does not just jump
about."""


def schedule(rates: Sequence[float], losses: Sequence[float]) -> Finding:
    """Compare the learning rate with the training loss; a warning of cause "schedule" where the rate was spent early.

    The essay, "do not trust learning rate decay defaults": a schedule made for another number of steps takes the rate
    to 0 too early, and the model does not converge.

    Args:
        rates: learning rate of each epoch.
        losses: training loss of each epoch.

    Raises:
        ValueError: the two have not as many epochs.
    """
    if len(rates) != len(losses):
        raise ValueError(f"Expected a rate and a loss for each epoch. Received {len(rates)} and {len(losses)}.")
    rate, loss = np.asarray(rates, "float64"), np.asarray(losses, "float64")
    evidence = {"rates": rate.tolist(), "losses": loss.tolist()}
    top = float(rate.max(initial=0.0))
    low = rate < SPENT * top
    spent = int(np.argmin(low[::-1])) if len(low) and not low.all() else 0  # epochs at the end, none of them above
    last = len(rate) - spent
    expected = f"a rate above {SPENT:.0%} of its maximum until the loss has settled"
    if spent <= TAIL * len(rate):
        measured = f"the rate lasts for {last} of {len(rate)} epochs" if len(rate) else "no epoch"
        return Finding("ok", "schedule", "the learning rate lasts to the end", expected, measured, "", evidence)
    fall, certain = _fall(loss[: last + 1], rate[: last + 1] >= AT_WORK * top)
    measured = f"spent after {last} of {len(rate)} epochs, while the loss fell by {fall:.2g} an epoch"
    if not certain or fall * max(1.0, len(rate) / 10) < FALLING * abs(loss[0]):
        message = "the loss had settled before the learning rate was spent"
        return Finding("ok", "schedule", message, expected, measured, "", evidence)
    return Finding(
        "warning",
        "schedule",
        f"the learning rate was spent after {last} of {len(rate)} epochs, and the loss was still falling",
        expected,
        measured,
        "write the schedule in fractions of this run (decay_steps = epochs x steps an epoch), or keep a constant rate",
        evidence,
    )


def settled(losses: Sequence[float]) -> bool:
    """Whether a training loss, one value an epoch at a constant rate, has stopped falling."""
    loss = np.asarray(losses, "float64")
    fall, certain = _fall(loss, np.ones(len(loss), bool))
    return not certain or fall * max(1.0, len(loss) / 10) < FALLING * abs(loss[0])


def _fall(loss: np.ndarray, at_work: np.ndarray) -> tuple[float, bool]:
    """How much the loss fell an epoch while the rate was at work, and whether that is no chance.

    Args:
        loss: up to the first epoch with a spent rate, that included.
        at_work: whether the rate was high, in the same epochs.
    """
    from scipy.stats import kendalltau

    if not np.isfinite(loss).all():
        return 0.0, False
    end = int(np.flatnonzero(at_work)[-1]) + 1
    window = loss[max(0, end - WINDOW) : end]
    if (
        len(window) < LEAST
    ):  # it fell within a few epochs: the next one, whose mean loss still tells of them, counts too
        window = loss[: end + 1]
    fall = float(window[0] - window[-1]) / max(len(window) - 1, 1)
    if len(window) < LEAST:
        return fall, bool((np.diff(window) < 0).all())
    return fall, bool(kendalltau(np.arange(len(window)), window, alternative="less").pvalue <= CERTAIN)
