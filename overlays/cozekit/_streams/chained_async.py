"""Several streams, one after the other, read as one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Generic, Self, TypeVar

from coze_api._core._stream_async import AsyncStream

from ..errors import ChatFailed, StreamGap, StreamInterrupted
from .chained_base import ChainedStreamBase, EventT

__all__ = ["AsyncChainedStream"]

StreamT = TypeVar("StreamT", bound=AsyncStream[Any])


class AsyncChainedStream(ChainedStreamBase[StreamT], Generic[StreamT, EventT]):
    """Streams read as one. Opened by `async with` or by the first event; closed by the end, an error, or on exit."""

    async def _next_stream(self) -> StreamT | None:
        """Return the stream that follows the current one, or None. Subclasses implement it."""
        raise NotImplementedError

    async def _advance(self) -> bool:
        """Append the next stream. Return whether there is one."""
        if not self._check_can_advance():
            return False
        try:
            return self._append(await self._next_stream())
        except BaseException as error:
            self._fail(error)

    async def open(self) -> Self:
        """Send the request of the current round, unless it was sent.

        Raises:
            APIError: Coze returned an error.
        """
        await self._current.open()
        return self

    async def close(self) -> None:
        """Close the connection. Safe to call at any time."""
        self._closed = True
        await self._current.close()

    async def until_done(self) -> Self:
        """Read to the end and return the stream itself. Raises what iterating raises."""
        async for _ in self:
            pass
        return self

    def __aiter__(self) -> AsyncIterator[EventT]:
        return self

    async def __anext__(self) -> EventT:
        while True:
            try:
                event: EventT = await anext(self._current)
            except StopAsyncIteration:
                if not await self._advance():
                    raise
            except (ChatFailed, StreamGap, StreamInterrupted) as error:
                error.stream = self  # which includes the earlier rounds
                raise
            else:
                self._on_event(event)
                return event

    def _on_event(self, event: EventT) -> None:
        """Process an event before the caller gets it. Subclasses may implement it."""

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *details: object) -> None:
        self._closed = True
        await self._current.__aexit__(*details)
