"""How many planted faults does `diagnose` name, how often does it cry wolf, and how long does it take?

    python scripts/bench_diagnose.py [--zoo tests/zoo] [--only WORD] [--record FILE] [--budget 60] [--overhead]

Every program of the zoo is run unmodified up to its fit. Prints, over the programs: detected (an ERROR on a faulty
one), recall and precision of the causes named as ERRORs against the nearest acceptable set, false alarms (ERRORs on
healthy ones), median and worst seconds. --only takes programs whose file contains the word.

With --overhead: seconds of a healthy `model.fit` with `callbacks.Diagnose` beside the same without, in turns.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from sklearn.datasets import load_digits

from keras_recipe.callbacks import Diagnose
from keras_recipe.core.errors import RecipeError
from keras_recipe.diagnosis.script import diagnose_script


def main() -> None:
    """Run the zoo, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zoo", type=Path, default=Path("tests/zoo"))
    parser.add_argument("--only", default="")
    parser.add_argument("--record", type=Path)
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--overhead", action="store_true")
    arguments = parser.parse_args()
    if arguments.overhead:
        print(overhead())
        return
    index = json.loads((arguments.zoo / "index.json").read_text())
    known: dict[str, Any] = {}
    if arguments.record and arguments.record.is_file():
        known = json.loads(arguments.record.read_text())
    entries = [e for e in index if arguments.only in e["file"]]
    for entry in entries:
        if entry["file"] not in known:
            known[entry["file"]] = diagnosed(arguments.zoo / "programs" / entry["file"], arguments.budget)
            if arguments.record:
                arguments.record.write_text(json.dumps(known, indent=1))
        print(_line(entry, known[entry["file"]]), flush=True)
    print("\n" + summary(entries, known))


def overhead() -> str:
    """A line with the ratio."""
    x, y = load_digits(return_X_y=True)
    seconds: dict[str, list[float]] = {"without": [], "with": []}
    for turn in range(8):
        for how, each in seconds.items():
            model = keras.Sequential([keras.layers.Dense(64, "relu"), keras.layers.Dense(10, "softmax")])
            model.compile("adam", "sparse_categorical_crossentropy")
            watching = [Diagnose()] if how == "with" else []
            began = time.monotonic()
            model.fit(x / 16, y, epochs=20, verbose=0, validation_split=0.2, callbacks=watching)
            if turn:  # the first one traces what later ones have
                each.append(time.monotonic() - began)
            assert not any(w.symptoms for w in watching)
    medians = {how: float(np.median(each)) for how, each in seconds.items()}
    ratio = medians["with"] / medians["without"]
    return f"fit {medians['without']:.2f} s, watched {medians['with']:.2f} s: {100 * (ratio - 1):+.1f} %"


def diagnosed(path: Path, budget: float) -> dict[str, Any]:
    """Causes by severity, and the seconds that the diagnosis took, of one program."""
    keras.utils.clear_session()
    np.random.seed(0)
    began = time.monotonic()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            found = diagnose_script(path, budget=budget)[0]
    except RecipeError as error:
        return {"failed": str(error), "ERROR": [], "WARNING": [], "seconds": time.monotonic() - began}
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return {"failed": f"{type(error).__name__}: {error}", "ERROR": [], "WARNING": [], "seconds": 0.0}
    causes = {
        grade: list(dict.fromkeys(f.cause for f in found.faults if f.severity == grade))
        for grade in ("ERROR", "WARNING")
    }
    figures = {k: v for k, v in found.figures.items() if isinstance(v, int | float | list)}
    messages = [f"{f.severity} {f.cause}: {f.message} ({f.measured})" for f in found.faults if f.severity != "INFO"]
    return {**causes, "seconds": found.seconds, "figures": figures, "messages": messages}


def nearest(accept: list[list[str]], named: list[str]) -> tuple[float, float]:
    """Recall and precision of named causes against the acceptable set that they meet best."""
    best = (0.0, 0.0)
    for wanted in accept:
        hit = len(set(wanted) & set(named))
        recall = hit / len(wanted) if wanted else 1.0
        precision = hit / len(named) if named else float(not wanted)
        best = max(best, (recall, precision), key=sum)
    return best


def summary(entries: list[dict[str, Any]], known: dict[str, Any]) -> str:
    """The figures, a line each."""
    faulty = [e for e in entries if not e["healthy"]]
    harmful = [e for e in faulty if [] not in e["accept"]]
    healthy = [e for e in entries if e["healthy"]]
    seconds = [known[e["file"]]["seconds"] for e in entries]
    pairs = [nearest(e["accept"], known[e["file"]]["ERROR"]) for e in harmful]
    detected = sum(bool(known[e["file"]]["ERROR"]) for e in harmful)
    alarms = [e["file"] for e in healthy if known[e["file"]]["ERROR"]]
    named = [p for (_, p), e in zip(pairs, harmful, strict=True) if known[e["file"]]["ERROR"]]
    failed = [e["file"] for e in entries if "failed" in known[e["file"]]]
    lines = [
        f"faulty {len(faulty)} ({len(harmful)} harmful), healthy {len(healthy)}",
        f"detected   {detected / max(len(harmful), 1):.3f}",
        f"recall     {np.mean([r for r, _ in pairs] or [0]):.3f}",
        f"precision  {np.mean(named or [0]):.3f}",
        f"false alarms {len(alarms)} of {len(healthy)} {alarms}",
        f"seconds    median {np.median(seconds):.1f}, worst {np.max(seconds):.1f}",
    ]
    return "\n".join([*lines, *([f"could not run: {failed}"] if failed else [])])


def _line(entry: dict[str, Any], found: dict[str, Any]) -> str:
    if entry["healthy"]:
        mark = "FALSE ALARM" if found["ERROR"] else "ok"
    else:
        recall, precision = nearest(entry["accept"], found["ERROR"])
        mark = "ok" if recall == precision == 1 else "MISSED" if not found["ERROR"] else "inexact"
    wanted = "healthy" if entry["healthy"] else " | ".join(" + ".join(each) for each in entry["accept"])
    named = ", ".join(found["ERROR"]) or "-"
    warned = f" (warned: {', '.join(found['WARNING'])})" if found["WARNING"] else ""
    note = f" {found['failed']}" if "failed" in found else ""
    return f"{mark:11} {entry['file']:45} {found['seconds']:5.1f} s  {named}{warned}  <- {wanted}{note}"


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    main()
