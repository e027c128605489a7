"""A person at a browser: headless Chromium, driven by the DevTools protocol."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from websockets.sync.client import ClientConnection, connect

__all__ = ["CHROMIUM", "Chromium", "ROOT_FLAGS", "needs_chromium"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: no page was looked at")
ROOT_FLAGS = ["--no-sandbox"] if os.geteuid() == 0 else []  # chromium has no sandbox for root

_TIMEOUT = 60.0
_FLAGS = [
    "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-quic", "--no-proxy-server", "--remote-debugging-port=0",
    # Names under .test are those of attackers, who have them point wherever they like.
    "--host-resolver-rules=MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--window-size=1000,800",
]  # fmt: skip


class Chromium:
    """One browser with one page. Only servers of this machine can be reached.

    Args:
        scratch: An empty directory for the browser's own files.

    Attributes:
        requested: URLs that pages requested, in order.
        console: What was written to the console, and errors of scripts.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._number = 0
        self._session = ""
        self.requested: list[str] = []
        self.console: list[str] = []

    def __enter__(self) -> Self:
        assert CHROMIUM is not None
        command = [CHROMIUM, *_FLAGS, *ROOT_FLAGS, f"--user-data-dir={self._scratch}", "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port_file = self._scratch / "DevToolsActivePort"
            _until(
                lambda: port_file.is_file() and len(port_file.read_text(encoding="utf-8").splitlines()) == 2,
                "the browser did not start",
            )
            port, path = port_file.read_text(encoding="utf-8").splitlines()
            line = socket.create_connection(("127.0.0.1", int(port)))  # never through a proxy
            address = f"ws://127.0.0.1:{port}{path}"
            self._socket: ClientConnection = connect(address, sock=line, max_size=None, compression=None)
            self._begin_page()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._stop()

    def _begin_page(self) -> None:
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._send(f"{domain}.enable")

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, method: str, **params: Any) -> Any:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while True:
            message = json.loads(self._socket.recv(timeout=_TIMEOUT))
            if message.get("id") != self._number:
                self._note(message)
            elif "error" in message:
                raise BrowserError(f"{method}: {message['error']['message']}")
            else:
                return message["result"]

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requested.append(params["request"]["url"])
            case "Runtime.consoleAPICalled":
                self.console.append(" ".join(str(one.get("value", one.get("type"))) for one in params["args"]))
            case "Runtime.exceptionThrown":
                self.console.append(params["exceptionDetails"]["text"])
            case "Log.entryAdded":
                self.console.append(params["entry"]["text"])

    def open(self, url: str) -> None:
        """Go to an address and wait until its page is there."""
        self._send("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, script: str) -> Any:
        """Run a script in the page and return its value."""
        message = self._send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in message:
            raise BrowserError(f"{script}: {message['result'].get('description')}")
        return message["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until a script is true, also across pages."""

        def holds() -> bool:
            try:
                return bool(self.evaluate(f"!!({script})"))
            except BrowserError:  # the page is just being replaced
                return False

        _until(holds, f"never true in the browser: {script}")

    def click(self, selector: str) -> None:
        """Press the mouse on the middle of an element, found by CSS."""
        quoted = json.dumps(selector)
        self.until(f"document.querySelector({quoted})")
        place = (
            f"(() => {{ const e = document.querySelector({quoted}); e.scrollIntoView({{block: 'center'}});"
            " const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        x, y = self.evaluate(place)
        for kind in ("mousePressed", "mouseReleased"):
            self._send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, selector: str, text: str) -> None:
        """Click on a field and write into it."""
        self.click(selector)
        self._send("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Press a key, such as `Tab` or `Enter`, where the focus is."""
        code = {"Tab": 9, "Enter": 13, "Escape": 27, "Space": 32}.get(key, 0)
        text = {"Enter": "\r", "Space": " "}.get(key, "")
        self._send("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=code, text=text)
        self._send("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)

    @property
    def url(self) -> str:
        """Where the page is."""
        return str(self.evaluate("location.href"))

    @property
    def text(self) -> str:
        """What a person can read on the page."""
        return str(self.evaluate("document.body.innerText"))

    def screenshot(self, path: Path) -> None:
        """Write what is seen to a PNG file."""
        path.write_bytes(base64.b64decode(self._send("Page.captureScreenshot", format="png")["data"]))


class BrowserError(Exception):
    """The browser refused."""


def _until(holds: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while not holds():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.02)
