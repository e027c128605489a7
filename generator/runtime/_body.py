"""Reads the body of a response within a memory limit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar

from ._errors import APIError, GatewayError, ResponseTooLarge
from ._http import (
    BODY_LIMIT,
    AsyncByteStream,
    AsyncHTTPClient,
    BodyLimit,
    ByteStream,
    HTTPClient,
    HTTPRequest,
    HTTPResponse,
    asend,
    map_exceptions,
    send,
    without_body,
)
from ._response import Response, header_logid

__all__ = ["ENCODINGS", "MAX_RESPONSE_BYTES", "aread_body", "check_encoding", "exchange", "exchange_async", "read_body"]

E = TypeVar("E", bound=APIError)

MAX_RESPONSE_BYTES = 64 * 1024 * 1024
"""Four times the largest event. JSON takes up to some twenty times as much memory once it is decoded."""

ENCODINGS = "gzip, deflate"
"""Encodings that clients accept. Others expand without limit: 100 bytes of Brotli can become gigabytes."""

_COMPRESSIONS = {"br", "deflate", "gzip", "zstd"}
_PIECE = 1024  # which deflate expands to 1 MiB at most


def _limit_of(http: HTTPResponse) -> BodyLimit:
    limit: BodyLimit | None = http.request.extensions.get(BODY_LIMIT)
    return limit or BodyLimit(MAX_RESPONSE_BYTES, "")


def exchange(http: HTTPClient, request: HTTPRequest, **options: Any) -> HTTPResponse:
    """Send a request and read its response.

    Raises:
        HTTPError: There is no response.
        ResponseTooLarge: It is too large.
    """
    response = send(http, request, stream=True, **options)
    read_body(response)
    return response


async def exchange_async(http: AsyncHTTPClient, request: HTTPRequest, **options: Any) -> HTTPResponse:
    """Send a request and read its response. See `exchange`."""
    response = await asend(http, request, stream=True, **options)
    await aread_body(response)
    return response


def read_body(http: HTTPResponse) -> None:
    """Read the body of a response, which is closed then.

    Raises:
        HTTPError: It broke off.
        ResponseTooLarge: It is larger than its request allows. No more than that was read.
        GatewayError: Its encoding is not one that the request accepts.
    """
    try:
        with map_exceptions:
            if _is_small(http):
                http.read()
            else:
                check_encoding(http)
                pieces = _Pieces(http)
                for piece in http.iter_bytes():
                    pieces.add(piece)
                pieces.keep()
    except BaseException:
        http.close()
        raise


async def aread_body(http: HTTPResponse) -> None:
    """Read the body of a response, which is closed then. See `read_body`."""
    try:
        with map_exceptions:
            if _is_small(http):
                await http.aread()
            else:
                check_encoding(http)
                pieces = _Pieces(http)
                async for piece in http.aiter_bytes():
                    pieces.add(piece)
                pieces.keep()
    except BaseException:
        await http.aclose()
        raise


def _is_small(http: HTTPResponse) -> bool:
    """Return whether a response needs no measuring: it was read before, or its Content-Length is small and binding."""
    limit = _limit_of(http)
    if http.is_stream_consumed:
        if len(http.content) > limit.max_bytes:
            raise _too_large(http)
        return True
    length = http.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit()):
        return False
    if int(length[:20]) > limit.max_bytes:
        raise _too_large(http)
    return "content-encoding" not in http.headers


class _Pieces:
    """The body of a response as far as it was read."""

    def __init__(self, http: HTTPResponse) -> None:
        self._http = http
        self._pieces: list[bytes] = []
        self._left = _limit_of(http).max_bytes

    def add(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._left < 0:
            raise _too_large(self._http)
        self._pieces.append(piece)

    def keep(self) -> None:
        self._http._content = b"".join(self._pieces)  # as its own `read` does


def check_encoding(http: HTTPResponse) -> None:
    """Make sure that reading a response bit by bit gives it bit by bit, decompressed.

    Raises:
        GatewayError: It has several encodings, or one that the request does not accept.
    """
    encoding = http.headers.get("content-encoding")
    if encoding is None or http.is_stream_consumed:
        return
    codings = [name for name in encoding.lower().replace(",", " ").split() if name in _COMPRESSIONS]
    accepted = http.request.headers.get("accept-encoding", "").lower()
    if len(codings) > 1 or any(name not in ENCODINGS and name not in accepted for name in codings):
        raise _error(
            GatewayError,
            http,
            f"the response has the encoding {encoding!r:.60}, which the request does not accept",
            "A gateway may have compressed it; check the proxy settings.",
        )
    stream = http.stream
    http.stream = _Split(stream) if isinstance(stream, ByteStream) else _AsyncSplit(stream)


class _Split(ByteStream):
    """Gives out bytes in small pieces, so that each becomes little when it is decompressed."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            yield from _split(chunk)

    def close(self) -> None:
        self._stream.close()


class _AsyncSplit(AsyncByteStream):
    """Is `_Split` for an event loop."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            for piece in _split(chunk):
                yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


def _split(chunk: bytes) -> Iterator[bytes]:
    return (chunk[start : start + _PIECE] for start in range(0, len(chunk), _PIECE))


def _too_large(http: HTTPResponse) -> ResponseTooLarge:
    limit = _limit_of(http).max_bytes
    error = _error(
        ResponseTooLarge,
        http,
        f"the response is larger than {limit:,} bytes",
        "Request fewer items at once, or set a larger max_response_bytes on the client.",
    )
    error.max_bytes = limit
    return error


def _error(kind: type[E], http: HTTPResponse, msg: str, hint: str) -> E:
    logid = header_logid(http)
    return kind(
        msg,
        code=http.status_code,
        status=http.status_code,
        logid=logid,
        operation=_limit_of(http).operation,
        hint=hint,
        response=Response(without_body(http), logid),
    )
