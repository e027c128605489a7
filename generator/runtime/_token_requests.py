"""Requests for access tokens, which other requests wait for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from ._errors import GatewayError
from ._http import (
    BODY_LIMIT,
    URL,
    AsyncByteStream,
    ByteStream,
    HTTPError,
    HTTPHeaders,
    HTTPRequest,
    HTTPResponse,
    parse_url,
)
from ._request import Request

__all__ = ["check_token_answer", "is_token_request", "same_service", "token_request"]

_NOT_FOR_TOKENS = (
    "accept", "authorization", "connection", "content-encoding", "content-length", "content-type", "cookie", "expect",
    "host", "transfer-encoding",
)  # fmt: skip


_MARK = "coze_token"


def token_request(request: Request | None, url: URL, cause: HTTPRequest) -> HTTPRequest:
    """Return the request for a token that *cause* needs, with its timeouts and the headers of its client.

    Its body can be sent once: a redirect would send it to another server.
    """
    headers = HTTPHeaders(cause.headers)
    for name in _NOT_FOR_TOKENS:
        headers.pop(name, None)
    extensions = {**cause.extensions, _MARK: True}
    if request is None:
        return HTTPRequest("POST", url, extensions=extensions)
    headers.update(request.headers)
    if BODY_LIMIT in extensions:
        extensions[BODY_LIMIT] = extensions[BODY_LIMIT]._replace(operation=request.operation.id)
    built = HTTPRequest(request.method, url, headers=headers, content=request.content, extensions=extensions)
    built.stream = _Once(request.content or b"", request.operation.id)
    return built


def check_token_answer(response: HTTPResponse, sent: HTTPRequest, operation: str) -> None:
    """Check that a response comes from the URL of its token request.

    Raises:
        GatewayError: A redirect was followed.
    """
    if response.request.url != sent.url:
        raise _redirected(operation)


def _redirected(operation: str) -> GatewayError:
    return GatewayError(
        "the token request was redirected, which is not followed",
        operation=operation,
        hint="The base URL seems to be a web site; use https://api.coze.com or https://api.coze.cn.",
    )


def is_token_request(error: HTTPError) -> bool:
    """Return whether a token request failed, so that the request which needs the token was not sent."""
    request = getattr(error, "_request", None)
    return request is not None and _MARK in request.extensions


class _Once(ByteStream, AsyncByteStream):
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


def same_service(url: URL, base_url: str) -> bool:
    """Return whether a URL belongs to the service at *base_url*: the same host, or www and ws beside api."""
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
