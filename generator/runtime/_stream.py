"""Streams of typed events, over one HTTP response."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from inspect import GEN_CLOSED, GEN_RUNNING, getgeneratorstate
from itertools import chain
from typing import Any, Self, TypeVar

from ._errors import StreamGap
from ._http import HTTPError, HTTPResponse, StreamError
from ._operation import Operation, Protocol
from ._raw_stream import iter_chunks, shutdown_after, shutdown_socket
from ._sequence import OnGap
from ._sse import EventTooLarge
from ._stream_base import CANCELED, CLOSED, DRAIN_TIMEOUT, MAX_DRAIN_CHUNKS, BaseStream

__all__ = ["Stream"]

E = TypeVar("E")


class Stream(BaseStream[E]):
    """A stream of events. Opened by `with` or by the first event; closed by the end, an error, or leaving `with`.

    Iterating ends in one of three ways: the stream's own end, `StreamFailed` if the stream reports a failure,
    `StreamInterrupted` if it breaks off. Nothing is read ahead.
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
            APIError: Coze rejected the call.
        """
        if self._http is None:
            self._http = self._open()
            self._chunks = iter_chunks(self._http)
            # Chunk by chunk, as events are read, without any bytecode in between.
            self._arrived = chain.from_iterable(map(self._decoder.feed, self._chunks))
        return self

    def close(self) -> None:
        """Release the connection. Safe to call at any time, also from another thread than the one that reads.

        Reading on raises `StreamInterrupted`, and so does a read that waits.
        """
        self._mark_closed(CLOSED)
        if self._http is None:
            return
        reading = self._reader is not None and getgeneratorstate(self._reader) == GEN_RUNNING
        if not (reading and shutdown_socket(self._http)):  # else the reader closes: its socket must not vanish under it
            self._http.close()

    def until_done(self) -> Self:
        """Read to the end and return the stream itself.

        Raises:
            StreamFailed: The stream reported a failure.
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
            self._mark_closed(CANCELED)
            http.close()
            raise
        http.close()

    def _drain(self, http: HTTPResponse) -> None:
        """Read the end of the HTTP response, since only then can the connection be used again. It follows at once."""
        with suppress(HTTPError, StreamError), shutdown_after(DRAIN_TIMEOUT, http):
            for _ in zip(range(MAX_DRAIN_CHUNKS), self._chunks, strict=False):
                pass

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()
