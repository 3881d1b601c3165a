"""Runs side by side: what differs in config, data and score, with an interval. Neither trains nor needs TensorFlow."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_recipe.compare import compare_intervals, compare_models
from keras_recipe.core import journal
from keras_recipe.core.comparison import Comparison, Contrast, Side
from keras_recipe.core.config import Config
from keras_recipe.core.errors import RecipeError
from keras_recipe.core.records import OUTCOMES, Evaluation, Objective, Record
from keras_recipe.views.story import best_trial

OF_DATA = ("name", "kind", "task", "shape", "classes", "target", "loss", "sizes", "split_by", "added")
"""Entries of a problem's summary that say what the data is."""


def compare_runs(directories: Sequence[str | Path]) -> Comparison:
    """Compare the runs in these directories with the first of them.

    Scores on the same examples are compared one by one, by what each model gained with each of them; where the examples
    differ, or a run has left no such record, by their intervals alone, which is said.

    Raises:
        RecipeError: there are fewer than two directories, or one of them holds no run.
    """
    folders = [Path(d) for d in directories]
    if len(folders) < 2:
        told = str(folders[0]) if folders else "nothing"
        raise RecipeError("two run directories or more", told, "name another one: compare runs/a runs/b")
    records = [journal.read(folder) for folder in folders]
    objectives = [journal.run_of(r).objective for r in records]
    sides = tuple(_side(str(d), r) for d, r in zip(directories, records, strict=True))
    notes = [f"{s.directory} is not finished: it has no test score" for s in sides if s.score is None]
    same = len({o.metric for o in objectives}) == 1
    if not same:
        each = ", ".join(f"{s.directory} by {o.metric}" for s, o in zip(sides, objectives, strict=True))
        notes.append(f"scores of different metrics are not compared: {each}")
    found = tuple(_contrasts(folders, records, sides, objectives[0])) if same else ()
    return Comparison(
        objectives[0].metric if same else "",
        objectives[0].higher_is_better,
        sides,
        found,
        _different([s.data for s in sides]),
        _different([s.config for s in sides]),
        _different([s.run for s in sides]),
        tuple(notes),
    )


def _side(directory: str, records: list[Record]) -> Side:
    run, end, best = journal.run_of(records), journal.evaluation_of(records), best_trial(records)
    validation = end.validation_score if end is not None else best.score if best is not None else None
    leaves = end.config if end is not None else best.config if best is not None else {}
    # With what was no leaf yet when it was written.
    config = dict(Config.from_leaves(leaves).leaves()) if leaves else {}
    members = {"members": max(len(end.members), 1)} if end is not None else {}
    data = {name: run.problem[name] for name in OF_DATA if run.problem.get(name) not in (None, "", [])}
    return Side(
        directory,
        str(run.problem.get("name", "")),
        end.score if end is not None else None,
        end.low if end is not None else None,
        end.high if end is not None else None,
        end.examples if end is not None else 0,
        validation,
        config | members,
        data | {"metric": run.objective.metric, "fingerprint": run.fingerprint},
        {"seed": run.seed, "budget": run.budget} | run.versions | _said(run.settings),
    )


def _said(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings that the user has chosen."""
    return {k: v for k, v in settings.items() if v is not None}


def _different(values: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Names whose values are not the same in all, with one value each; None where there is none."""
    names = dict.fromkeys(name for each in values for name in each)
    rows = {name: [each.get(name) for each in values] for name in names}
    return {name: row for name, row in rows.items() if any(v != row[0] for v in row)}


def _contrasts(
    folders: Sequence[Path], records: Sequence[list[Record]], sides: Sequence[Side], objective: Objective
) -> Iterator[Contrast]:
    ends = [journal.evaluation_of(r) for r in records]
    outcomes = [_outcomes(folder) for folder in folders]
    first = ends[0]
    for end, own, side in list(zip(ends, outcomes, sides, strict=True))[1:]:
        if first is None or end is None:
            continue
        for split in ("test", "validation"):
            why = _unpaired(first, end, outcomes[0], own, split)
            if not why:
                effect = compare_models(objective.metric, outcomes[0][split], own[split])
            elif split == "test":
                effect = compare_intervals(_scored(first), _scored(end), 1 if objective.higher_is_better else -1)
            else:
                continue  # a validation score has no interval of its own
            examples = end.examples if split == "test" else len(own[split])
            yield Contrast(side.directory, split, not why, why, examples, effect.gain, effect.low, effect.high)


def _scored(end: Evaluation) -> tuple[float, float, float]:
    return end.score, end.low, end.high


def _unpaired(
    first: Evaluation, other: Evaluation, before: dict[str, np.ndarray], after: dict[str, np.ndarray], split: str
) -> str:
    """Why two models cannot be compared example by example; "" where they can."""
    if not first.judged.get(split) or not other.judged.get(split):
        return "a run was made before it was recorded which examples it was judged on"
    if first.judged[split] != other.judged[split]:
        return f"the {split} splits hold different examples or labels"
    if split not in before or split not in after or len(before[split]) != len(after[split]):
        return f"{OUTCOMES} of a run is missing or cannot be read"
    return ""


def _outcomes(folder: Path) -> dict[str, np.ndarray]:
    """What a run's model gained with each example, by split; empty where the file is not there, or broken."""
    try:
        with np.load(folder / OUTCOMES, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile):
        return {}
