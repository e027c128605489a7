"""The vendor's SDK, unchanged, against the sandbox; and what of its requests is not as described."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest

from coze_sandbox import Sandbox
from coze_sandbox.pytest_plugin import coze_sandbox, coze_sandbox_server
from tests.interop._judge import judge
from tests.interop._official import Official, cozepy
from tests.interop.deviations import DEVIATIONS

__all__ = ["coze_sandbox", "coze_sandbox_server", "official"]


@pytest.fixture
def official(coze_sandbox: Sandbox) -> Iterator[Official]:
    """Give a cozepy client, and fail the test if it sent what is neither described nor a known deviation."""
    http = cozepy.SyncHTTPClient()
    client = Official(
        cozepy.Coze(cozepy.TokenAuth(coze_sandbox.token), coze_sandbox.base_url, http), http, coze_sandbox
    )
    http.event_hooks = {"request": [client.note]}
    with http:
        yield client
    known = {key: set(faults) for key, faults in DEVIATIONS.items()}
    faults_by_operation = anyio.run(judge, client.sent)
    unknown = {key: faults - known.get(key, set()) for key, faults in faults_by_operation.items()}
    assert {key: faults for key, faults in unknown.items() if faults} == {}
