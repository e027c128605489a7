"""Opens a page in headless Chromium and tells what became of it."""

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
    """What a browser did with a page.

    Attributes:
        dom: The page as it stands after its scripts have run.
        requested: Addresses that the page asked the network for, in the order of asking.
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
    """List what pages asked for; what the browser asks for itself has `not an origin` as its initiator."""
    found = []
    for event in log["events"]:
        told = event.get("params", {})
        if told.get("initiator", "not an origin") != "not an origin" and urlsplit(told["url"]).scheme != "file":
            found.append(told["url"])
    return found
