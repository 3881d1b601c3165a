"""A finished run goes on with more data: from its config, on the same validation examples, to a second reading."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from keras_recipe.core import journal as journals
from keras_recipe.core.config import Config
from keras_recipe.core.errors import RecipeError
from keras_recipe.core.records import CheckRun, Decision, Evaluation, Plan, Run, Trial
from keras_recipe.data import load
from keras_recipe.learner import Learner
from keras_recipe.problem import Problem
from keras_recipe.recipe import Recipe, Result
from keras_recipe.stages.overfit import default_config
from keras_recipe.training import run_trial

MODEL = "mlp(depth=1, width=16)"


def clouds(n: int, seed: int, wrong: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Two overlapping clouds in many dimensions, and perhaps a name for each that is the other's."""
    generator = np.random.default_rng(seed)
    y = np.arange(n) % 2
    x = generator.normal(size=(n, 40)) + 1.5 * (2 * y[:, None] - 1) / np.sqrt(40)
    return x.astype("float32"), 1 - y if wrong else y


def problem(more: object = None) -> Problem:
    return load(clouds(1000, 0), validation=0.45, test=0.45, more=more, name="clouds")


def run(directory: Path, data: Problem, **options: object) -> Result:
    return Recipe(data, directory, 600.0, model=MODEL, moves=(), **options).run()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on a hundred examples."""
    directory = tmp_path_factory.mktemp("first") / "run"
    run(directory, problem())
    return directory


@pytest.fixture(scope="module")
def helped(first: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run, gone on with eight hundred more."""
    directory = tmp_path_factory.mktemp("helped") / "run"
    shutil.copytree(first, directory)
    run(directory, problem(clouds(800, 1)))
    return directory


def of(directory: Path, kind: type) -> list:  # type: ignore[type-arg]
    return journals.select(journals.read(directory), kind)


def test_more_data_that_helps_is_accepted_and_the_test_is_read_again(first: Path, helped: Path) -> None:
    decision = of(helped, Decision)[0]
    assert decision.move == "more_data"
    assert decision.accepted
    assert decision.low > 0
    assert decision.seeds in (3, 5, 7)
    assert decision.change == {"more_data": ["", problem(clouds(800, 1)).more]}
    old, new = of(helped, Evaluation)
    assert old == of(first, Evaluation)[0]
    assert (old.reads, new.reads) == (1, 2)
    assert new.config["more_data"]
    assert new.score > old.score
    assert len(of(helped, Run)) == 2
    assert (helped / "model.keras").read_bytes() != (first / "model.keras").read_bytes()


def test_old_trials_are_used_again_and_the_split_stays(first: Path, helped: Path) -> None:
    before = [t.key for t in of(first, Trial)]
    assert [t.key for t in of(helped, Trial)][: len(before)] == before
    assert len({t.key for t in of(helped, Trial)}) == len(of(helped, Trial))
    split = [(d / "split.csv").read_text().splitlines() for d in (first, helped)]
    assert [line for line in split[1] if "added" not in line] == split[0]
    assert sum(line.startswith('train,"added') for line in split[1]) == 800


def test_the_report_says_that_the_test_set_was_read_a_second_time(first: Path, helped: Path) -> None:
    said = "The test set was read a second time, after the run went on with more data"
    assert said in (helped / "report.html").read_text()
    assert said not in (first / "report.html").read_text()
    assert any(c.check == "more_data" for c in of(helped, CheckRun))


def test_a_trial_without_the_more_data_is_the_same_beside_it() -> None:
    plain, grown = problem(), problem(clouds(800, 1))
    config = Config(MODEL, epochs=2)
    trials = [run_trial(Learner(p), config, 0).trial for p in (plain, grown)]
    assert trials[0].history == trials[1].history
    assert trials[0].train_score == trials[1].train_score
    with pytest.raises(ValueError, match="without more data"):
        run_trial(Learner(plain), config.replace(more_data="abc"), 0)


