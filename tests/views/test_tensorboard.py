"""TensorBoard logs: right, incremental, written once, and without TensorFlow."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from tensorboard.compat.proto import event_pb2
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.plugins.hparams import metadata as hparams_metadata

from keras_recipe.core.journal import Journal, read, select
from keras_recipe.core.records import CheckRun, Finding, Record, Trial
from keras_recipe.views.events import escape
from keras_recipe.views.tensorboard import write_tensorboard

Write = Callable[[Iterable[Record]], Path]


def events(path: Path) -> list[event_pb2.Event]:
    """Events of one file, its checksums verified."""
    found, data = [], path.read_bytes()
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        body = data[12 : 12 + size]
        assert struct.unpack("<I", data[8:12]) == (masked_crc32c(data[:8]),)
        assert struct.unpack("<I", data[12 + size : 16 + size]) == (masked_crc32c(body),)
        found.append(event_pb2.Event.FromString(body))
        data = data[16 + size :]
    return found


def values(logs: Path) -> dict[tuple[str, str], list[tuple[int, object]]]:
    """(run, tag) -> [(step, summary value)]."""
    found: dict[tuple[str, str], list[tuple[int, object]]] = {}
    for path in sorted(logs.rglob("*tfevents*")):
        for event in events(path):
            for value in event.summary.value:
                run = path.parent.relative_to(logs).as_posix()
                found.setdefault((run, value.tag), []).append((event.step, value))
    return found


def curve(logs: Path, trial: str, tag: str) -> list[tuple[int, float]]:
    (points,) = [v for (run, name), v in values(logs).items() if trial in run and name == tag]
    return [(step, value.tensor.float_val[0]) for step, value in points]  # type: ignore[attr-defined]


def test_every_file_begins_with_the_version_that_readers_look_for(finished: Path) -> None:
    files = list(write_tensorboard(finished).rglob("*tfevents*"))
    assert files
    assert {events(f)[0].file_version for f in files} == {"brain.Event:2"}


def test_curves_have_one_point_an_epoch_at_the_number_of_examples_seen(finished: Path) -> None:
    logs = write_tensorboard(finished)
    trial = select(read(finished), Trial)[0]
    for tag, name in (("loss/train", "loss"), ("loss/validation", "val_loss"), ("score/train", "score")):
        steps, points = zip(*curve(logs, "overfit/01-", tag), strict=True)
        assert list(steps) == [1150 * (i + 1) for i in range(12)]
        assert list(points) == pytest.approx(trial.history[name], rel=1e-6)


def test_each_trial_is_a_run_named_by_stage_number_change_and_seed(finished: Path) -> None:
    runs = sorted({run for run, _ in values(write_tensorboard(finished)) if "/" in run})
    assert [r.rsplit("-", 1)[0] for r in runs] == [
        "overfit/01-resnet-depth-8-width-16-seed0",
        "overfit/02-resnet-depth-14-width-32-seed0",
        "regularize/01-augmentation-shift-factor-0.1-seed0",
        "regularize/02-dropout-0.2-seed0",
        "regularize/03-batch-size-16-seed0",
    ]


def test_hparams_hold_every_leaf_and_the_seed(finished: Path) -> None:
    logs = write_tensorboard(finished)
    starts = [v for (_, tag), [(_, v), *_] in values(logs).items() if tag == hparams_metadata.SESSION_START_INFO_TAG]
    held = [
        hparams_metadata.parse_session_start_info_plugin_data(v.metadata.plugin_data.content).hparams  # type: ignore[attr-defined]
        for v in starts
    ]
    trials = select(read(finished), Trial)
    assert sorted(map(sorted, held)) == sorted(sorted([*t.config, "seed"]) for t in trials)
    assert {h["patience"].string_value for h in held} == {"none"}
    assert {h["augmentation"].string_value for h in held} == {"none", "shift(factor=0.1)"}
    assert {h["batch_size"].number_value for h in held} == {16.0, 32.0}


def test_the_kept_weights_scores_are_metrics_and_the_test_score_is_on_the_evaluated_trial(finished: Path) -> None:
    logs = write_tensorboard(finished)
    assert curve(logs, "regularize/01-", "kept weights/validation score")[0][1] == pytest.approx(0.9667)
    assert [run for run, tag in values(logs) if tag == "kept weights/test score"] == [
        run for run, tag in values(logs) if tag == "loss/train" and run.startswith("regularize/01-")
    ]
    assert curve(logs, "regularize/01-", "kept weights/test score")[0][1] == pytest.approx(0.9806)


def test_writing_twice_changes_nothing(finished: Path) -> None:
    logs = write_tensorboard(finished)
    before = {p: p.read_bytes() for p in logs.rglob("*") if p.is_file()}
    write_tensorboard(finished)
    assert {p: p.read_bytes() for p in logs.rglob("*") if p.is_file()} == before


def test_written_after_every_record_it_ends_as_if_written_once(
    finished: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    live = tmp_path_factory.mktemp("live")
    (live / "pictures").symlink_to(finished / "pictures")
    journal = Journal(live)
    for record in read(finished):
        journal.append(record)
        write_tensorboard(live)
    journal.close()
    together = values(write_tensorboard(finished))
    apart = values(live / "tensorboard")
    assert {k: len(v) for k, v in apart.items()} == {k: len(v) for k, v in together.items()}


def test_a_file_that_a_killed_process_left_half_is_no_event_file(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            write_tensorboard(finished)
    assert list((finished / "tensorboard").rglob("*tfevents*")) == []
    assert len(values(write_tensorboard(finished))) > 40


def test_no_tag_of_a_run_holds_two_kinds_of_data(finished: Path) -> None:
    kinds: dict[tuple[str, str], set[str]] = {}
    for key, points in values(write_tensorboard(finished)).items():
        kinds[key] = {v.metadata.plugin_data.plugin_name for _, v in points}  # type: ignore[attr-defined]
    assert all(len(k) == 1 for k in kinds.values())


def test_pictures_are_those_of_the_findings_and_the_confusion_matrix(finished: Path) -> None:
    found = values(write_tensorboard(finished))
    picture = found[("pictures", "inspect/label_counts")][0][1].tensor.string_val  # type: ignore[attr-defined]
    assert list(picture[:2]) == [b"320", b"120"]
    assert picture[2] == (finished / "pictures/examples.png").read_bytes()
    assert found[("final", "final/confusion_matrix")][0][1].tensor.string_val[2].startswith(b"\x89PNG")  # type: ignore[attr-defined]
    assert ("final", "final/confident_mistakes") in found


def test_a_missing_picture_is_told(finished: Path) -> None:
    told = values(write_tensorboard(finished))[("pictures", "baseline/just_before_the_net")][0][1]
    assert b"is not in the run directory any more" in told.tensor.string_val[0]  # type: ignore[attr-defined]


def test_a_broken_picture_is_told_and_stops_nothing(write: Write, build: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    check = CheckRun("c", "inspect", "look", "", (Finding("info", "look", "Look.", artifact="torn.png"),), 0.1)
    found = values(write_tensorboard(write([build.run(), check])))
    assert b"cannot be decoded" in found[("pictures", "inspect/look")][0][1].tensor.string_val[0]  # type: ignore[attr-defined]


def test_text_of_the_data_is_neither_markdown_nor_html() -> None:
    assert escape("<script>a|b</script>\n# *x*") == "&lt;script&gt;a&#124;b&lt;/script&gt; \\# \\*x\\*"


def test_decisions_are_told_one_by_one_and_together(finished: Path) -> None:
    found = values(write_tensorboard(finished))
    assert Counter(run for run, _ in found)["decisions"] == 5
    curve = next(v for (_, tag), v in found.items() if tag.endswith("learning curve"))
    assert "+1.8 points" in curve[0][1].tensor.string_val[0].decode()  # type: ignore[attr-defined]
    table = found[("final", "final/decisions")][0][1].tensor.string_val[0].decode()  # type: ignore[attr-defined]
    assert table.count("\n") == 5
    assert "rejected" in table


def test_a_decision_shows_the_gain_that_was_expected_beside_the_one_that_was_measured(
    write: Write, build: SimpleNamespace
) -> None:
    decision = build.decision("regularize", "dropout", build.small, build.large, (0.02, 0.01, 0.03), True)
    silent = replace(decision, key="silent", expected=None)
    found = values(write_tensorboard(write([build.run(), replace(decision, expected=0.005), silent])))
    told = [v[0][1].tensor.string_val[0].decode() for (run, _), v in found.items() if run == "decisions"]  # type: ignore[attr-defined]
    assert all("| expected | gain |" in table for table in told)
    assert "| +0.50 points | +2.00 points |" in told[0]
    assert "|  | +2.00 points |" in told[1]


def test_regression_has_no_confusion_matrix(write: Write, build: SimpleNamespace) -> None:
    found = values(write_tensorboard(write(build.regression())))
    assert ("final", "final/score") in found
    assert ("final", "final/confusion_matrix") not in found


def test_views_import_neither_tensorflow_nor_keras_nor_pandas(finished: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from keras_recipe.views import console, report, tensorboard\n"
        "report.write_report(Path(sys.argv[1])); tensorboard.write_tensorboard(Path(sys.argv[1]))\n"
        "print(sorted({m.partition('.')[0] for m in sys.modules} & {'tensorflow', 'keras', 'pandas', 'matplotlib'}))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(finished)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_report_needs_no_tensorboard_and_no_numpy(finished: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from keras_recipe.views.report import write_report\n"
        "write_report(Path(sys.argv[1])); print(sorted({'tensorboard', 'numpy', 'PIL', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(finished)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_trial_is_named_by_its_change_of_the_last_rung_while_nothing_was_accepted(
    write: Write, build: SimpleNamespace
) -> None:
    trials = [build.trial("overfit", build.small, 0, 0.9), build.trial("overfit", build.large, 0, 0.9)]
    trials.append(build.trial("regularize", build.large.replace(batch_size=8), 0, 0.9))
    runs = {run for run, _ in values(write_tensorboard(write([build.run(), *trials]))) if run.startswith("reg")}
    assert [run.rsplit("-", 1)[0] for run in runs] == ["regularize/01-batch-size-8-seed0"]
