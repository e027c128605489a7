"""The one place that knows httpx."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import httpx

from ._errors import GatewayError

if TYPE_CHECKING:
    from ._request import Request

__all__ = [
    "AsyncHTTPClient", "AsyncHTTPTransport", "Auth", "ConnectError", "ConnectTimeout", "HTTPClient", "HTTPError",
    "HTTPRequest", "HTTPResponse", "HTTPTimeout", "HTTPTransport", "InvalidURL", "NetworkError", "PoolTimeout",
    "StreamError", "TimeoutException", "URL", "UnsupportedProtocol", "authorise", "authorise_async",
    "check_token_answer", "default_limits", "default_ssl", "default_timeout", "is_token_request", "make_timeout",
    "may_be_sent_again", "parse_url", "same_service", "token_request",
]  # fmt: skip

AsyncHTTPClient = httpx.AsyncClient
AsyncHTTPTransport = httpx.AsyncBaseTransport
Auth = httpx.Auth
ConnectError = httpx.ConnectError
ConnectTimeout = httpx.ConnectTimeout
HTTPClient = httpx.Client
HTTPError = httpx.HTTPError
HTTPRequest = httpx.Request
HTTPResponse = httpx.Response
HTTPTimeout = httpx.Timeout
HTTPTransport = httpx.BaseTransport
InvalidURL = httpx.InvalidURL
NetworkError = httpx.NetworkError
PoolTimeout = httpx.PoolTimeout
StreamError = httpx.StreamError
TimeoutException = httpx.TimeoutException
URL = httpx.URL
UnsupportedProtocol = httpx.UnsupportedProtocol


def default_timeout() -> httpx.Timeout:
    """5 s to connect, 60 s between bytes received or sent, 10 s for a free connection."""
    return httpx.Timeout(connect=5.0, read=60.0, write=60.0, pool=10.0)


def default_limits() -> httpx.Limits:
    """At most 100 connections, 20 of them kept for reuse, for 30 s."""
    return httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30.0)


@lru_cache(maxsize=1)
def default_ssl() -> ssl.SSLContext:
    """Trust whom httpx trusts. Reading the certificates takes a tenth of a second."""
    return httpx.create_ssl_context()


def make_timeout(value: Any) -> httpx.Timeout:
    """Make a timeout of seconds, of (connect, read, write, pool) seconds, or of an httpx one."""
    return httpx.Timeout(value)


@lru_cache(maxsize=64)
def parse_url(address: str) -> httpx.URL:
    """Parse an address. Parsing takes a tenth of a small request, and polling asks for the same one again and again."""
    return httpx.URL(address)


_NOT_FOR_TOKENS = (
    "accept", "authorization", "connection", "content-encoding", "content-length", "content-type", "cookie", "expect",
    "host", "transfer-encoding",
)  # fmt: skip
_MARK = "coze_token"


def token_request(request: Request | None, url: httpx.URL, cause: httpx.Request) -> httpx.Request:
    """Make a request for a token, which *cause* needs: with its timeouts and the headers of its client.

    A redirect would carry what it sends to another server; its body refuses to be sent twice.
    """
    headers = httpx.Headers(cause.headers)
    for name in _NOT_FOR_TOKENS:
        headers.pop(name, None)
    extensions = {**cause.extensions, _MARK: True}
    if request is None:
        return httpx.Request("POST", url, extensions=extensions)
    headers.update(request.headers)
    built = httpx.Request(request.method, url, headers=headers, content=request.content, extensions=extensions)
    built.stream = _Once(request.content or b"", request.operation.id)
    return built


def check_token_answer(response: httpx.Response, sent: httpx.Request, operation: str) -> None:
    """Make sure that an answer comes from where a token was asked for.

    Raises:
        GatewayError: A redirect was followed.
    """
    if response.request.url != sent.url:
        raise _redirected(operation)


def _redirected(operation: str) -> GatewayError:
    return GatewayError(
        "the token request was redirected, which is not followed",
        operation=operation,
        hint="The base URL seems to be a web site: use https://api.coze.com or https://api.coze.cn.",
    )


def is_token_request(error: httpx.HTTPError) -> bool:
    """Tell whether it was a request for a token that failed, and so the one that needed the token was not sent."""
    request = getattr(error, "_request", None)
    return request is not None and _MARK in request.extensions


class _Once(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, content: bytes, operation: str) -> None:
        self._left: bytes | None = content
        self._operation = operation

    def _take(self) -> bytes:
        content, self._left = self._left, None
        if content is None:
            raise _redirected(self._operation)
        return content

    def __iter__(self) -> Iterator[bytes]:
        yield self._take()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._take()


def may_be_sent_again(request: httpx.Request) -> bool:
    """Tell whether the body of a request is still there once it was sent."""
    if isinstance(request.stream, httpx.ByteStream):
        return True
    fields = getattr(request.stream, "fields", None)  # of a form with files
    if fields is None:
        return False
    files = [field.file for field in fields if hasattr(field, "file")]
    return all(isinstance(file, str | bytes) or getattr(file, "seekable", lambda: False)() for file in files)


def same_service(url: httpx.URL, base_url: str) -> bool:
    """Tell whether an address belongs to the service at *base_url*: its own host, or www and ws beside api."""
    base = parse_url(base_url)
    scheme = {"wss": "https", "ws": "http"}.get(url.scheme, url.scheme)
    part, _, rest = url.host.partition(".")
    host = f"api.{rest}" if base.host.startswith("api.") and part in {"www", "ws"} else url.host
    ports = {"http": 80, "https": 443}
    return (scheme, host, url.port or ports.get(scheme)) == (
        base.scheme,
        base.host,
        base.port or ports.get(base.scheme),
    )


def authorise(http: httpx.Client, auth: httpx.Auth | None, request: httpx.Request) -> str:
    """Return the Authorization header that a request would be sent with, by *auth* or else by that of the client."""
    auth = http.auth if auth is None else auth
    if auth is None:
        return str(request.headers.get("authorization", ""))
    flow = auth.sync_auth_flow(request)
    try:
        step = next(flow)
        while step is not request:
            step = flow.send(http.send(step, auth=None))
    finally:
        flow.close()
    return str(request.headers.get("authorization", ""))


async def authorise_async(http: httpx.AsyncClient, auth: httpx.Auth | None, request: httpx.Request) -> str:
    """Return the Authorization header that a request would be sent with. See `authorise`."""
    auth = http.auth if auth is None else auth
    if auth is None:
        return str(request.headers.get("authorization", ""))
    flow = auth.async_auth_flow(request)
    try:
        step = await anext(flow)
        while step is not request:
            step = await flow.asend(await http.send(step, auth=None))
    finally:
        await flow.aclose()
    return str(request.headers.get("authorization", ""))
