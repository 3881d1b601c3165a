"""The console: one readable line a record, nothing wider than the screen, nothing at all when quiet."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import rich.console
from rich.cells import cell_len

from keras_recipe.core.journal import read
from keras_recipe.core.progress import Progress
from keras_recipe.core.records import CheckRun, Finding, Plan
from keras_recipe.views.console import Console, bill, summary
from keras_recipe.views.lines import wrap

NBSP = "\u00a0"


def screen(width: int = 200, terminal: bool = False) -> tuple[io.StringIO, rich.console.Console]:
    out = io.StringIO()
    return out, rich.console.Console(
        file=out, width=width, force_terminal=terminal, color_system=None, legacy_windows=False, _environ={}
    )


def console(output: rich.console.Console, quiet: bool = False) -> Console:
    return Console(budget=600.0, elapsed=lambda: 75.0, quiet=quiet, output=output)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the time that the console sees."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, 1000.0 + seconds)


def test_every_meaningful_record_has_its_line(finished: Path) -> None:
    out, output = screen()
    view = console(output)
    for record in read(finished):
        view.record(record)
    printed = out.getvalue().replace(NBSP, " ").splitlines()
    assert len(printed) == 17  # the header, 4 findings, 5 trials, 4 decisions, a plan, a curve, the evaluation
    for said in (
        "01:15 ! inspect: warning: 7 images are in two splits.",
        "01:15 ✓ baseline: Loss at initialisation is that of chance. (expected 1.099, measured 1.102)",
        "01:15 · overfit: resnet(depth=8, width=16), seed 0: validation 91.0 %, training 99.9 %",
        "01:15 + regularize: accepted shift, augmentation none → shift(factor=0.1): +1.67 points [+0.42 to +2.92]",
        "01:15 − regularize: rejected dropout, dropout none → 0.2: +0.20 points [−0.80 to +1.20]",
        "01:15 i regularize: learning curve: twice the data would bring +1.8 points (0.9 to 2.6)",
        "01:15 · regularize: skipped larger_model: 12 s were left",
        "01:15 ✓ test accuracy 98.1 % (95 % interval 96.1 to 99.0 %, 360 examples)",
    ):
        assert any(line.startswith(said) for line in printed), said


def test_scores_before_a_header_are_plain_numbers(build: SimpleNamespace) -> None:
    out, output = screen()
    console(output).record(build.trial("overfit", build.small, 0, 0.91))
    assert "validation 0.910" in out.getvalue()


@pytest.mark.parametrize("width", [30, 40, 60, 80])
def test_no_line_is_wider_than_the_screen(finished: Path, width: int) -> None:
    out, output = screen(width, terminal=True)
    view = console(output)
    for record in read(finished):
        view.record(record)
        what = "resnet(depth=14, width=32) 花の分類"
        view.progress(Progress("regularize", what, 3, 30, {"loss": 0.1, "val_loss": 0.3}))
    view.reused(3)
    view.close()
    lines = [line for part in out.getvalue().split("\x1b[2K") for line in part.split("\n")]
    visible = [line.replace("\x1b[1A", "").replace("\x1b[?25l", "").replace("\x1b[?25h", "") for line in lines]
    assert max(cell_len(line.replace("\r", "")) for line in visible) <= width


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("colour", [False, True])
def test_in_a_log_file_a_record_is_a_line_whatever_its_length(finished: Path, width: int, colour: bool) -> None:
    out = io.StringIO()
    system = "standard" if colour else None
    # As where a log asks for colour: FORCE_COLOR makes rich take it for a terminal.
    output = rich.console.Console(
        file=out, width=width, force_terminal=colour, force_interactive=False, color_system=system, _environ={}
    )
    view = console(output)
    for record in read(finished):
        view.record(record)
        view.progress(Progress("regularize", "seed 0", 3, 30, {"loss": 0.1, "val_loss": 0.3}))
    view.close()
    lines = out.getvalue().splitlines()
    assert len(lines) == 18  # 17 records that have a line, and one sign of life
    assert all("01:15 " in line for line in lines)
    assert max(map(len, lines)) > width
    for code in ("\x1b[1A", "\x1b[2K", "\r"):
        assert code not in out.getvalue()
    assert ("\x1b[" in out.getvalue()) is colour


def test_a_log_that_asks_for_colour_gets_no_live_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clock: Callable[[float], None]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    view = Console(budget=600.0, elapsed=lambda: 75.0)
    for second in range(3):
        clock(second)
        view.progress(Progress("overfit", "mlp()", second, 100, {"loss": 0.5}))
    view.close()
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "\x1b[2K" not in printed
    assert "\x1b[?25l" not in printed


@pytest.mark.parametrize("width", [40, 60, 100])
def test_the_live_lines_say_stage_move_trial_time_to_go_best_score_and_budget_left(
    width: int, clock: Callable[[float], None], build: SimpleNamespace
) -> None:
    out, output = screen(width, terminal=True)
    view = console(output)
    view.record(build.run())
    view.record(build.trial("overfit", build.small, 0, 0.91))
    view.trying("shift_picture")
    tried = build.small.replace(augmentation="shift(factor=0.1)")
    for second in range(1, 4):
        clock(second)
        view.progress(Progress("regularize", "seed 1", second, 9, {"loss": 0.5, "val_score": 0.934}, tried.leaves()))
    last = " ".join(out.getvalue().split("\x1b[2K")[-1].replace(NBSP, " ").split())
    view.close()
    assert "regularize: shift picture: augmentation shift(factor=0.1), seed 1" in last
    assert "epoch 3/9, 6.0 s to go, loss 0.500, validation 93.4 %" in last
    assert "best 91.0 %, 8 min 45 s of 10 min left" in last


def test_the_best_of_an_error_is_the_lowest_and_parts_of_the_data_do_not_count(
    clock: Callable[[float], None], build: SimpleNamespace
) -> None:
    out, output = screen()
    view = console(output)
    run, _, _ = build.regression()
    view.record(run)
    for score in (60_000.0, 50_000.0, 55_000.0):
        view.record(build.trial("overfit", build.small, int(score), score))
    view.record(build.trial("regularize", build.small.replace(train_share=0.5), 0, 10_000.0))
    view.progress(Progress("regularize", "seed 1", 1, 9, {"loss": 0.5}))
    assert "best 50,000, " in out.getvalue()


def test_words_are_broken_only_where_one_alone_is_too_wide() -> None:
    assert wrap(f"a score of 98{NBSP}% on_the_whole_set", 11) == ["a score of", f"98{NBSP}%", "on_the_whol", "e_set"]


def test_quiet_prints_nothing(finished: Path) -> None:
    out, output = screen(terminal=True)
    view = console(output, quiet=True)
    for record in read(finished):
        view.record(record)
        view.progress(Progress("overfit", "mlp()", 1, 2, {"loss": 1.0}))
    view.reused(3)
    view.close()
    assert out.getvalue() == ""


def test_text_of_the_data_is_neither_markup_nor_a_terminal_command() -> None:
    out, output = screen()
    nasty = Finding("info", "classes", "Rarest: [red]rose[/red] \x1b[2J\r\nsecond line")
    console(output).record(CheckRun("c", "inspect", "look", "", (nasty,), 0.1))
    assert out.getvalue() == "01:15 i inspect: Rarest: [red]rose[/red] [2J second line\n"


def test_a_log_file_gets_a_sign_of_life_every_ten_seconds(clock: Callable[[float], None]) -> None:
    out, output = screen()
    view = console(output)
    for second in range(25):
        clock(second)
        view.progress(Progress("overfit", "mlp()", second, 100, {"loss": 0.5}))
    assert [line.split("epoch ")[1].split("/")[0] for line in out.getvalue().splitlines()] == ["0", "10", "20"]


def test_other_work_shows_how_much_of_it_is_done(clock: Callable[[float], None]) -> None:
    out, output = screen()
    view = console(output)
    view.progress(Progress("inspect", "reading pictures", 600, 1200, {}))
    clock(20)
    view.progress(Progress("inspect", "looking for wrong labels", 0, 1, {}))
    first, second = out.getvalue().splitlines()
    assert "inspect: reading pictures ██████······ 600 of 1,200, " in first
    assert "inspect: looking for wrong labels, " in second


def test_a_terminal_shows_a_line_a_thread_and_the_time_left(clock: Callable[[float], None]) -> None:
    out, output = screen(terminal=True)
    view = console(output)
    view.progress(Progress("overfit", "first", 1, 9, {"loss": 0.5}))
    clock(1)
    other = threading.Thread(target=view.progress, args=(Progress("overfit", "second", 2, 9, {"loss": 0.5}),))
    other.start()
    other.join()
    last = out.getvalue()
    view.close()
    assert "overfit: first, epoch 1/9" in last.split("\x1b[2K")[-1]
    assert "overfit: second, epoch 2/9" in last.split("\x1b[2K")[-1]
    assert f"8{NBSP}min 45{NBSP}s of 10{NBSP}min left" in last


def test_a_terminal_is_drawn_at_most_four_times_a_second(clock: Callable[[float], None]) -> None:
    out, output = screen(terminal=True)
    view = console(output)
    for tick in range(100):
        clock(tick / 100)
        view.progress(Progress("overfit", "mlp()", tick, 100, {}))
    drawn = out.getvalue().count("left")
    view.close()
    assert 2 <= drawn <= 5


def test_records_that_are_used_again_are_counted() -> None:
    out, output = screen()
    view = console(output)
    view.reused(0)
    assert out.getvalue() == ""
    view.reused(1234)
    assert f"1,234{NBSP}records of an earlier run of this command reused" in out.getvalue()


def test_the_last_lines_give_score_interval_and_unbroken_paths(finished: Path) -> None:
    model = finished / ("long" * 60) / "model.keras"
    said = summary(read(finished), model, finished / "report.html", finished / "tensorboard")
    assert "test accuracy 98.1 % (95 % interval 96.1 to 99.0 %)" in said.replace(NBSP, " ").replace("  ", " ")
    for path in (model, finished / "report.html", finished / "tensorboard"):
        assert any(line.endswith(str(path)) for line in said.splitlines())


def test_the_last_lines_of_a_run_without_a_model_name_none(build: SimpleNamespace) -> None:
    said = summary([build.run(), *build.studies()], Path("model.keras"), Path("report.html"), Path("tensorboard"))
    assert said.startswith("Not finished:")
    assert "model.keras" not in said


def test_what_was_left_out_is_said_as_skipped_and_specs_stay_as_written() -> None:
    out, output = screen()
    view = console(output)
    view.record(Plan("skip/regularize/larger_model", "regularize", "larger_model", None, "12 s were left"))
    view.record(Plan("plan/overfit/e", "overfit", "epochs of small_cnn(width=16)", 3, "of the budget"))
    assert out.getvalue().splitlines() == [
        "01:15 · regularize: skipped larger model: 12 s were left",
        "01:15 · overfit: epochs of small_cnn(width=16) 3: of the budget",
    ]


@pytest.mark.parametrize("width", [40, 60, 120])
def test_the_bill_fits_the_screen(finished: Path, width: int) -> None:
    printed = bill(read(finished), width)
    assert max(cell_len(line) for line in printed.splitlines()) <= width
    words = " ".join(printed.replace(NBSP, " ").split())
    assert "2 accepted, 2 rejected; 1 skipped" in words
    assert "overfit 16 s" in words
    if width == 120:
        assert "+ shift, augmentation none → shift(factor=0.1) +1.67 points (+0.42 to +2.92) 3 8.2 s" in words


def test_the_bill_is_that_of_accepted_moves_and_the_largest_effects(build: SimpleNamespace) -> None:
    records: list[object] = [build.run()]
    for i in range(30):
        after = build.large.replace(batch_size=100 + i)
        figures = (0.001 * i, -0.01, 0.02) if i else (0.0001, 0.00005, 0.02)
        records.append(build.trial("regularize", after, 0, 0.9))
        records.append(build.decision("regularize", f"move_{i}", build.large, after, figures, i == 0))
    printed = bill(records, 120).replace(NBSP, " ")  # type: ignore[arg-type]
    assert [i for i in range(30) if f" move {i}," in printed] == [0, *range(21, 30)]
    assert "1 accepted, 29 rejected, 20 of them not shown" in printed


def test_without_moves_there_is_no_bill(build: SimpleNamespace) -> None:
    assert bill([build.run()], 80) == ""


def test_what_was_given_up_has_a_line_and_what_was_begun_has_none() -> None:
    out, output = screen()
    view = console(output)
    value = {"batch_size": [32, 16]}
    view.record(Plan("begun/key", "regularize", "begun", [0.1], "3 epochs", 2.5))
    view.record(Plan("hopeless/regularize/smaller_batch/a/b", "regularize", "smaller_batch", value, "hopeless after 3"))
    (line,) = out.getvalue().splitlines()
    assert "regularize: gave up smaller batch, batch size 32 → 16: hopeless after 3" in line
