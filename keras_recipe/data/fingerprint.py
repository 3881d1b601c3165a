"""What identifies a problem: the data, who is in which part, and what is asked."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import numpy as np

from keras_recipe.core.records import Objective
from keras_recipe.data.parts import Source
from keras_recipe.problem import Signature, Split


def fingerprint(
    read: Source,
    rows: dict[str, np.ndarray],
    splits: dict[str, Split],
    signature: Signature,
    loss: str,
    objective: Objective,
) -> str:
    """Sixteen hexadecimal digits over inputs, rows drawn, labels, signature, loss and objective."""
    digest = hashlib.blake2b(digest_size=8)
    for part in sorted(read.parts):
        digest.update(f"{part}:{read.parts[part].content}".encode())
    for part in sorted(rows):
        digest.update(part.encode() + rows[part].astype("<i8").tobytes())
    for part in sorted(splits):
        digest.update(part.encode() + np.ascontiguousarray(splits[part].y).tobytes())
    asked = {"signature": dataclasses.asdict(signature), "loss": loss, "objective": dataclasses.asdict(objective)}
    digest.update(json.dumps(asked, sort_keys=True).encode())
    return digest.hexdigest()
