"""Report and logs follow a run; what goes wrong with them is told, and ends no training."""

from __future__ import annotations

from pathlib import Path

import pytest

from keras_recipe import watch
from keras_recipe.core.records import Plan

RECORD = Plan("plan/x", "overfit", "x", 1, "because")


@pytest.fixture
def watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> watch.Watch:
    monkeypatch.setattr(watch, "VIEWS_EVERY", -1.0)
    return watch.Watch(watch.Silent(), tmp_path)


def failing(error: Exception):  # type: ignore[no-untyped-def]
    def write(directory: Path) -> None:
        raise error

    return write


@pytest.mark.parametrize("error", [ZeroDivisionError("no bins"), OSError("cannot write mode F as PNG")])
def test_a_view_that_fails_is_told_and_the_run_goes_on(
    watching: watch.Watch, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(watch, "write_tensorboard", lambda directory: None)
    monkeypatch.setattr(watch, "write_report", failing(error))
    with pytest.warns(RuntimeWarning, match=f"{type(error).__name__}: {error}"):
        watching.record(RECORD)


def test_a_full_disk_is_not_passed_over(watching: watch.Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "write_tensorboard", failing(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        watching.record(RECORD)
