"""Settings for all tests."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
import pytest

# Failed asserts of helper modules show their values, as those of tests do.
pytest.register_assert_rewrite(
    *(f"tests.{folder.parent.name}" for folder in Path(__file__).parent.glob("*/__init__.py"))
)

# Named like its entry point, so that pytest loads the plugin once, whether or not the project is installed.
pytest_plugins = ["coze_sandbox.pytest_plugin"]


def pytest_configure() -> None:
    """Make tests independent of how they were started and of how busy the machine is."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # under nohup and in background jobs of scripts
        signal.signal(signal.SIGINT, signal.default_int_handler)  # also for processes that tests start
    for phase in ("connect", "read", "write", "pool"):  # for clients that tests create without a timeout
        setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, phase, 60.0)


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of tests marked `anyio`."""
    return "asyncio"
