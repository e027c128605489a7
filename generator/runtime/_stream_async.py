"""Streams of typed events, over one HTTP response."""

# Not derived: closing wakes a reading thread by its socket and a reading task by cancellation, and a generator, which
# is the fastest sync reader, cannot be closed while another task reads it.

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, Self, TypeVar

from ._errors import StreamGap
from ._http import HTTPError, HTTPResponse, StreamError
from ._operation import Operation, Protocol
from ._raw_stream import aiter_chunks, close_shielded
from ._sequence import OnGap
from ._sse import EventTooLarge
from ._stream_base import CANCELED, CLOSED, DRAIN_TIMEOUT, MAX_DRAIN_CHUNKS, BaseStream

__all__ = ["AsyncStream"]

E = TypeVar("E")


class AsyncStream(BaseStream[E]):
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
        self._chunks: AsyncIterator[bytes] | None = None
        self._ready: Iterator[E] = iter(())
        self._reading = False
        self._drained = False

    async def open(self) -> Self:
        """Send the request, unless it was sent.

        Raises:
            APIError: Coze rejected the call.
        """
        if self._http is None:
            self._http = await self._open()
            self._chunks = aiter_chunks(self._http)
        return self

    async def close(self) -> None:
        """Release the connection. Safe to call at any time, also from another task than the one that reads.

        Reading on raises `StreamInterrupted`, and so does a read that waits.
        """
        self._mark_closed(CLOSED)
        await self._release()

    async def until_done(self) -> Self:
        """Read to the end and return the stream itself.

        Raises:
            StreamFailed: The stream reported a failure.
            StreamInterrupted: The stream broke off.
        """
        async for _ in self:
            pass
        return self

    def __aiter__(self) -> AsyncIterator[E]:
        return self

    async def __anext__(self) -> E:
        if self._reading:
            raise RuntimeError("another task is reading this stream")
        try:
            while True:
                for event in self._ready:
                    return event
                self._raise_if_broken()
                if self._ended:
                    break
                self._reading = True
                try:
                    await self._read_on()
                finally:
                    self._reading = False
            await self._drain()
        except StreamGap:
            self._ready = self._events()  # it can be read on
            raise
        except BaseException:
            if self._http is not None:  # else it was not opened, and can be
                self._mark_closed(CANCELED)
                await self._release()
            raise
        await self._release()
        raise StopAsyncIteration

    async def _read_on(self) -> None:
        """Read the next bytes, or take note of the end of input."""
        if self._chunks is None:
            await self.open()
        assert self._chunks is not None
        try:
            chunk = await anext(self._chunks, None)
            if chunk is not None:
                self._arrived = iter(self._decoder.feed(chunk))
        except (HTTPError, StreamError) as error:
            raise self._interrupted(f"{type(error).__name__}: {error}") from error
        except EventTooLarge as error:
            raise self._interrupted(str(error)) from error
        if chunk is None:
            self._flush()
        self._ready = self._events() if chunk is not None else self._last_events()

    def _last_events(self) -> Iterator[E]:
        yield from self._events()
        self._finish()

    async def _drain(self) -> None:
        """Read the end of the HTTP response, since only then can the connection be used again. It follows at once."""
        if self._drained or self._chunks is None:
            return
        self._drained = True
        from anyio import move_on_after  # comes with httpx

        with suppress(HTTPError, StreamError), move_on_after(DRAIN_TIMEOUT):
            for _ in range(MAX_DRAIN_CHUNKS):
                await anext(self._chunks, None)

    async def _release(self) -> None:
        """Release the connection."""
        if self._http is not None:
            await close_shielded(self._http)

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()
