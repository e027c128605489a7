"""Opens a page in headless Chromium and returns its content, requests and console."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from tests._chromium import CHROMIUM, ROOT_FLAGS

__all__ = ["Visit", "visit"]

_FLAGS = [
    "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-quic", "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr",
    "--virtual-time-budget=60000", "--dump-dom",
]  # fmt: skip


@attrs.frozen
class Visit:
    """The result of a visit to a page.

    Attributes:
        dom: The page as it stands after its scripts have run.
        requested: URLs that the page requested, in order.
        console: What was written to the console.
    """

    dom: str
    requested: list[str]
    console: list[str]


def visit(page: Path, scratch: Path) -> Visit:
    """Open a page from the disk, and let it run until it has nothing left to do.

    Args:
        page: The page.
        scratch: An empty directory for the browser's own files.
    """
    assert CHROMIUM is not None
    log = scratch / "net.json"
    own = [f"--user-data-dir={scratch / 'profile'}", f"--log-net-log={log}"]
    done = subprocess.run(
        [CHROMIUM, *_FLAGS, *ROOT_FLAGS, *own, page.as_uri()],
        check=True,
        capture_output=True,
        encoding="utf-8",
        timeout=180,
    )
    console = [line for line in done.stderr.splitlines() if ":CONSOLE:" in line]
    return Visit(done.stdout, _requested(json.loads(log.read_text(encoding="utf-8"))), console)


def _requested(log: dict[str, Any]) -> list[str]:
    """List the URLs that pages requested. Requests of the browser itself have `not an origin` as their initiator."""
    urls = []
    for event in log["events"]:
        params = event.get("params", {})
        if params.get("initiator", "not an origin") != "not an origin" and urlsplit(params["url"]).scheme != "file":
            urls.append(params["url"])
    return urls
