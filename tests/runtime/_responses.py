"""Clients whose responses are defined in the test."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NoReturn

import httpx
import pytest

from coze_api import AsyncClient, Client

Handler = Callable[[httpx.Request], httpx.Response]
BASE = "https://api.example.com"
SSE = {"content-type": "text/event-stream", "x-tt-logid": "log-1"}


def answer(data: Any = None, *, status: int = 200, headers: dict[str, str] | None = None, **members: Any) -> Handler:
    """Respond to every request with Coze's envelope of *data*."""
    body = {"code": 0, "msg": "", "data": data, **members}
    return lambda request: httpx.Response(status, json=body, headers=headers)


def raw(content: bytes | str, *, status: int = 200, content_type: str = "application/json") -> Handler:
    """Respond to every request with exactly *content*."""
    return lambda request: httpx.Response(status, content=content, headers={"content-type": content_type})


def nothing_sent(request: httpx.Request) -> NoReturn:
    """Fail: no request may be sent."""
    pytest.fail(f"{request.method} {request.url} was sent")


def client(handler: Handler, token: str | None = "pat_secret", **options: Any) -> Client:
    """Create a client whose responses come from *handler*."""
    return Client(BASE, token, http_client=httpx.Client(transport=httpx.MockTransport(handler)), **options)


def async_client(handler: Handler, token: str | None = "pat_secret", **options: Any) -> AsyncClient:
    """Create an async client whose responses come from *handler*."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    return AsyncClient(BASE, token, http_client=http, **options)


class Recorder:
    """A handler that records the requests.

    Attributes:
        requests: The requests so far, with their bodies read.
    """

    def __init__(self, handler: Handler | None = None) -> None:
        self.requests: list[httpx.Request] = []
        self._handler = handler or answer({})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        # A copy, since strategies change a request and send it again.
        self.requests.append(
            httpx.Request(
                request.method, request.url, headers=request.headers, content=content, extensions=request.extensions
            )
        )
        return self._handler(request)

    @property
    def last(self) -> httpx.Request:
        """Return the latest request."""
        return self.requests[-1]

    @property
    def target(self) -> str:
        """Return path and query of the latest request, as sent."""
        return self.last.url.raw_path.decode()

    @property
    def body(self) -> Any:
        """Return the JSON body of the latest request."""
        return json.loads(self.last.content)


class Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A response body in chunks. An exception among them is raised in its turn.

    Attributes:
        given: How many chunks were read.
        closed: Whether the body was closed.
    """

    def __init__(self, *chunks: bytes | Exception) -> None:
        self._chunks = chunks
        self.given = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.given += 1
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


def streaming(*chunks: bytes | Exception, body: Chunks | None = None) -> Handler:
    """Respond to every request with an event stream."""
    return lambda request: httpx.Response(200, headers=SSE, stream=body or Chunks(*chunks))


def event(name: str, data: Any) -> bytes:
    """Encode an event as Coze does."""
    return f"event: {name}\ndata: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()
