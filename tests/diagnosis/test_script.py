"""An unmodified script under observation: what it prints, what it leaves, how it ends."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import rich.console

from keras_recipe.core.errors import RecipeError
from keras_recipe.diagnosis.legacy import fits
from keras_recipe.diagnosis.script import diagnose_script
from keras_recipe.views.diagnosis import write

SCRIPT = """
import sys
import numpy as np
import keras

keras.utils.set_random_seed(1)
generator = np.random.default_rng(0)
y = np.arange(400) % 2
x = generator.normal(size=(400, 3)) + 2 * y[:, None]
model = keras.Sequential([
    keras.Input((3,)),
    keras.layers.Dense(8, activation="relu"),
    keras.layers.Dense(1, activation="ACTIVATION", name="verdict"),
])
model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
model.fit(x, y, epochs=6, validation_split=0.25, verbose=0)
print("trained", sys.argv[1:])
"""


def written(place: Path, activation: str = "sigmoid", extra: str = "") -> Path:
    path = place / "train.py"
    path.write_text(SCRIPT.replace("ACTIVATION", activation) + extra)
    return path


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-m", "keras_recipe", "diagnose", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_names_the_cause_the_layer_and_the_line(tmp_path: Path) -> None:
    script, to = written(tmp_path, "softmax"), tmp_path / "findings.json"
    done = run(str(script), "--rows", "7", "--json", str(to), "--budget", "30s")
    assert done.returncode == 1, done.stderr
    assert "last-activation" in done.stdout
    found = json.loads(to.read_text())
    assert set(found) >= {"ok", "findings", "seconds"}
    (fault,) = (f for f in found["findings"] if f["severity"] == "ERROR")
    assert fault["cause"] == "last-activation"
    assert fault["layer"] == "verdict"
    line = next(i for i, text in enumerate(script.read_text().splitlines(), 1) if "verdict" in text)
    assert fault["location"].endswith(f"train.py:{line}")
    assert "trained" not in done.stdout, "the script stops at its fit"


def test_a_healthy_script_goes_on_with_its_own_arguments_and_trains_as_if_nobody_had_looked(tmp_path: Path) -> None:
    script = written(tmp_path, extra="np.save(sys.argv[1], model.predict(x, verbose=0))\n")
    done = run("--continue", str(script), str(tmp_path / "watched.npy"))
    assert done.returncode == 0, done.stderr
    assert "trained" in done.stdout
    assert "healthy" in done.stdout
    subprocess.run([sys.executable, script, tmp_path / "alone.npy"], check=True, capture_output=True)
    import numpy as np

    np.testing.assert_allclose(np.load(tmp_path / "watched.npy"), np.load(tmp_path / "alone.npy"), atol=1e-5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("print('no model here')", "0 calls"),
        ("from keras.layers.core import Dense", "from keras.layers import"),
        ("import keras\nkeras.optimizers.SGD(lr=0.1)", "learning_rate="),
        ("1 / 0", "ZeroDivisionError at"),
        ("import sys; sys.exit(3)", "exit status 3"),
    ],
)
def test_what_stops_a_script_is_said(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "other.py"
    path.write_text(text)
    kept = list(sys.argv), list(sys.path)
    with pytest.raises(RecipeError, match=said):
        diagnose_script(path)
    assert (sys.argv, sys.path) == kept


def test_the_second_fit_is_diagnosed_where_it_is_asked_for(tmp_path: Path) -> None:
    text = SCRIPT.replace("ACTIVATION", "sigmoid").replace('print("trained"', "model.fit(x, y, epochs=2, verbose=0)\n#")
    path = tmp_path / "two.py"
    path.write_text(text)
    (first,), (second,) = diagnose_script(path), diagnose_script(path, fit="2")
    line = next(i for i, row in enumerate(text.splitlines(), 1) if "epochs=2" in row)
    assert second.location.endswith(f"two.py:{line}")
    assert first.location != second.location
    assert len(diagnose_script(path, fit="all")) == 2


def test_no_such_script() -> None:
    with pytest.raises(RecipeError, match="no file"):
        diagnose_script("missing.py")
    with pytest.raises(RecipeError, match="--fit"):
        diagnose_script(__file__, fit="last")


def test_a_script_is_told_of_its_other_fits_and_of_what_older_keras_understood_otherwise(tmp_path: Path) -> None:
    older = "def older():\n    return keras.layers.Conv2D(8, 3, 3), keras.optimizers.SGD(0.1, decay=1e-6)\n"
    (found,) = diagnose_script(written(tmp_path, extra=older + "model.fit(x, y, epochs=2, verbose=0)\n"))
    told = {f.check: f for f in found.faults}
    assert "(8, (3, 3), ...)" in told["positional_kernel"].patch
    assert told["positional_kernel"].location == told["decay_dropped"].location != ""
    assert found.ok, "neither is proved to do harm"
    console = rich.console.Console(record=True, width=200, file=io.StringIO())
    write(console, found)
    said = console.export_text()
    assert "2 calls of fit in this script: --fit all" in said
    assert f"{len(found.checked)} checks: " in said
    assert all(name in said.replace("\n", " ") for name in found.checked)


def test_calls_of_fit_are_those_of_models() -> None:
    assert fits(b"scaler.fit(x)\nmodel.fit(x, y, epochs=3)\nfor _ in range(2): other.fit(a, verbose=0)") == 2
