"""The vendor's SDK, unchanged, against the sandbox; and what of its requests is not as described."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import anyio
import attrs
import httpx
import pytest
from _judge import judge
from deviations import DEVIATIONS

from coze_sandbox import Sandbox

with warnings.catch_warnings(record=True):
    import cozepy

from coze_sandbox.pytest_plugin import coze_sandbox, coze_sandbox_server

__all__ = ["coze_sandbox", "coze_sandbox_server", "cozepy", "rounds"]


@attrs.define
class Official:
    """The official client of a sandbox, and all that it sent.

    Attributes:
        coze: The client.
        http: Its connections.
        sandbox: The sandbox.
        sent: Its requests.
    """

    coze: cozepy.Coze
    http: cozepy.SyncHTTPClient
    sandbox: Sandbox
    sent: list[httpx.Request] = attrs.Factory(list)

    def note(self, request: httpx.Request) -> None:
        """Keep a request, with its body."""
        request.read()
        self.sent.append(request)

    def adopt(self, app: Any) -> Any:
        """Let an OAuth app send its requests where they are kept."""
        app._requester._sync_client = self.http
        return app


@pytest.fixture
def official(coze_sandbox: Sandbox) -> Iterator[Official]:
    """Give the official client, and fail the test if it sent what is neither described nor a known deviation."""
    http = cozepy.SyncHTTPClient()
    given = Official(cozepy.Coze(cozepy.TokenAuth(coze_sandbox.token), coze_sandbox.base_url, http), http, coze_sandbox)
    http.event_hooks = {"request": [given.note]}
    with http:
        yield given
    known = {key: set(faults) for key, faults in DEVIATIONS.items()}
    found = anyio.run(judge, given.sent)
    unknown = {key: faults - known.get(key, set()) for key, faults in found.items()}
    assert {key: faults for key, faults in unknown.items() if faults} == {}


def rounds(condition: Any, sandbox: Sandbox) -> None:
    """Let the sandbox's time pass until something holds."""
    for _ in range(20):
        if condition():
            return
        sandbox.clock.advance(5)
    raise AssertionError("it did not come about")
