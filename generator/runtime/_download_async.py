"""Downloads: responses that are audio or other files."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

from ._errors import DownloadInterrupted
from ._http import HTTPError, HTTPResponse, map_exceptions
from ._response import Response, header_logid

__all__ = ["AsyncBinary", "is_binary"]

_NO_FILE = ("application/json", "text/html", "text/event-stream")


def is_binary(http: HTTPResponse) -> bool:
    """Return whether a response is a file. The type of speech is not documented, so the other types are excluded."""
    return http.is_success and not str(http.headers.get("content-type", "")).lower().startswith(_NO_FILE)


class _Content:
    """What sync and async downloads share.

    Attributes:
        response: The HTTP response.
    """

    def __init__(self, operation: str, http: HTTPResponse) -> None:
        self._operation = operation
        self._http = http
        self._content: bytes | None = None
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


class AsyncBinary(_Content):
    """Content that is read once: as it arrives by iterating, at once by `read`, or into a file by `save`.

    Reading to the end releases the connection; so does `close`, or the end of `async with`.
    """

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._content is not None:
            yield self._content
            return
        received = 0
        try:
            with map_exceptions:
                async for chunk in self._http.aiter_bytes():
                    received += len(chunk)
                    yield chunk
        except HTTPError as error:
            raise self._interrupted(error, received) from error
        finally:
            await self.close()

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
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
