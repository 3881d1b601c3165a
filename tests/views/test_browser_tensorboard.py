"""TensorBoard on a run's logs, seen through a browser, at the width of a phone and of a desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keras_recipe.views.tensorboard import write_tensorboard
from tests.views.browser import DEEP, Browser, quiet, serving, shown_images


@pytest.fixture(scope="module")
def tensorboard(handmade: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a TensorBoard that shows a handmade run."""
    run = handmade(tmp_path_factory.mktemp("run"))
    write_tensorboard(run)
    with serving(run) as address:
        yield address


@pytest.mark.parametrize("width", [390, 1280])
def test_the_first_page_begins_with_the_objective(browser: Browser, tensorboard: str, width: int) -> None:
    page = browser.open(tensorboard, width)
    page.wait("document.querySelectorAll('scalar-card').length >= 2")
    assert page.ask("document.querySelector('metrics-card-groups').innerText").strip().startswith("1 accuracy")
    quiet(page)


@pytest.mark.parametrize("width", [390, 1280])
def test_images_have_size(browser: Browser, tensorboard: str, width: int) -> None:
    page = browser.open(f"{tensorboard}/#images", width)
    assert min(shown_images(page)) > 0
    quiet(page)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_table_of_hyperparameters_has_the_trials(browser: Browser, tensorboard: str, width: int) -> None:
    page = browser.open(f"{tensorboard}/#hparams", width)
    told = page.wait(
        "(cells => cells.length >= 5 && cells)"
        f"({DEEP}.filter(e => e.tagName === 'VAADIN-GRID-CELL-CONTENT').map(e => e.innerText.trim())"
        ".filter(t => /^(overfit|regularize) \\d+ /.test(t)))"
    )
    trials = ["overfit 001", "overfit 002", "regularize 001", "regularize 002", "regularize 003"]
    assert sorted(" ".join(t.split()[:2]) for t in told) == trials
    quiet(page)


@pytest.mark.parametrize(
    ("tab", "shown"),
    [
        ("custom_scalars", "overfit: training against validation"),
        ("histograms", "7 updates"),
        ("pr_curves", "test split"),
        ("text", "2 decisions"),
    ],
)
def test_a_tab_shows_its_data(browser: Browser, tensorboard: str, tab: str, shown: str) -> None:
    page = browser.open(f"{tensorboard}/#{tab}")
    page.wait(f"{DEEP}.some(e => e.innerText?.includes({shown!r}))")
    quiet(page)


def test_the_projector_shows_the_examples(browser: Browser, tensorboard: str) -> None:
    page = browser.open(f"{tensorboard}/#projector")
    page.wait(f"{DEEP}.some(e => e.innerText?.includes('Points: 10'))")
    quiet(page)
