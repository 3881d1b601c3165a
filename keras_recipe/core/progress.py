"""How far something is that goes on: what watchers of a run are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Progress:
    """How far a training run is, or, without values, another work.

    Attributes:
        stage: that it is of.
        label: what it is.
        done, total: epochs; of other work, so much of so much.
        values: of the epoch: "loss", "val_score", ...
        config: leaves of the config that is trained; None for other work.
    """

    stage: str
    label: str
    done: int
    total: int
    values: Mapping[str, float] = field(default_factory=dict)
    config: Mapping[str, Any] | None = None
