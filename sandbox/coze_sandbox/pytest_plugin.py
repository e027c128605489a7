"""Fixtures for pytest: load with `-p coze_sandbox.pytest_plugin` or in `pytest_plugins`.

- `coze_sandbox`: a running sandbox, as new for every test.
- `coze_sandbox_server`: the same server for the whole session, not reset.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ._sandbox import Sandbox

__all__ = ["coze_sandbox", "coze_sandbox_server"]


@pytest.fixture(scope="session")
def coze_sandbox_server() -> Iterator[Sandbox]:
    """Run one sandbox for the session: one per test would cost a tenth of a second each."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def coze_sandbox(coze_sandbox_server: Sandbox) -> Iterator[Sandbox]:
    """Give a sandbox as new, and fail the test on answers that are not as described."""
    coze_sandbox_server.reset()
    yield coze_sandbox_server
    assert not coze_sandbox_server.violations
