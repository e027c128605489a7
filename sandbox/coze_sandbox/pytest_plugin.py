"""Fixtures for pytest, there as soon as `cozekit[sandbox]` is installed.

- `coze_sandbox`: a running sandbox, as new for every test.
- `coze_scenario`: its `Scenario`, which tells it what to do next.
- `coze_sandbox_server`: the same server for the whole session, not reset.
- `coze_sandbox_options`: how it is made; override it to return other members of `Options`.

What the sandbox needs is imported when a test asks for it, so that other test suites pay nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ._sandbox import Sandbox
    from ._scenario.scenario import Scenario

__all__ = ["coze_sandbox", "coze_sandbox_options", "coze_sandbox_server", "coze_scenario"]


@pytest.fixture(scope="session")
def coze_sandbox_options() -> Mapping[str, Any]:
    """Give the settings of the sandbox. Override it in a conftest to change them."""
    return {}


@pytest.fixture(scope="session")
def coze_sandbox_server(coze_sandbox_options: Mapping[str, Any]) -> Iterator[Sandbox]:
    """Run one sandbox for the session: one per test would cost a tenth of a second each."""
    try:
        from ._sandbox import Sandbox
    except ModuleNotFoundError as error:
        needed = (error.name or "").partition(".")[0]
        reason = f'the sandbox needs {needed}, which is not installed: pip install "cozekit[sandbox]"'
        pytest.fail(reason, pytrace=False)
    with Sandbox(**coze_sandbox_options) as sandbox:
        yield sandbox


@pytest.fixture
def coze_sandbox(coze_sandbox_server: Sandbox) -> Iterator[Sandbox]:
    """Give a sandbox as new, and fail the test on answers that are not as described."""
    coze_sandbox_server.reset()
    yield coze_sandbox_server
    assert not coze_sandbox_server.violations


@pytest.fixture
def coze_scenario(coze_sandbox: Sandbox) -> Scenario:
    """Give what tells the sandbox of this test what to do next."""
    return coze_sandbox.scenario