def test_the_same_command_again_changes_nothing(helped: Path) -> None:
    count = len(journals.read(helped))
    run(helped, problem(clouds(800, 1)))
    assert len(journals.read(helped)) == count


def test_a_run_that_was_killed_goes_on_to_the_same_journal(first: Path, helped: Path, tmp_path: Path) -> None:
    lines = (helped / journals.FILE).read_text().splitlines(keepends=True)
    begun = next(i for i, line in enumerate(lines) if '"type": "Run"' in line and i)
    shutil.copytree(first, tmp_path / "run")
    (tmp_path / "run" / journals.FILE).write_text("".join(lines[: begun + 3]))
    run(tmp_path / "run", problem(clouds(800, 1)))
    timeless = ("seconds", "startup_seconds", "inherited_seconds")
    for old, new in zip(journals.read(helped), journals.read(tmp_path / "run"), strict=True):
        values = [{k: v for k, v in vars(r).items() if k not in timeless} for r in (old, new)]
        assert values[0] == values[1]


def test_more_data_that_hurts_is_rejected_and_the_model_stays(first: Path, tmp_path: Path) -> None:
    directory = tmp_path / "run"
    shutil.copytree(first, directory)
    result = run(directory, problem(clouds(800, 1, wrong=True)))
    given_up = [p for p in of(directory, Plan) if p.key.startswith("hopeless/regularize/more_data/")]
    assert given_up or [d.accepted for d in of(directory, Decision)] == [False]
    assert result.evaluation.reads == 1
    assert result.score == of(first, Evaluation)[0].score
    assert (directory / "model.keras").read_bytes() == (first / "model.keras").read_bytes()
    assert "the test set was not read again" in result.report.read_text()


def test_a_run_goes_on_a_second_time_with_what_came_later_behind_the_first(first: Path, tmp_path: Path) -> None:
    directory = tmp_path / "run"
    shutil.copytree(first, directory)
    run(directory, problem(clouds(200, 1)))
    before = (directory / journals.FILE).read_bytes()
    with pytest.raises(RecipeError, match="with other --more-data"):
        run(directory, problem(clouds(1600, 2)))
    assert (directory / journals.FILE).read_bytes() == before
    both = problem([clouds(200, 1), clouds(1600, 2)])
    result = run(directory, both)
    decision = of(directory, Decision)[-1]
    assert decision.move == "more_data"
    assert decision.change == {"more_data": [problem(clouds(200, 1)).more, both.more]}
    assert decision.accepted
    assert result.evaluation.config["more_data"] == both.more
    assert result.evaluation.reads == 3
    assert "a third time" in result.report.read_text()


def test_what_does_not_go_together_is_told(helped: Path, first: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="without --more-data"):
        run(helped, problem())
    with pytest.raises(RecipeError, match="settings"):
        Recipe(problem(clouds(800, 2)), helped, 600.0, model="linear()", moves=()).run()
    (tmp_path / "half").mkdir()
    lines = (first / journals.FILE).read_text().splitlines(keepends=True)
    (tmp_path / "half" / journals.FILE).write_text("".join(lines[:3]))
    with pytest.raises(RecipeError, match="not finished"):
        run(tmp_path / "half", problem(clouds(800, 1)))


def test_the_budget_is_counted_from_where_the_run_goes_on(helped: Path) -> None:
    opened = journals.Journal(helped)
    lines = (helped / journals.FILE).read_text().splitlines()
    opened.close()
    elapsed = [float(line.rpartition('"elapsed": ')[2].rstrip("}")) for line in lines]
    begun = max(i for i, line in enumerate(lines) if '"type": "Run"' in line)
    assert elapsed[begun] < elapsed[begun - 1]
    assert opened.elapsed < max(elapsed[begun:]) + 5


def test_in_a_new_directory_all_of_it_is_trained_on() -> None:
    grown = problem(clouds(800, 1))
    config = default_config(grown)
    assert config.more_data == grown.more
    assert len(Learner(grown).rows(config, 0)) == len(grown.train) == 900
