"""Reading and closing streams, by threads and by tasks."""

# Not derived: closing wakes a reading thread by its socket and a reading task by cancellation, and a generator, which
# is the fastest sync reader, cannot be closed while another task reads it.

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import suppress
from inspect import GEN_CLOSED, GEN_RUNNING, getgeneratorstate
from itertools import chain
from typing import Any

from ._errors import StreamGap
from ._http import HTTPError, HTTPResponse, StreamError
from ._raw_stream import aiter_chunks, close_shielded, iter_chunks, shutdown_after, shutdown_socket
from ._stream_base import CANCELED, DRAIN_TIMEOUT, MAX_DRAIN_CHUNKS, READ_ERRORS, BaseStream, E

__all__ = ["AsyncStreamReader", "StreamReader"]


class StreamReader(BaseStream[E]):
    """A stream that threads read."""

    _chunks: Iterator[bytes] = iter(())
    _reader: Generator[E, None, None] | None = None

    def _start(self, http: HTTPResponse) -> None:
        self._chunks = iter_chunks(http)
        # Chunk by chunk, as events are read, without any bytecode in between.
        self._arrived = chain.from_iterable(map(self._decoder.feed, self._chunks))

    def _release(self, http: HTTPResponse) -> None:
        reading = self._reader is not None and getgeneratorstate(self._reader) == GEN_RUNNING
        if not (reading and shutdown_socket(http)):  # else the reader closes: its socket must not vanish under it
            http.close()

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
            except READ_ERRORS as error:
                raise self._broken(error) from error
            if not self._ended:
                self._raise_if_broken()
                self._flush()
                yield from self._events()
                self._finish()
            self._drain(http)
        except StreamGap:
            raise  # it can be read on
        except BaseException:
            self._mark_closed(CANCELED)
            http.close()
            raise
        http.close()

    def _drain(self, http: HTTPResponse) -> None:
        """Read the end of the HTTP response, since only then can the connection be used again. It follows at once."""
        with suppress(HTTPError, StreamError), shutdown_after(DRAIN_TIMEOUT, http):
            for _ in zip(range(MAX_DRAIN_CHUNKS), self._chunks, strict=False):
                pass


class AsyncStreamReader(BaseStream[E]):
    """A stream that tasks read."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # Not in the class: looking them up there as well would make each event slower.
        self._chunks: AsyncIterator[bytes] | None = None
        self._ready: Iterator[E] = iter(())
        self._reading = False
        self._drained = False

    def _start(self, http: HTTPResponse) -> None:
        self._chunks = aiter_chunks(http)

    async def _release(self, http: HTTPResponse) -> None:
        await close_shielded(http)

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
                await self._release(self._http)
            raise
        if self._http is not None:
            await self._release(self._http)
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
        except READ_ERRORS as error:
            raise self._broken(error) from error
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
