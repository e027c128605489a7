"""What all tests share."""

from __future__ import annotations

import pytest

# Named like its entry point, so that pytest loads it once, whether or not the project is installed.
pytest_plugins = ["coze_sandbox.pytest_plugin"]


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of tests marked `anyio`."""
    return "asyncio"
