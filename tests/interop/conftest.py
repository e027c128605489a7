"""The vendor's SDK, unchanged, against the sandbox; and what of its requests is not as described."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Any

import anyio
import attrs
import httpx
import pytest

from coze_sandbox import Sandbox

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns of what its own dependencies will drop
    import cozepy

from coze_sandbox.pytest_plugin import coze_sandbox, coze_sandbox_server

__all__ = ["coze_sandbox", "coze_sandbox_server", "cozepy", "rounds"]


@attrs.define
class Official:
    """The official client of a sandbox, and all that it sent.

    Attributes:
        coze: The client.
        sandbox: The sandbox.
        sent: Its requests.
    """

    coze: cozepy.Coze
    sandbox: Sandbox
    sent: list[httpx.Request] = attrs.Factory(list)

    def note(self, request: httpx.Request) -> None:
        """Keep a request, with its body."""
        request.read()
        self.sent.append(request)


async def judge(requests: list[httpx.Request]) -> dict[str, set[str]]:
    """Hold requests to the description, with no leniency.

    Members that are null are told one by one; then the request is judged without them, since a judge that stops at the
    first fault would not see the others.

    Returns:
        For each operation, or method and path, that was called in a way that is not described, what was wrong.
    """
    strict = Sandbox(lenient=False, examples=True)
    found: dict[str, set[str]] = {}
    transport = httpx.ASGITransport(strict.app)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
            for request in requests:
                nulls: set[str] = set()
                content = request.content
                if "json" in request.headers.get("content-type", "") and content:
                    content = json.dumps(without_nulls(json.loads(content), "body", nulls)).encode()
                headers = {**request.headers, "authorization": f"Bearer {strict.token}"}
                headers.pop("content-length", None)
                path = request.url.raw_path.decode()
                async with http.stream(request.method, path, headers=headers, content=content or None):
                    record = strict.requests[-1]
                faults = {f"{path}: null" for path in nulls}
                faults |= {record.reason} if record.verdict != "ok" else set()
                if faults:
                    found.setdefault(record.operation or f"{record.method} {record.path}", set()).update(faults)
    finally:
        strict.close()
    return found


def without_nulls(value: Any, path: str, nulls: set[str]) -> Any:
    """Copy a body without the members that are null, whose paths are added to *nulls*."""
    if isinstance(value, list):
        return [without_nulls(each, f"{path}[]", nulls) for each in value]
    if not isinstance(value, dict):
        return value
    nulls.update(f"{path}.{name}" for name, member in value.items() if member is None)
    return {
        name: without_nulls(member, f"{path}.{name}", nulls) for name, member in value.items() if member is not None
    }


@pytest.fixture
def official(coze_sandbox: Sandbox) -> Iterator[Official]:
    """Give the official client, and fail the test if it sent what is neither described nor a known deviation."""
    from deviations import DEVIATIONS

    http = cozepy.SyncHTTPClient()
    given = Official(cozepy.Coze(cozepy.TokenAuth(coze_sandbox.token), coze_sandbox.base_url, http), coze_sandbox)
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
