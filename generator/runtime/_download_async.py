"""Downloads: responses that are audio or other files."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

from ._errors import DownloadInterrupted
from ._http import HTTPError, HTTPResponse, map_exceptions
from ._operation import Operation
from ._response import Response, header_logid

__all__ = ["MAX_ERROR_BYTES", "AsyncBinary", "BaseBinary", "is_binary", "may_be_error"]

MAX_ERROR_BYTES = 64 * 1024
"""Bytes of JSON up to which a response may be an error of Coze in place of a file. Such errors have some hundred."""

_JSON = "application/json"
_NO_FILE = ("text/html", "text/event-stream")


def is_binary(operation: Operation[Any], http: HTTPResponse) -> bool:
    """Return whether a response is a file, or JSON that may be one: see `may_be_error`.

    The type of speech is not documented, so the other types are excluded.
    """
    if not http.is_success:
        return False
    content_type = _content_type(http)
    if operation.any_file and (_is_attachment(http) or content_type.startswith(_JSON)):
        return True
    return not content_type.startswith((_JSON, *_NO_FILE))


def may_be_error(http: HTTPResponse) -> bool:
    """Return whether a response in place of a file may be an error: it is JSON, and no header names it as a file."""
    return _content_type(http).startswith(_JSON) and not _is_attachment(http)


def _content_type(http: HTTPResponse) -> str:
    return str(http.headers.get("content-type", "")).lower()


def _is_attachment(http: HTTPResponse) -> bool:
    """Return whether `Content-Disposition` marks a response as a file to save (RFC 6266)."""
    disposition = str(http.headers.get("content-disposition", "")).lower()
    return disposition.partition(";")[0].strip() == "attachment" or "filename" in disposition


class BaseBinary:
    """What sync and async downloads share.

    Attributes:
        response: The HTTP response.
    """

    def __init__(self, operation: str, http: HTTPResponse) -> None:
        self._operation = operation
        self._http = http
        self._content: bytes | None = None
        self._peeked: tuple[bytes, Any] | None = None  # what `_peek` read, and the generator of the bytes after it
        self.response = Response(http, header_logid(http))

    @property
    def logid(self) -> str:
        """Log id of the call."""
        return self.response.logid

    @property
    def content_type(self) -> str:
        """Media type, such as ``audio/mpeg``."""
        return str(self._http.headers.get("content-type", "")).partition(";")[0].strip()

    def _interrupted(self, error: Exception, received: int) -> DownloadInterrupted:
        reason = f"{type(error).__name__}: {error}"
        return DownloadInterrupted(reason, operation=self._operation, logid=self.logid, received=received)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(content_type={self.content_type!r}, logid={self.logid!r})"


class AsyncBinary(BaseBinary):
    """Content that is read once: as it arrives by iterating, at once by `read`, or into a file by `save`.

    Reading to the end releases the connection; so does `close`, or the end of `async with`.
    """

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._content is not None:
            yield self._content
            return
        received = 0
        peeked, self._peeked = self._peeked, None
        start, rest = peeked or (b"", self._http.aiter_bytes())
        try:
            with map_exceptions:
                if start:
                    received = len(start)
                    yield start
                async for chunk in rest:
                    received += len(chunk)
                    yield chunk
        except HTTPError as error:
            raise self._interrupted(error, received) from error
        finally:
            await self.close()

    async def _peek(self, limit: int) -> bytes | None:
        """Return all of the content if it has at most *limit* bytes, else None. It can be read afterwards.

        Raises:
            HTTPError: It broke off.
        """
        start = bytearray()
        rest = self._http.aiter_bytes()
        try:
            with map_exceptions:
                async for chunk in rest:
                    start += chunk
                    if len(start) > limit:
                        self._peeked = (bytes(start), rest)
                        return None
        except BaseException:
            await self.close()
            raise
        await self.close()
        self._content = bytes(start)
        return self._content

    async def read(self) -> bytes:
        """Return all of the content, also when called again. It is held in memory, whatever its size.

        Raises:
            DownloadInterrupted: It broke off; `content` of the error is what arrived.
        """
        if self._content is None:
            content = bytearray()
            try:
                async for chunk in self:
                    content += chunk
            except DownloadInterrupted as error:
                error.content = bytes(content)
                raise
            self._content = bytes(content)
        return self._content

    async def save(self, path: str | os.PathLike[str]) -> int:
        """Write the content to a file as it arrives. The thread of the caller, or of its event loop, writes the file.

        Returns:
            The number of bytes written.

        Raises:
            DownloadInterrupted: It broke off; the file holds what arrived.
        """
        chunks = aiter(self)
        first = await anext(chunks, b"")  # before the file is emptied: there may be nothing left to read
        with Path(path).open("wb") as file:
            written = file.write(first)
            async for chunk in chunks:
                written += file.write(chunk)
        return written

    async def close(self) -> None:
        """Release the connection. Safe to call at any time."""
        peeked, self._peeked = self._peeked, None
        if peeked is not None:
            await peeked[1].aclose()
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
