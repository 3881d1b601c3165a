"""Chromium without a window, driven over two pipes by the Chrome DevTools Protocol; the standard library is enough.

No name but 127.0.0.1 resolves in it, and every request of a page is noted, those of its workers too.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
"""Path of the browser, None where there is none."""

SECONDS = 180.0
"""Longest time to wait for an answer: starting on a busy machine takes seconds."""

OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-default-browser-check",
    "--force-color-profile=srgb", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--enable-unsafe-swiftshader", "--remote-debugging-pipe",
)  # fmt: skip

# The protocol speaks on descriptors 3 and 4.
LAUNCH = (
    "import os, sys; r, w = map(int, sys.argv[1:3]); os.dup2(r, 60); os.dup2(w, 61);"
    "os.dup2(60, 3); os.dup2(61, 4); os.execv(sys.argv[3], sys.argv[3:])"
)


DEEP = """
(() => {
  const found = [];
  const walk = node => {
    for (const child of node.querySelectorAll('*')) {
      found.push(child);
      const inside = child.shadowRoot ?? child.contentDocument;
      if (inside) walk(inside);
    }
  };
  walk(document);
  return found;
})()
"""
"""All elements of a page, those behind shadow roots and in frames too."""


class Browser:
    """A running Chromium. Use it in a `with`; close nothing else."""

    def __init__(self) -> None:
        if PROGRAM is None:
            raise FileNotFoundError("chromium is not installed (Debian: apt-get install chromium)")
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        read, self._to = os.pipe()
        self._from, write = os.pipe()
        command = [PROGRAM, *OPTIONS, f"--user-data-dir={self._profile.name}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(read), str(write), *command],
            pass_fds=(read, write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(read)
        os.close(write)
        self._torn = b""
        self._last = 0
        self.pages: list[Page] = []

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._to)  # which ends it
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._from)
        self._profile.cleanup()

    def open(self, url: str, width: int = 1280, height: int = 900) -> Page:
        """A new page of this size, in CSS pixels, on its way to the address. Below 600 it is a phone's."""
        return Page(self, url, width, height)

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """The answer to a command of the protocol. Raises RuntimeError for an error, TimeoutError for silence."""
        self._last += 1
        number = self._last
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        rest = memoryview(json.dumps(message).encode() + b"\0")
        while rest:
            rest = rest[os.write(self._to, rest) :]
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            for answer in self.listen(end):
                if answer.get("id") == number:
                    if "error" in answer:
                        raise RuntimeError(f"{method}: {answer['error']['message']}")
                    result: dict[str, Any] = answer["result"]
                    return result
        raise TimeoutError(f"{method} was not answered within {SECONDS:.0f} s")

    def listen(self, end: float) -> list[dict[str, Any]]:
        """What the browser says next, once its pages have heard it; [] where it is silent until `end`."""
        if not select.select([self._from], [], [], max(0.0, end - time.monotonic()))[0]:
            return []
        data = os.read(self._from, 1 << 20)
        if not data:
            raise RuntimeError(f"the browser has ended (exit status {self._process.wait()})")
        *whole, self._torn = (self._torn + data).split(b"\0")
        messages = [json.loads(m) for m in whole]
        for message in messages:
            for page in self.pages:
                page.hear(message)
        return messages


