"""What a real run leaves to look at, in a browser, at the width of a phone and of a desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from keras_recipe.core import journal
from keras_recipe.core.records import Trial
from tests.views.browser import DEEP, Browser, quiet, serving, shown_images, whole_and_alone

if TYPE_CHECKING:
    from keras_recipe.problem import Problem
    from keras_recipe.recipe import Result


@pytest.fixture
def run(finished: Callable[[str], tuple[Problem, Result]]) -> Result:
    """Of the recipe on small pictures."""
    return finished("stripes")[1]


@pytest.fixture
def tensorboard(run: Result) -> Iterator[str]:
    """Its address."""
    with serving(run.directory) as address:
        yield address


@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_opens_whole_and_alone(browser: Browser, run: Result, width: int) -> None:
    page = browser.open(run.report.resolve().as_uri(), width)
    assert len(whole_and_alone(page)) >= 4
    assert page.ask("document.querySelectorAll('h1').length") == 1


def test_tensorboard_has_the_trials_and_the_pictures(browser: Browser, run: Result, tensorboard: str) -> None:
    trials = journal.select(journal.read(run.directory), Trial)
    for width in (390, 1280):
        page = browser.open(f"{tensorboard}/#hparams", width)
        page.wait(
            f"{DEEP}.filter(e => e.tagName === 'VAADIN-GRID-CELL-CONTENT'"
            f" && /^[a-z]+ \\d+ [0-9a-f]{{6}}$/.test(e.innerText.trim())).length === {len(trials)}"
        )
        quiet(page)
        page = browser.open(f"{tensorboard}/#images", width)
        assert min(shown_images(page)) > 0
        quiet(page)
