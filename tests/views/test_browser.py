"""The browser of the tests sees what it is there to see."""

from __future__ import annotations

from tests.views.browser import Browser

BAD = (
    "data:text/html,<meta name=viewport content='width=device-width'><h1>page</h1>"
    "<img src='https://fonts.example/a.png'><script>console.error('something is wrong'); null.x</script>"
)


def test_it_hears_errors_and_requests_to_other_hosts(browser: Browser) -> None:
    page = browser.open(BAD, width=390)
    page.wait("document.readyState === 'complete'")
    assert page.ask("innerWidth") == 390
    assert any("something is wrong" in e for e in page.errors)
    assert any("Cannot read properties of null" in e for e in page.errors)
    assert page.foreign == ["https://fonts.example/a.png"]


def test_it_leaves_a_quiet_page_alone(browser: Browser) -> None:
    page = browser.open("data:text/html,<h1>page</h1>")
    page.wait("document.readyState === 'complete'")
    assert (page.errors, page.foreign) == ([], [])
