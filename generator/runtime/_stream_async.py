"""Streams of typed events, over one HTTP response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Self, TypeVar

from ._http import HTTPResponse
from ._operation import Operation, Protocol
from ._sequence import OnGap
from ._stream_base import CLOSED
from ._stream_reader import AsyncStreamReader

__all__ = ["AsyncStream"]

E = TypeVar("E")


class AsyncStream(AsyncStreamReader[E]):
    """A stream of events. Opened by `async with` or by the first event; closed by the end, an error, or leaving.

    Iterating ends in one of three ways: the stream's own end, `StreamFailed` if the stream reports a failure,
    `StreamInterrupted` if it breaks off. Nothing is read ahead.
    """

    def __init__(
        self,
        operation: Operation[Any],
        protocol: Protocol[E],
        open_: Callable[[], Awaitable[HTTPResponse]],
        max_event_bytes: int,
        on_gap: OnGap = "warn",
    ) -> None:
        super().__init__(operation, protocol, max_event_bytes, on_gap)
        self._open = open_

    async def open(self) -> Self:
        """Send the request, unless it was sent.

        Raises:
            APIError: Coze rejected the call.
        """
        if self._http is None:
            self._http = await self._open()
            self._start(self._http)
        return self

    async def close(self) -> None:
        """Release the connection. Safe to call at any time, also from another thread or task than the one that reads.

        Reading on raises `StreamInterrupted`, and so does a read that waits.
        """
        self._mark_closed(CLOSED)
        if self._http is not None:
            await self._release(self._http)

    async def until_done(self) -> Self:
        """Read to the end and return the stream itself.

        Raises:
            StreamFailed: The stream reported a failure.
            StreamInterrupted: The stream broke off.
        """
        async for _ in self:
            pass
        return self

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()
