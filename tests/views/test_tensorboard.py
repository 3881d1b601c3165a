"""TensorBoard logs: right, incremental, written once, and without TensorFlow."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from google.protobuf import text_format
from tensorboard.compat.proto import event_pb2
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

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
    for tag, name in (
        ("2 loss/overfit, train", "loss"),
        ("2 loss/overfit, validation", "val_loss"),
        ("1 accuracy/overfit, train", "score"),
        ("1 accuracy/overfit, validation", "val_score"),
    ):
        steps, points = zip(*curve(logs, "overfit/001-", tag), strict=True)
        assert list(steps) == [1150 * (i + 1) for i in range(12)]
        assert list(points) == pytest.approx(trial.history[name], rel=1e-6)


def test_each_trial_is_a_run_named_by_stage_number_change_and_seed(finished: Path) -> None:
    runs = sorted({run for run, _ in values(write_tensorboard(finished)) if "/" in run})
    assert [r.rsplit("-", 1)[0] for r in runs] == [
        "overfit/001-resnet-depth-8-width-16-seed0",
        "overfit/002-resnet-depth-14-width-32-seed0",
        "regularize/001-augmentation-shift-factor-0.1-seed0",
        "regularize/002-dropout-0.2-seed0",
        "regularize/003-batch-size-16-seed0",
    ]


def test_hparams_hold_every_leaf_and_the_seed(finished: Path) -> None:
    logs = write_tensorboard(finished)
    starts = [v for (_, tag), [(_, v), *_] in values(logs).items() if tag == hparams_metadata.SESSION_START_INFO_TAG]
    held = [
        hparams_metadata.parse_session_start_info_plugin_data(v.metadata.plugin_data.content).hparams  # type: ignore[attr-defined]
        for v in starts
    ]
    trials = select(read(finished), Trial)
    assert sorted(map(sorted, held)) == sorted(sorted([*t.config, "seed", "stage"]) for t in trials)
    assert {h["patience"].string_value for h in held} == {"none"}
    assert {h["augmentation"].string_value for h in held} == {"none", "shift(factor=0.1)"}
    assert {h["batch_size"].number_value for h in held} == {16.0, 32.0}


def test_the_kept_weights_scores_are_metrics_and_the_test_score_is_on_the_evaluated_trial(finished: Path) -> None:
    logs = write_tensorboard(finished)
    assert curve(logs, "regularize/001-", "(objective)/validation accuracy")[0][1] == pytest.approx(0.9667)
    assert [run for run, tag in values(logs) if tag == "(result)/test accuracy"] == list(
        dict.fromkeys(run for run, _ in values(logs) if run.startswith("regularize/001-"))
    )
    assert curve(logs, "regularize/001-", "(result)/test accuracy")[0][1] == pytest.approx(0.9806)


def test_writing_twice_changes_nothing(finished: Path) -> None:
    logs = write_tensorboard(finished)
    before = {p: p.read_bytes() for p in logs.rglob("*") if p.is_file()}
    write_tensorboard(finished)
    assert {p: p.read_bytes() for p in logs.rglob("*") if p.is_file()} == before


def test_written_after_every_record_it_ends_as_if_written_once(
    finished: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    live = tmp_path_factory.mktemp("live")
    for name in ("pictures", "trials", "artifacts"):
        (live / name).symlink_to(finished / name)
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
    picture = found[("pictures", "4 pictures/inspect, label counts")][0][1].tensor.string_val  # type: ignore[attr-defined]
    assert list(picture[:2]) == [b"320", b"120"]
    assert picture[2] == (finished / "pictures/examples.png").read_bytes()
    assert found[("final", "3 final/confusion matrix")][0][1].tensor.string_val[2].startswith(b"\x89PNG")  # type: ignore[attr-defined]
    assert ("final", "3 final/worst mistakes") in found


def test_a_missing_picture_is_told(finished: Path) -> None:
    told = values(write_tensorboard(finished))[("pictures", "4 pictures/baseline, just before the net")][0][1]
    assert b"is not in the run directory any more" in told.tensor.string_val[0]  # type: ignore[attr-defined]


def test_a_broken_picture_is_told_and_stops_nothing(write: Write, build: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    check = CheckRun("c", "inspect", "look", "", (Finding("info", "look", "Look.", artifact="torn.png"),), 0.1)
    found = values(write_tensorboard(write([build.run(), check])))
    assert b"cannot be decoded" in found[("pictures", "4 pictures/inspect, look")][0][1].tensor.string_val[0]  # type: ignore[attr-defined]


def test_text_of_the_data_is_neither_markdown_nor_html() -> None:
    assert escape("<script>a|b</script>\n# *x*") == "&lt;script&gt;a&#124;b&lt;/script&gt; \\# \\*x\\*"


def test_decisions_are_told_one_by_one_and_together(finished: Path) -> None:
    found = values(write_tensorboard(finished))
    assert Counter(run for run, _ in found)["decisions"] == 5
    curve = next(v for (_, tag), v in found.items() if tag.endswith("learning curve"))
    assert "+1.8 points" in curve[0][1].tensor.string_val[0].decode()  # type: ignore[attr-defined]
    table = found[("final", "2 decisions/all")][0][1].tensor.string_val[0].decode()  # type: ignore[attr-defined]
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
    assert ("final", "1 result/verdict") in found
    assert ("final", "3 final/confusion matrix") not in found


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
    assert [run.rsplit("-", 1)[0] for run in runs] == ["regularize/001-batch-size-8-seed0"]


def test_histograms_are_those_beside_the_trial_at_the_examples_seen(finished: Path) -> None:
    logs = write_tensorboard(finished)
    trial = select(read(finished), Trial)[0]
    with np.load(finished / "trials" / trial.key / "histograms.npz") as arrays:
        points = arrays["points"]
    run = next(run for run, _ in values(logs) if run.startswith("overfit/001-"))
    found = {tag: v for (r, tag), v in values(logs).items() if r == run and tag[0] in "567"}
    assert [step for step, _ in found["5 weights/01 conv2d/kernel"]] == [0, 11 * trial.examples]
    tensor = found["7 updates/02 dense/kernel"][1][1].tensor  # type: ignore[attr-defined]
    bins = np.frombuffer(tensor.tensor_content, "float32").reshape(-1, 3)
    assert (bins[0, 0], bins[-1, 1]) == (-1, 1)
    assert bins[:, 2].tolist() == points[1, 2, 1, 2:].tolist()
    assert "6 gradients/01 conv2d/kernel" not in found
    assert "6 gradients/02 dense/kernel" in found


def test_a_trial_without_histograms_has_its_curves(write: Write, build: SimpleNamespace) -> None:
    found = values(write_tensorboard(write([build.run(), build.trial("overfit", build.small, 0, 0.9)])))
    assert {tag[0] for _, tag in found if tag[0].isdigit()} == {"1", "2"}


def test_each_stage_has_a_chart_of_training_against_validation(finished: Path) -> None:
    found = [v[0][1] for (_, tag), v in values(write_tensorboard(finished)).items() if tag.startswith("custom_scalars")]
    layouts = [layout_pb2.Layout.FromString(v.tensor.string_val[0]) for v in found]  # type: ignore[attr-defined]
    assert [c.title for layout in layouts for c in layout.category] == [
        "overfit: training against validation",
        "regularize: training against validation",
    ]
    tags = {tag for _, tag in values(finished / "tensorboard")}
    shown = [t for layout in layouts for c in layout.category for chart in c.chart for t in chart.multiline.tag]
    assert len(shown) == 8
    for pattern in shown:
        assert len([t for t in tags if re.match(pattern, t)]) == 1


def test_the_objective_comes_first_on_the_first_page_and_in_the_table_of_hyperparameters(finished: Path) -> None:
    tags = {tag for run, tag in values(write_tensorboard(finished)) if run.startswith(("overfit", "regularize"))}
    tags = {t for t in tags if not t.startswith(("_", "custom"))}
    assert min(tags) == "(objective)/validation accuracy"  # by character, as the table sorts
    digits_first = sorted(tags, key=lambda t: (not t[0].isdigit(), t))  # as the first page sorts
    assert digits_first[:2] == ["1 accuracy/overfit, train", "1 accuracy/overfit, validation"]
    assert digits_first[-1].startswith("(")


def test_precision_and_recall_of_each_class(finished: Path) -> None:
    found = values(write_tensorboard(finished))
    value = found[("final", "test split/rose")][0][1]
    data = np.frombuffer(value.tensor.tensor_content, "float32").reshape(6, 101)  # type: ignore[attr-defined]
    assert data[:, 0].tolist() == pytest.approx([40, 20, 0, 0, 2 / 3, 1])
    assert data[4:, -1].tolist() == [0, 0]
    assert len([tag for _, tag in found if tag.startswith("test split/")]) == 3


def test_the_projector_finds_features_labels_and_thumbnails(finished: Path) -> None:
    run = write_tensorboard(finished) / "final"
    config = text_format.Parse((run / "projector_config.pbtxt").read_text(), ProjectorConfig())
    (shown,) = config.embeddings
    assert list(shown.tensor_shape) == [10, 5]
    rows = (run / shown.tensor_path).read_text().splitlines()
    assert [len(row.split("\t")) for row in rows] == [5] * 10
    told = (run / shown.metadata_path).read_text().splitlines()
    assert told[:2] == ["example\tis", "photo 0 of <b>\tdaisy"]
    assert len(told) == 11
    assert list(shown.sprite.single_image_dim) == [32, 32]
    assert (run / shown.sprite.image_path).is_file()


def test_a_new_model_replaces_the_projector_s_files(finished: Path) -> None:
    run = write_tensorboard(finished) / "final"
    path = finished / "artifacts" / "embedding.npz"
    with np.load(path) as arrays:
        other = dict(arrays) | {"features": np.zeros((10, 2), "float32")}
    np.savez(path, **other)
    os.utime(path, (2e9, 2e9))
    write_tensorboard(finished)
    assert set((run / "penultimate_layer.tsv").read_text().split()) == {"0"}


def test_without_a_model_s_end_there_is_neither_projector_nor_curve(write: Write, build: SimpleNamespace) -> None:
    logs = write_tensorboard(write(build.regression()))
    assert not list(logs.rglob("projector_config.pbtxt"))
    assert not [tag for _, tag in values(logs) if tag.startswith("test split/")]


def test_a_run_that_is_not_there_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "keras_recipe.views.serve", str(tmp_path / "nothing"), "6006"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "nothing" in done.stderr
    assert "Traceback" not in done.stderr
