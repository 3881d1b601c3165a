"""Everything that one may change about a training run, as one immutable value."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from keras_recipe.core.spec import Spec, Value, parse_pipeline

SCHEDULES = ("", "cosine", "cooldown")

COOLDOWN = 4
"""A cooldown adds an epoch to every so many: a fifth of all is enough to reach what a cosine reaches (Hägele et al.,
2024, section 3)."""


@dataclass(frozen=True)
class Config:
    """One point of the search.

    Attributes:
        model: spec of a model builder.
        optimizer: spec of a Keras optimizer. Adam at 3e-4 is the essay's safe default.
        augmentation: specs joined by `|`, applied to training batches in that order; empty for none.
        batch_size: examples per gradient step, at least 1.
        epochs: passes over the training split, at least 1.
        patience: epochs without a better validation loss before training stops, the best weights being
            restored; `None` trains all epochs and keeps the last weights.
        schedule: "" for a constant learning rate, which falls to 0 only in the part of the run in which a pretrained
            backbone is fine-tuned; "cosine" lets it fall to 0 over the training run (Loshchilov & Hutter, 2016), the
            head's part and the backbone's each; "cooldown" keeps it constant for the epochs, and lets it fall to 0 in a
            quarter as many that follow.
        label_smoothing: share of each label that is spread over all classes, 0 to below 1.
        synthetic: spec of a generator of simulated examples, `"paste(share=0.25)"`; empty for none. Its argument
            `share` is that of each epoch's examples which are simulated; see `keras_recipe.data.synthetic`.
        train_share: share of the training examples that a trial sees, above 0 and at most 1: a subset that its seed
            draws, of a learning curve.
        more_data: `Problem.more` of the examples that are trained on besides those of the data; "" for none.
    """

    model: str
    optimizer: str = "adam(learning_rate=0.0003)"
    augmentation: str = ""
    batch_size: int = 32
    epochs: int = 30
    patience: int | None = None
    schedule: str = ""
    label_smoothing: float = 0.0
    synthetic: str = ""
    train_share: float = 1.0
    more_data: str = ""

    def __post_init__(self) -> None:
        for name in ("model", "optimizer"):
            object.__setattr__(self, name, str(Spec.parse(getattr(self, name))))
        if self.schedule not in SCHEDULES:
            raise ValueError(f"Expected a schedule of {SCHEDULES}. Received {self.schedule!r}.")
        if not 0 < self.train_share <= 1:
            raise ValueError(f"Expected a share of the training split in (0, 1]. Received {self.train_share!r}.")
        object.__setattr__(self, "augmentation", "|".join(map(str, parse_pipeline(self.augmentation))))
        if self.synthetic:
            object.__setattr__(self, "synthetic", str(Spec.parse(self.synthetic)))

    @property
    def all_epochs(self) -> int:
        """Epochs with those of the cooldown."""
        return self.epochs + (-(-self.epochs // COOLDOWN) if self.schedule == "cooldown" else 0)

    def begins_with(self, other: Config) -> bool:
        """Whether a trial of the other is the beginning of one of this: this cools down what the other has trained."""
        return self.schedule == "cooldown" and self.patience is None and other == self.replace(schedule="")

    def replace(self, **changes: Any) -> Config:
        """A copy with these fields."""
        return dataclasses.replace(self, **changes)

    def with_args(self, part: str, **args: Value) -> Config:
        """A copy in which the spec of `part` ("model", "optimizer") has these arguments; `None` removes one."""
        return self.replace(**{part: str(Spec.parse(getattr(self, part)).with_args(**args))})

    def leaves(self) -> dict[str, Value]:
        """Every single thing that can be changed: `{"model": "resnet", "model.depth": 8, "batch_size": 32, ...}`."""
        found: dict[str, Value] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name in ("model", "optimizer"):
                spec = Spec.parse(value)
                found[field.name] = spec.name
                found.update({f"{field.name}.{key}": v for key, v in spec.args})
            else:
                found[field.name] = value
        return found

    @classmethod
    def from_leaves(cls, leaves: dict[str, Any]) -> Config:
        """Inverse of `leaves`."""
        fields = {k: v for k, v in leaves.items() if "." not in k}
        for part in ("model", "optimizer"):
            args = {k.partition(".")[2]: _literal(v) for k, v in leaves.items() if k.startswith(f"{part}.")}
            fields[part] = str(Spec(leaves[part]).with_args(**args))
        return cls(**fields)

    def digest(self) -> str:
        """Twelve hexadecimal digits that identify this config."""
        return digest(self.leaves())


def difference(before: Config, after: Config) -> dict[str, tuple[Value, Value]]:
    """Leaves that differ, with both values. Another builder is one leaf, whatever its arguments."""
    old, new = before.leaves(), after.leaves()
    changed = {key: (old.get(key), new.get(key)) for key in sorted(old | new) if old.get(key) != new.get(key)}
    for part in ("model", "optimizer"):
        if part in changed:
            changed = {k: v for k, v in changed.items() if not k.startswith(f"{part}.")}
    return changed


def _literal(value: Any) -> Value:
    """The value before JSON made a list of its tuples."""
    return tuple(map(_literal, value)) if isinstance(value, list) else value


def digest(value: object) -> str:
    """Twelve hexadecimal digits of the content of anything that JSON can write."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
