"""Settings for all tests."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
import pytest

# Asserts of helper modules explain themselves as those of tests do.
pytest.register_assert_rewrite(
    *(f"tests.{folder.parent.name}" for folder in Path(__file__).parent.glob("*/__init__.py"))
)

# Named like its entry point, so that pytest loads it once, whether or not the project is installed.
pytest_plugins = ["coze_sandbox.pytest_plugin"]


def pytest_configure() -> None:
    """Make tests independent of how they were started and of how busy the machine is."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as under nohup and in the background of scripts
        signal.signal(signal.SIGINT, signal.default_int_handler)  # for processes that tests start, too
    for phase in ("connect", "read", "write", "pool"):  # of clients that tests make without saying how patient they are
        setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, phase, 60.0)


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of tests marked `anyio`."""
    return "asyncio"
