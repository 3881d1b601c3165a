"""How grave a proof is where time cut the training that it rests on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from keras_recipe.diagnosis.case import Case
from keras_recipe.diagnosis.probe import Outcome, Variant
from keras_recipe.diagnosis.proof import BEGUN, Own, Tried, judge
from keras_recipe.diagnosis.repairs import Repair

CASE = cast(
    "Case",
    SimpleNamespace(
        dumb=0.1,
        targets=(SimpleNamespace(kind="multiclass"),),
        known_loss=True,
        data=SimpleNamespace(epochs=30),
        rates=np.full(1000, 3e-4),
    ),
)
REPAIR = Repair(("initializer",), "other initial weights", lambda v: v, "", "", "")


def watched(steps: int, last_loss: float = 1.0) -> Outcome:
    none = np.zeros(1)
    losses = np.linspace(2.0, last_loss, steps)
    return Outcome(none, none, none, none, none, losses, (), 1.0, (), steps, 1000, 1.0)


@pytest.mark.parametrize(
    ("steps", "last_loss", "own_score", "severity"),
    [
        (1000, 1.0, 0.4, "ERROR"),  # all that it plans
        (int(1000 * BEGUN) + 1, 1.0, 0.4, "ERROR"),  # more than its beginning
        (150, 1.0, 0.4, "WARNING"),  # it learns, and has hardly begun
        (150, 2.0, 0.4, "ERROR"),  # it does not learn
        (900, 1.0, 0.69, "WARNING"),  # and comes as far by itself, with more steps than the repair was tried for
    ],
)
def test_what_only_learns_slower_at_first_is_no_error(
    steps: int, last_loss: float, own_score: float, severity: str
) -> None:
    own = Own((watched(steps, last_loss),), (own_score,), own_score)
    tried = Tried((REPAIR,), Variant(), 0.7, watched(min(steps, 300)))
    verdict = judge(CASE, own, 0.4, [tried], 0.05, True)
    assert verdict.named is not None
    assert verdict.severity == severity
