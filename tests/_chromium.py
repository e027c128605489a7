"""A person at a browser: headless Chromium of this machine, driven by Playwright."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, sync_playwright

__all__ = ["CHROMIUM", "Chromium", "ROOT_FLAGS", "needs_chromium"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: no page was looked at")
ROOT_FLAGS = ["--no-sandbox"] if os.geteuid() == 0 else []  # chromium has no sandbox for root

_TIMEOUT_MS = 60_000.0
_FLAGS = [
    "--disable-quic",
    "--no-proxy-server",
    # Names under .test are those of attackers, who have them point wherever they like.
    "--host-resolver-rules=MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


class Chromium:
    """One browser with one page. Only servers of this machine can be reached.

    Args:
        scratch: An empty directory for the browser's own files.

    Attributes:
        page: The page, for what the methods here do not cover.
        requested: URLs that pages requested, in order.
        console: What was written to the console, and errors of scripts.
    """

    page: Page

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._resources = ExitStack()
        self.requested: list[str] = []
        self.console: list[str] = []

    def __enter__(self) -> Self:
        with ExitStack() as resources:
            playwright = resources.enter_context(sync_playwright())
            context = playwright.chromium.launch_persistent_context(
                self._scratch,
                executable_path=CHROMIUM,
                args=[*_FLAGS, *ROOT_FLAGS],
                viewport={"width": 1000, "height": 800},
            )
            resources.callback(context.close)
            context.set_default_timeout(_TIMEOUT_MS)
            self.page = context.pages[0]
            self.page.on("request", lambda request: self.requested.append(request.url))
            self.page.on("console", lambda message: self.console.append(message.text))
            self.page.on("pageerror", lambda error: self.console.append(str(error)))
            self._resources = resources.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def open(self, url: str) -> None:
        """Load an address and wait until its page is complete."""
        self.page.goto(url)

    def evaluate(self, script: str) -> Any:
        """Run a script in the page and return its value."""
        return self.page.evaluate(script)

    def until(self, script: str) -> None:
        """Wait until a script is true, also across pages."""
        # Not by `wait_for_function`, which needs `eval`, and our pages forbid that.
        deadline = time.monotonic() + _TIMEOUT_MS / 1000
        while not self._holds(script):
            assert time.monotonic() < deadline, f"never true in the browser: {script}"
            self.page.wait_for_timeout(20)

    def _holds(self, script: str) -> bool:
        try:
            return bool(self.page.evaluate(f"!!({script})"))
        except PlaywrightError:  # the page is just being replaced
            return False

    def click(self, selector: str) -> None:
        """Press the mouse on the middle of an element, found by CSS."""
        self.page.locator(selector).first.click()

    def type(self, selector: str, text: str) -> None:
        """Click on a field and write into it."""
        self.click(selector)
        self.page.keyboard.insert_text(text)

    def press(self, key: str) -> None:
        """Press a key, such as `Tab` or `Enter`, where the focus is."""
        self.page.keyboard.press(key)

    @property
    def url(self) -> str:
        """Where the page is."""
        return self.page.url

    @property
    def text(self) -> str:
        """What a person can read on the page."""
        return self.page.inner_text("body")

    def screenshot(self, path: Path) -> None:
        """Write what is seen to a PNG file."""
        self.page.screenshot(path=path)
