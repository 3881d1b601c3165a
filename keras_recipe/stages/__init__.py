"""The essay's table of contents: stages are functions `(study, config) -> config`."""

from __future__ import annotations

from collections.abc import Iterable

from keras_recipe.core.records import Finding


class Blocked(Exception):  # noqa: N818 - it is an outcome, not a fault of the program
    """A finding stops the recipe: nothing built on top of it could be trusted."""

    def __init__(self, stage: str, findings: Iterable[Finding]) -> None:
        self.stage, self.findings = stage, tuple(findings)
        super().__init__(f"stage {stage}: " + "; ".join(f.message for f in self.findings))
