"""The command line: train, inspect, diagnose, predict, report, compare, list.

Exit status: 0 done, 1 a finding stopped the recipe, 2 bad input (the message says what to do), 130 interrupted.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import tempfile
import time as clock
from collections import Counter, namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import rich.console
import typer
from rich.markup import escape
from rich.table import Table

from keras_recipe.core.duration import duration
from keras_recipe.core.errors import RecipeError, nearest

if TYPE_CHECKING:
    from keras_recipe.core.registry import Registry
    from keras_recipe.problem import Problem
    from keras_recipe.recipe import Result

app = typer.Typer(
    help="Runs Karpathy's recipe for training neural networks, in Keras, and shows the evidence for every decision.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)

Data = Annotated[
    str,
    typer.Argument(
        help="A folder of class folders of images, a .csv, an .npz, a folder of idx files, or the name of a data set: "
        "digits, fashion_mnist, mnist, cifar10, ...",
        show_default=False,
    ),
]
Target = Annotated[str | None, typer.Option(help="Target column of a .csv (by number where it has no header).")]
Test = Annotated[str | None, typer.Option(help="Test data in a place of its own, or a share such as 0.2.")]
Groups = Annotated[str | None, typer.Option(help="Column whose equal values stay in the same split.")]
Time = Annotated[str | None, typer.Option(help="Column to split by: the latest rows become the test split.")]
TaskName = Annotated[str | None, typer.Option(help="multiclass, binary or regression, where the guess is wrong.")]
Metric = Annotated[
    str | None, typer.Option(help="What decides: accuracy, balanced_accuracy, log_loss; rmse, mae for regression.")
]
Loss = Annotated[str | None, typer.Option(help="What is trained: crossentropy; mse, mae, huber for regression.")]
ImageSize = Annotated[int | None, typer.Option(help="Side that photos are resized to, in pixels.", min=8, max=512)]
SkipCorrupt = Annotated[bool, typer.Option("--skip-corrupt", help="Leave undecodable images out, and say which.")]
Apply = Annotated[
    Path | None,
    typer.Option(help="A suspects.csv of `inspect` with your decisions: fix, drop or keep. The data is not changed."),
]
Seed = Annotated[int, typer.Option(help="Of the split, the weights, the order of the data, everything.", min=0)]
Out = Annotated[Path | None, typer.Option(help="Run directory.", show_default="runs/<name of the data>")]
LookOut = Annotated[
    Path | None, typer.Option("--out", help="Directory.", show_default="runs/<name of the data>-inspect")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on standard output.")]
RunDirectory = Annotated[Path, typer.Argument(help="A run directory that train has written.", show_default=False)]


@app.command()
def train(
    context: typer.Context,
    data: Data,
    target: Target = None,
    test: Test = None,
    budget: Annotated[str, typer.Option(help="Time for all of it: 90s, 10m, 1h.")] = "10m",
    out: Out = None,
    seed: Seed = 0,
    human_score: Annotated[float | None, typer.Option(help="What a person reaches, in the metric's unit.")] = None,
    model: Annotated[str | None, typer.Option(help="First model, such as 'resnet(depth=8, width=16)'.")] = None,
    moves: Annotated[
        str | None,
        typer.Option(
            help="Moves to try, separated by commas, see `list moves`; with a minus before each, all but those: "
            "--moves=-flip_picture,-mix_up."
        ),
    ] = None,
    signals: Annotated[
        Path | None,
        typer.Option(help='Groups of columns to add one by one: a JSON file {"who": ["age", "sex"], ...}.'),
    ] = None,
    synthetic: Annotated[
        str | None, typer.Option(help="Your generator of simulated examples, 'module:function(size=8)'.")
    ] = None,
    task: TaskName = None,
    metric: Metric = None,
    loss: Loss = None,
    groups: Groups = None,
    time: Time = None,
    image_size: ImageSize = None,
    skip_corrupt: SkipCorrupt = False,
    apply: Apply = None,
    more_data: Annotated[
        list[str] | None,
        typer.Option(
            help="More examples in the form of DATA, for training alone. A finished run goes on with them; when still "
            "more have come, give this option again, behind the first."
        ),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Trials at a time.", min=1, show_default="as many as pay")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over: forget what the run directory holds.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only the last lines.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the recipe: look at the data, get baselines, overfit, regularize, evaluate once.

    The same command again goes on where it was. Examples:

      python -m keras_recipe train digits

      python -m keras_recipe train photos/ --budget 30m

      python -m keras_recipe train houses.csv --target price --human-score 60000

      python -m keras_recipe train photos/ --more-data new_photos/
    """
    with _told():
        from keras_recipe.directory import made, start_over
        from keras_recipe.recipe import Recipe
        from keras_recipe.views.console import Console

        began, seconds = clock.monotonic(), duration(budget)
        problem = _load(
            data,
            target=target,
            test=test,
            seed=seed,
            task=task,
            metric=metric,
            loss=loss,
            groups=groups,
            time=time,
            image_size=image_size,
            skip_corrupt=skip_corrupt,
            human_score=human_score,
            edits=apply,
            more=more_data,
        )
        import_tensorflow()
        from keras_recipe.stages.signals import read_signals

        groups_of, expect = read_signals(signals) if signals else (None, None)
        directory = out or Path("runs") / problem.name
        chosen = None if moves is None else [m.strip() for m in moves.split(",") if m.strip()]
        recipe = Recipe(
            problem,
            directory,
            seconds,
            seed,
            model,
            chosen,
            workers,
            observer=lambda journal: Console(seconds, lambda: journal.elapsed, quiet),
            spent=clock.monotonic() - began,
            signals=groups_of,
            expect=expect,
            synthetic=synthetic,
            command=_typed(context),
        )
        if fresh:
            recipe.check()  # a misspelt option must not cost the run that is there
            start_over(made(directory))
        result = recipe.run()
    _print_result(result, as_json)


