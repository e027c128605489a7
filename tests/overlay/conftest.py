"""Both clients, and a sandbox to call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from _both import Connect, at_once
from anyio.from_thread import BlockingPortal, start_blocking_portal

from coze_sandbox import Sandbox


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep tests apart from what is set on this machine."""
    for name in ("COZE_API_TOKEN", "COZE_API_BASE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv("COZE_PROFILE", raising=False)
    monkeypatch.setenv("COZE_CONFIG_DIR", str(tmp_path / "nobody has logged in"))


@pytest.fixture(scope="session")
def event_loop_elsewhere() -> Iterator[BlockingPortal]:
    """Run an event loop on a thread of its own."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Give a maker of sync clients, then one of async clients that look sync."""
    is_async = request.param == "async"
    maker = Connect(request.getfixturevalue("event_loop_elsewhere") if is_async else None)
    yield maker
    maker.close()


@pytest.fixture
def coze(connect: Connect, coze_sandbox: Sandbox) -> Any:
    """Give a client of the sandbox that retries without waiting."""
    return connect(coze_sandbox.token, base_url=coze_sandbox.base_url, retry=at_once())
