"""Checks: generator functions that look at a Job and yield Findings. A file added here is found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from keras_recipe.core.records import CheckRun, Finding
from keras_recipe.core.registry import Registry
from keras_recipe.job import Job

CHECKS: Registry[Callable[[Job], Iterator[Finding]]] = Registry("check", __name__)
check = CHECKS.staged


def run_check(name: str, job: Job, stage: str, key: str) -> CheckRun:
    """Run one check and time it."""
    began = time.monotonic()
    findings = tuple(CHECKS.get(name)(job))
    return CheckRun(key, stage, name, CHECKS.describe(name), findings, time.monotonic() - began)