@app.command()
def inspect(
    data: Data,
    target: Target = None,
    test: Test = None,
    out: LookOut = None,
    seed: Seed = 0,
    task: TaskName = None,
    groups: Groups = None,
    time: Time = None,
    image_size: ImageSize = None,
    apply: Apply = None,
    as_json: AsJson = False,
) -> None:
    """Become one with the data: look at it before any model does, without training anything.

    Corrupt files, duplicates, wrong labels, leaks, shortcuts, outliers, shifts between splits. Writes report.html,
    TensorBoard logs and suspects.csv: write fix, drop or keep into its first column, and give it back with --apply.
    Exit status 1 if something was found that training would refuse. Examples:

      python -m keras_recipe inspect photos/

      python -m keras_recipe inspect houses.csv --target price

      python -m keras_recipe train photos/ --apply runs/photos-inspect/suspects.csv
    """
    with _told(resumes=False):
        from keras_recipe import inspection
        from keras_recipe.core.records import SUSPECTS, to_json
        from keras_recipe.views.console import Console
        from keras_recipe.views.units import plural

        problem = _load(
            data,
            target=target,
            test=test,
            seed=seed,
            task=task,
            groups=groups,
            time=time,
            image_size=image_size,
            edits=apply,
            tolerant=True,
        )
        began = clock.monotonic()
        directory = out or Path("runs") / f"{problem.name}-inspect"
        console = Console(0.0, lambda: clock.monotonic() - began, as_json, tables=True)
        runs = inspection.inspect(problem, directory, seed, console, apply)
    counts = Counter(f.severity for r in runs for f in r.findings)
    if as_json:
        paths = {"report": directory / "report.html", "tensorboard": directory / "tensorboard"}
        paths |= {"suspects": directory / SUSPECTS} if (directory / SUSPECTS).is_file() else {}
        values = {"errors": counts["error"], "warnings": counts["warning"], "checks": [to_json(r) for r in runs]}
        typer.echo(json.dumps(values | {k: str(v) for k, v in paths.items()}, indent=2))
    else:
        typer.echo(f"\n{plural(counts['error'], 'error')}, {plural(counts['warning'], 'warning')}")
        typer.echo(f"report       {directory / 'report.html'}\nTensorBoard  {directory / 'tensorboard'}")
        if (directory / SUSPECTS).is_file():
            typer.echo(f"suspects     {directory / SUSPECTS}")
    if counts["error"]:
        raise typer.Exit(1)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def diagnose(
    context: typer.Context,
    script: Annotated[Path, typer.Argument(help="A Python script that calls model.fit; its arguments follow.")],
    json_to: Annotated[
        str | None, typer.Option("--json", help="Write the findings to this file; - for standard output.")
    ] = None,
    budget: Annotated[str, typer.Option(help="Time for a diagnosis, about: 30s, 2m.")] = "60s",
    fit: Annotated[str, typer.Option(help="Which call of model.fit: 1 for the first, ..., or all.")] = "1",
    go_on: Annotated[bool, typer.Option("--continue", help="Let the script train and end as well.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, only the verdict.")] = False,
) -> None:
    """Find the silent bug in a Keras training script, and prove it.

    Runs the unmodified script as python would, up to its model.fit. Suspicious things are repaired on a copy and
    trained as long as the script would; what helps is named, with the figures. Nothing of the script is changed.
    Options go before or after the script; arguments that are not known here go to the script, and all after --.
    Exit status 0: nothing is proved to be wrong, 1: something is, 2: it could not be run. Examples:

      python -m keras_recipe diagnose train.py

      python -m keras_recipe diagnose train.py --json findings.json --budget 2m

      python -m keras_recipe diagnose --fit 2 train.py -- --epochs 10
    """
    with _told(resumes=False):
        import_tensorflow()
        from keras_recipe.diagnosis.script import diagnose_script
        from keras_recipe.views.diagnosis import write

        errors = rich.console.Console(stderr=True, highlight=False)
        status = errors.status("running the script") if errors.is_terminal and not quiet else None

        def progress(what: str) -> None:
            if status is not None:
                status.update(escape(what))
            elif not quiet:
                errors.print(f"  {escape(what)}")

        if status is not None:
            status.start()
        try:
            found = diagnose_script(
                script, context.args, budget=duration(budget), fit=fit, go_on=go_on, progress=progress
            )
        finally:
            if status is not None:
                status.stop()
    if json_to is not None:
        values = [d.to_json() for d in found]
        text = json.dumps(values[0] if fit != "all" else values, indent=2, default=float)
        if json_to == "-":
            typer.echo(text)
        else:
            Path(json_to).write_text(text + "\n")
    if json_to != "-":
        console = rich.console.Console(highlight=False)
        for each in found:
            write(console, each)
    if not all(d.ok for d in found):
        raise typer.Exit(1)


