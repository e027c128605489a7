"""The vendor's SDK, unchanged, as a client of the sandbox."""

from __future__ import annotations

import warnings
from typing import Any

import attrs
import httpx

from coze_sandbox import Sandbox

with warnings.catch_warnings(record=True):
    import cozepy

__all__ = ["Official", "cozepy", "rounds"]


@attrs.define
class Official:
    """The cozepy client of a sandbox, and all that it sent.

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
        """Record a request, with its body."""
        request.read()
        self.sent.append(request)

    def adopt(self, app: Any) -> Any:
        """Make an OAuth app send its requests by the HTTP client that records them."""
        app._requester._sync_client = self.http
        return app


def rounds(condition: Any, sandbox: Sandbox) -> None:
    """Advance the sandbox's clock until *condition* is true."""
    for _ in range(20):
        if condition():
            return
        sandbox.clock.advance(5)
    raise AssertionError("the condition did not become true")
