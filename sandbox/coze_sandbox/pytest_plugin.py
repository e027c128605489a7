"""Fixtures for pytest, available when `cozekit[sandbox]` is installed.

- `coze_sandbox`: a running sandbox, reset for every test.
- `coze_scenario`: its `Scenario`, to stub replies, responses and outcomes.
- `coze_sandbox_server`: the server of the session, which is not reset.
- `coze_sandbox_options`: its options; override it to return other attributes of `Options`.

The sandbox is imported when a test requests it, so that other test suites start as fast as without it.
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
    """Return the options of the sandbox. Override it in a conftest to change them."""
    return {}


@pytest.fixture(scope="session")
def coze_sandbox_server(coze_sandbox_options: Mapping[str, Any]) -> Iterator[Sandbox]:
    """Run one sandbox per session: one per test would take a tenth of a second each."""
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
    """Reset the sandbox, and fail the test if a response violates the description."""
    coze_sandbox_server.reset()
    yield coze_sandbox_server
    assert not coze_sandbox_server.violations


@pytest.fixture
def coze_scenario(coze_sandbox: Sandbox) -> Scenario:
    """Return the scenario of the test's sandbox."""
    return coze_sandbox.scenario