@app.command()
def predict(
    directory: RunDirectory,
    inputs: Annotated[
        list[Path], typer.Argument(help="A folder or files of images, an .npz or a .csv.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Table to write: path or row, prediction, one probability a class.")] = Path(
        "predictions.csv"
    ),
) -> None:
    """Use a trained model on new data."""
    with _told():
        import_tensorflow()
        from keras_recipe.prediction import predict_to_csv

        count = predict_to_csv(directory, inputs, out)
    typer.echo(f"{count:,} predictions in {out}", err=True)


@app.command()
def report(directory: RunDirectory) -> None:
    """Write report.html of a run again, from its journal."""
    with _told():
        from keras_recipe.views.report import write_report

        typer.echo(write_report(directory))


@app.command()
def compare(
    directories: Annotated[
        list[Path], typer.Argument(help="Run directories; the first is what the others are held against.")
    ],
    as_json: AsJson = False,
) -> None:
    """Put runs side by side: what differs in config, data and score, with an interval.

    Models that were judged on the same examples are compared example by example; where the data or its split differs,
    that is said, and the scores are compared by their intervals. Exit status 0: no run is worse than the first, 1: one
    is, by more than noise, on the test split, 2: something is no run directory. Examples:

      python -m keras_recipe compare runs/a runs/b

      python -m keras_recipe compare runs/main runs/change --json
    """
    with _told(resumes=False):
        from keras_recipe.comparison import compare_runs
        from keras_recipe.views.comparison import write

        found = compare_runs(directories)
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=2))
    else:
        write(rich.console.Console(highlight=False, soft_wrap=not sys.stdout.isatty()), found)
    if found.worse:
        raise typer.Exit(1)


