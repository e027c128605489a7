"""Streams of typed events, over one HTTP answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import suppress
from inspect import GEN_CLOSED, GEN_RUNNING, getgeneratorstate
from itertools import chain
from typing import Any, Self, TypeVar

from ._errors import StreamGap
from ._http import HTTPError, HTTPResponse, StreamError
from ._operation import Operation, Protocol
from ._raw_stream import aiter_chunks, close_shielded, iter_chunks, shutdown_after, shutdown_socket
from ._sequence import OnGap
from ._sse import EventTooLarge
from ._stream_base import DRAIN_TIMEOUT, MAX_DRAIN_CHUNKS, BaseStream, is_event_stream

__all__ = ["AsyncStream", "Stream", "is_event_stream"]

E = TypeVar("E")
_CLOSED = "it was closed here before its end"
_CANCELLED = "a read was cancelled before its end"


class Stream(BaseStream[E]):
    """A stream of events. Opened by `with` or by the first event; closed by the end, an error, or leaving `with`.

    Iterating ends in one of three ways: the stream's own end, `StreamFailed` where the stream tells a failure,
    `StreamInterrupted` where it breaks off. Nothing is read before it is asked for.
    """

    def __init__(
        self,
        operation: Operation[Any],
        protocol: Protocol[E],
        open_: Callable[[], HTTPResponse],
        max_event_bytes: int,
        on_gap: OnGap = "warn",
    ) -> None:
        super().__init__(operation, protocol, max_event_bytes, on_gap)
        self._open = open_
        self._chunks: Iterator[bytes] = iter(())
        self._reader: Generator[E, None, None] | None = None

    def open(self) -> Self:
        """Send the request, unless it was sent.

        Raises:
            APIError: Coze refused the call.
        """
        if self._http is None:
            self._http = self._open()
            self._chunks = iter_chunks(self._http)
            # Chunk after chunk, as events are asked for, without any bytecode in between.
            self._arrived = chain.from_iterable(map(self._decoder.feed, self._chunks))
        return self

    def close(self) -> None:
        """Give the connection back. Safe to call at any time, also from another thread than the one that reads.

        Reading on raises `StreamInterrupted`, and so does a read that waits.
        """
        self._mark_closed(_CLOSED)
        if self._http is None:
            return
        reading = self._reader is not None and getgeneratorstate(self._reader) == GEN_RUNNING
        if not (reading and shutdown_socket(self._http)):  # else the reader closes: its socket must not vanish under it
            self._http.close()

    def until_done(self) -> Self:
        """Read to the end and return the stream itself.

        Raises:
            StreamFailed: The stream told a failure.
            StreamInterrupted: The stream broke off.
        """
        for _ in self:
            pass
        return self

    def __iter__(self) -> Iterator[E]:
        if self._reader is None or getgeneratorstate(self._reader) == GEN_CLOSED:
            self._raise_if_broken()
            if self._reader is None or not self._ended:
                self._reader = self._read()
        return self._reader

    def __next__(self) -> E:
        return next(iter(self))

    def _read(self) -> Generator[E, None, None]:
        http = self.open()._http
        assert http is not None
        try:
            self._raise_if_broken()
            try:
                yield from self._events()
            except (HTTPError, StreamError) as error:
                raise self._interrupted(f"{type(error).__name__}: {error}") from error
            except EventTooLarge as error:
                raise self._interrupted(str(error)) from error
            if not self._ended:
                self._raise_if_broken()
                self._flush()
                yield from self._events()
                self._finish()
            self._drain(http)
        except StreamGap:
            raise  # it can be read on
        except BaseException:
            self._mark_closed(_CANCELLED)
            http.close()
            raise
        http.close()

    def _drain(self, http: HTTPResponse) -> None:
        """Read the end of the HTTP answer, since only then can the connection be used again. It follows at once."""
        with suppress(HTTPError, StreamError), shutdown_after(DRAIN_TIMEOUT, http):
            for _ in zip(range(MAX_DRAIN_CHUNKS), self._chunks, strict=False):
                pass

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncStream(BaseStream[E]):
    """A stream of events. Opened by `async with` or by the first event; closed by the end, an error, or leaving.

    Iterating ends in one of three ways: the stream's own end, `StreamFailed` where the stream tells a failure,
    `StreamInterrupted` where it breaks off. Nothing is read before it is asked for.
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
            APIError: Coze refused the call.
        """
        if self._http is None:
            self._http = await self._open()
            self._chunks = aiter_chunks(self._http)
        return self

    async def close(self) -> None:
        """Give the connection back. Safe to call at any time, also from another task than the one that reads.

        Reading on raises `StreamInterrupted`, and so does a read that waits.
        """
        self._mark_closed(_CLOSED)
        await self._release()

    async def until_done(self) -> Self:
        """Read to the end and return the stream itself.

        Raises:
            StreamFailed: The stream told a failure.
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
                self._mark_closed(_CANCELLED)
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
        """Read the end of the HTTP answer, since only then can the connection be used again. It follows at once."""
        if self._drained or self._chunks is None:
            return
        self._drained = True
        from anyio import move_on_after  # comes with httpx

        with suppress(HTTPError, StreamError), move_on_after(DRAIN_TIMEOUT):
            for _ in range(MAX_DRAIN_CHUNKS):
                await anext(self._chunks, None)

    async def _release(self) -> None:
        """Give the connection back."""
        if self._http is not None:
            await close_shielded(self._http)

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()