class Page:
    """A page, and what happened on it.

    Attributes:
        errors: what it wrote to the console as an error, exceptions that nobody caught, and resources that failed.
        requests: addresses that it asked for.
    """

    def __init__(self, browser: Browser, url: str, width: int, height: int) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._browser = browser
        self._sessions: list[str] = []
        self._later: list[str] = []  # workers that nobody watches yet
        browser.pages.append(self)
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._watch(self.session)
        self.call("Page.enable")
        self.resize(width, height)
        self.call("Page.navigate", url=url)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a command for this page."""
        return self._browser.call(method, self.session, **parameters)

    def _watch(self, session: str) -> None:
        self._sessions.append(session)
        for domain in ("Network", "Runtime", "Log"):
            try:
                self._browser.call(f"{domain}.enable", session)
            except RuntimeError:  # a worker has no log
                continue
        self._browser.call("Target.setAutoAttach", session, autoAttach=True, waitForDebuggerOnStart=False, flatten=True)

    def hear(self, message: dict[str, Any]) -> None:
        """Note what the browser says of this page."""
        if message.get("sessionId") not in self._sessions:
            return
        told = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "assert"):
                self.errors.append(" ".join(str(a.get("value", a.get("description"))) for a in told["args"]))
            case "Runtime.exceptionThrown":
                details = told["exceptionDetails"]
                self.errors.append(str(details.get("exception", {}).get("description", details["text"])))
            case "Log.entryAdded" if told["entry"]["level"] == "error":
                self.errors.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
            case "Target.attachedToTarget":
                self._later.append(told["sessionId"])

    @property
    def foreign(self) -> list[str]:
        """Requests to another host than 127.0.0.1."""
        here = ("data", "blob", "about", "file")
        return [u for u in self.requests if urlsplit(u).scheme not in here and urlsplit(u).hostname != "127.0.0.1"]

    def resize(self, width: int, height: int) -> None:
        """Give the page this size in CSS pixels."""
        phone = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression (JSON values only), its promise awaited. Raises RuntimeError."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", expression))
        return answer["result"].get("value")

    def wait(self, condition: str, seconds: float = SECONDS) -> Any:
        """The value of a JavaScript expression once it is true. Raises TimeoutError."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for session in [self._later.pop() for _ in list(self._later)]:
                self._watch(session)
            value = self.ask(condition)
            if value:
                return value
            self._browser.listen(time.monotonic() + 0.1)
        raise TimeoutError(f"not within {seconds:.0f} s: {condition}")

    def rest(self, seconds: float) -> None:
        """Let the page do what it does for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._browser.listen(end)

    def screenshot(self, path: Path, whole: bool = False) -> Path:
        """The page as it is seen, or the whole of it, as a PNG."""
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            self.resize(self.ask("innerWidth"), round(size["height"]))
            self.rest(0.5)
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
        return path


MEASURE = """
(() => {
  const wide = document.documentElement.clientWidth;
  const scrolls = e => e && e !== document.body
    && (["auto", "scroll", "hidden"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  const out = () => [
    document.documentElement.scrollWidth - wide,
    ...[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > wide + 1
      && !e.closest("svg") && !scrolls(e)).map(e => e.tagName + "." + e.className).slice(0, 5)];
  const folded = out();
  document.querySelectorAll("details").forEach(d => d.open = true);
  return {folded, unfolded: out(), images: [...document.images].map(i => i.naturalWidth)};
})()
"""
"""Pixels by which a page scrolls sideways and what sticks out of it, before and after all is unfolded; pictures."""


def quiet(page: Page) -> None:
    """Nothing went wrong in this page, and it has asked no other host."""
    assert page.errors == []
    assert page.foreign == []


def whole_and_alone(page: Page) -> list[int]:
    """A page that is one file is whole at its width: the widths of its pictures, in pixels."""
    page.wait("document.readyState === 'complete'")
    found = page.ask(MEASURE)
    assert found["folded"] == found["unfolded"] == [0], "overflow in pixels, and what sticks out"
    assert all(width > 0 for width in found["images"])
    assert [u for u in page.requests if not u.startswith("data:")] == page.requests[:1], "nothing is fetched"
    quiet(page)
    return list(found["images"])


def shown_images(page: Page) -> list[int]:
    """Widths of the pictures of TensorBoard's tab of images, in pixels, once three or more are there."""
    return list(
        page.wait(
            "(images => images.length >= 3 && images.every(i => i.complete) && images.map(i => i.naturalWidth))"
            f"({DEEP}.filter(e => e.tagName === 'IMG' && e.src.includes('individualImage')))"
        )
    )


@contextmanager
def serving(run: Path) -> Iterator[str]:
    """The address of a TensorBoard that shows a finished run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "keras_recipe.views.serve", str(run), str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/data/runs", "final")
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(address: str, content: str) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                if content in answer.read().decode():
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"{address} does not say {content!r}")
