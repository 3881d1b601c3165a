"""Programs as people write them, with planted faults and without. `scripts/bench_diagnose.py` runs them all."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import keras
import pytest

from keras_recipe.core.diagnosis import CAUSES
from keras_recipe.diagnosis.script import diagnose_script

ZOO, STRANGERS = (Path(__file__).parent / name for name in ("zoo", "strangers"))
"""Programs on which the rule was made, and programs by people who had seen neither it nor those."""

INDEX: list[dict[str, Any]] = json.loads((ZOO / "index.json").read_text())

QUICK = (
    "cancer_frame.py",
    "cancer_frame__softmax.py",
    "circles_subclass__linear.py",
    "digits_mlp__pixels.py",
    "digits_pipeline.py",
    "digits_pydataset__rows_only.py",
    "moons_custom_step__clip.py",
    "records_tfdata__all_scaled.py",
    "wine_tfdata__gaps.py",
    "early_stopping.py",
    "house_multi_output__softmax.py",
    "spiral_sequential__dead.py",
)
"""Programs that take some seconds each, in different styles."""


@pytest.mark.parametrize("zoo", [ZOO, STRANGERS], ids=["zoo", "strangers"])
def test_the_index_names_every_program_and_only_causes_that_there_are(zoo: Path) -> None:
    index = json.loads((zoo / "index.json").read_text())
    assert {e["file"] for e in index} == {p.name for p in (zoo / "programs").glob("*.py")}
    for entry in index:
        assert {cause for wanted in entry["accept"] for cause in wanted} <= set(CAUSES), entry["file"]
        assert entry["healthy"] == (entry["accept"] in ([], [[]])), entry["file"]
        assert entry.get("twin") is None or (zoo / "programs" / entry["twin"]).is_file()


def test_every_cause_is_documented() -> None:
    text = (ZOO.parent.parent / "docs" / "diagnose.md").read_text()
    assert [cause for cause in CAUSES if f"`{cause}`" not in text] == []


@pytest.mark.parametrize("name", QUICK)
def test_a_program_is_diagnosed(name: str) -> None:
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    entry = next(e for e in INDEX if e["file"] == name)
    with contextlib.redirect_stdout(io.StringIO()):
        (found,) = diagnose_script(ZOO / "programs" / name)
    named = {f.cause for f in found.faults if f.severity == "ERROR"}
    if entry["healthy"]:
        assert not named, [f.message for f in found.faults]
    else:
        assert any(named == set(wanted) for wanted in entry["accept"]), [(f.cause, f.message) for f in found.faults]