@app.command(name="list")
def list_(
    what: Annotated[
        str, typer.Argument(help="models, moves, augmentations, generators, checks, or all of them.")
    ] = "all",
) -> None:
    """Name what the recipe can use, each with one line and its arguments."""
    with _told():
        known = _registries()
        if what != "all" and what not in known:
            raise RecipeError("something to list", repr(what), nearest(what, [*known, "all"]))
        output = rich.console.Console(highlight=False)
        for kind, registry in known.items():
            if what in ("all", kind):
                output.print(_listed(kind, registry()))
        if what in ("all", "models"):
            output.print(_backbones())


def main() -> None:
    """Entry point of `python -m keras_recipe`."""
    app(prog_name="python -m keras_recipe")


def import_tensorflow() -> None:
    """Import TensorFlow without its start-up notes, which no setting silences; what goes wrong is still said."""
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with tempfile.TemporaryFile() as notes:
        kept = os.dup(2)
        os.dup2(notes.fileno(), 2)
        try:
            import tensorflow as tf

            tf.config.list_physical_devices()
        except BaseException:
            notes.seek(0)
            os.write(kept, notes.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def _told(*, resumes: bool = True) -> Iterator[None]:
    """Turn what may go wrong into a message and an exit status."""
    from keras_recipe.stages import Blocked

    try:
        yield
    except RecipeError as error:
        typer.echo(f"\n{error}", err=True)
        raise typer.Exit(2) from error
    except Blocked as error:
        typer.echo(f"\nStopped in stage {error.stage}:", err=True)
        for finding in error.findings:
            typer.echo(
                f"  {finding.message}\n    expected {finding.expected}, measured {finding.measured}\n"
                f"    {finding.hint}",
                err=True,
            )
        raise typer.Exit(1) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(
            f"\nExpected files that can be read and written.\nReceived {where}{error.strerror or error}.", err=True
        )
        raise typer.Exit(2) from error
    except KeyboardInterrupt as error:
        left = (
            "Nothing is lost: the same command goes on where it was."
            if resumes
            else "Your data is untouched; the same command looks again."
        )
        typer.echo(f"\nInterrupted. {left}", err=True)
        # CPython 3.11 remembers an interrupt that met text being evaluated, and ends in that signal instead of this
        # status, until text is evaluated again (run_eval_code_obj in pythonrun.c): making a namedtuple does.
        namedtuple("Forgotten", "")
        raise typer.Exit(130) from error


LOG_WIDTH = 160
"""Columns of the bill where standard output is no terminal."""

UNSAID = ("fresh", "quiet", "as_json")
"""Options that change nothing of the result; and --fresh, repeated from a report, would take that run away."""


def _typed(context: typer.Context) -> str:
    """The command with what the user gave of its arguments and options."""
    words = ["python", "-m", "keras_recipe", str(context.info_name)]
    for option in context.command.params:
        value, source = context.params[str(option.name)], context.get_parameter_source(str(option.name))
        if option.name in UNSAID or source is None or source.name == "DEFAULT":
            continue
        for each in value if option.multiple else (value,):
            words += [option.opts[0]] if option.param_type_name == "option" else []
            words += [] if getattr(option, "is_flag", False) else [str(each)]
    return shlex.join(words)


def _load(data: str, *, test: str | None, **options: Any) -> Problem:
    from keras_recipe.data import load
    from keras_recipe.data.named import DOWNLOADED

    if not data:
        raise RecipeError("a path, or the name of a data set", "nothing", "say where the data is, for instance photos/")
    decoded = Path(data).is_dir() and not options.get("tolerant")  # TensorFlow decodes pictures, but not to look at
    if decoded or (data in DOWNLOADED and not Path(data).exists()):
        import_tensorflow()
    share = re.fullmatch(r"[\d.]+", test) if test else None
    return load(data, test=float(test) if test and share else test or 0.15, **options)


def _print_result(result: Result, as_json: bool) -> None:
    from keras_recipe.core.journal import read, run_of
    from keras_recipe.views.console import bill, summary

    if not as_json:
        # A log file has no width: room for every line of the bill.
        tried = bill(read(result.directory), rich.console.Console().width if sys.stdout.isatty() else LOG_WIDTH)
        if tried:
            typer.echo("\n" + tried)
        typer.echo("\n" + summary(read(result.directory), result.model_path, result.report, result.tensorboard))
        return
    end = result.evaluation
    metric = run_of(read(result.directory)).objective.metric
    values = {"metric": metric, "score": end.score, "low": end.low, "high": end.high, "examples": end.examples}
    values |= {"validation_score": end.validation_score}
    paths = {"model": result.model_path, "report": result.report, "tensorboard": result.tensorboard}
    typer.echo(json.dumps(values | {"baselines": end.baselines} | {k: str(v) for k, v in paths.items()}))


def _registries() -> dict[str, Callable[[], Registry[Any]]]:
    def models() -> Registry[Any]:
        from keras_recipe.models import MODELS

        return MODELS

    def moves() -> Registry[Any]:
        from keras_recipe.moves import MOVES

        return MOVES

    def augmentations() -> Registry[Any]:
        from keras_recipe.data.augmentations import AUGMENTATIONS

        return AUGMENTATIONS

    def checks() -> Registry[Any]:
        from keras_recipe.checks import CHECKS

        return CHECKS

    def generators() -> Registry[Any]:
        from keras_recipe.data.synthetic import SYNTHETIC

        return SYNTHETIC

    return {
        "models": models,
        "moves": moves,
        "augmentations": augmentations,
        "generators": generators,
        "checks": checks,
    }


def _backbones() -> Table:
    from keras_recipe.models.presets import PRESETS
    from keras_recipe.models.suggestion import at_hand
    from keras_recipe.views.units import count

    here: dict[str, list[str]] = {}
    for preset, alpha, path in at_hand():
        here.setdefault(preset.name, []).append(path.name + ("" if alpha == 1.0 else f" (alpha={alpha})"))
    table = Table(
        title="names for backbone(name=...)", title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="dim"
    )
    table.add_column("name", no_wrap=True)
    table.add_column("parameters", justify="right")
    table.add_column("pretrained weights")
    for name, preset in PRESETS.items():
        published = "downloaded when first used" if preset.has_weights else "none published"
        table.add_row(escape(name), count(preset.parameters), escape("\n".join(here.get(name, [published]))))
    return table


def _listed(kind: str, registry: Registry[Any]) -> Table:
    """Names of a registry by stage; moves and checks in the order in which they are tried."""
    from keras_recipe.views.story import STAGES

    table = Table(title=kind, title_justify="left", box=None, padding=(0, 2, 0, 0), show_header=False)
    sections = registry.by_stage()
    order = list(STAGES)
    for stage in sorted(sections, key=lambda s: order.index(s) if s in order else len(order)):
        for number, name in enumerate(sections[stage]):
            if stage and not number:
                table.add_row(f"[dim]{escape(stage)}[/]", "")
            arguments = ", ".join(f"{k}={v!r}" for k, v in registry.arguments(name).items())
            table.add_row(f"[bold]{escape(name)}[/]({escape(arguments)})", escape(registry.describe(name)))
    return table
