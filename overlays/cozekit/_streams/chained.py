"""Several streams, one after the other, read as one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar

from coze_api._core._stream import AsyncStream, Stream

from ..errors import ChatFailed, StreamGap, StreamInterrupted

if TYPE_CHECKING:
    from coze_api import Response

__all__ = ["AsyncChainedStream", "ChainedStreamBase", "ChainedStream"]

E = TypeVar("E")
S = TypeVar("S", bound=Stream[Any])
SA = TypeVar("SA", bound=AsyncStream[Any])
StreamT = TypeVar("StreamT", bound=Stream[Any] | AsyncStream[Any])
_CLOSED = "it was closed here before its end"
_INTERRUPTED = "reading was interrupted between two rounds"


class ChainedStreamBase(Generic[StreamT]):
    """All that sync and async ones decide alike."""

    def __init__(self, first: StreamT) -> None:
        self._streams = [first]
        self._closed = False
        self._exhausted = False
        self._failure: BaseException | None = None

    @property
    def _current(self) -> StreamT:
        return self._streams[-1]

    @property
    def response(self) -> Response:
        """The HTTP answer of the latest round.

        Raises:
            RuntimeError: Nothing was sent yet.
        """
        opened = [stream for stream in self._streams if stream.logid] or self._streams
        return opened[-1].response

    @property
    def logid(self) -> str:
        """Log id of the latest round's call; "" until the first is open."""
        return next((stream.logid for stream in reversed(self._streams) if stream.logid), "")

    @property
    def ended(self) -> bool:
        """Whether the last round came to its proper end."""
        return self._exhausted and self._current.ended

    @property
    def gaps(self) -> list[StreamGap]:
        """The gaps in the numbers of the events so far, of all rounds; empty where events carry none."""
        return [gap for stream in self._streams for gap in stream.gaps]

    def _check_can_advance(self) -> bool:
        """Whether to look for another round. Refused after what went wrong before: it would be done a second time."""
        if isinstance(self._failure, Exception):
            raise self._failure
        if self._failure is not None:
            raise self._interrupted(self._current._advised(_INTERRUPTED)) from self._failure
        if not self._closed:
            return True
        if self.ended:
            return False
        raise self._interrupted(_CLOSED)

    def _interrupted(self, reason: str) -> StreamInterrupted:
        error = self._current._broken_off(reason)
        error.stream = self
        return error

    def _clear_interruption(self) -> None:
        """Let reading go on where it was left or interrupted, but not after what went wrong."""
        self._closed = False
        if not isinstance(self._failure, Exception):
            self._failure = None

    def _fail(self, error: BaseException) -> NoReturn:
        self._failure = error
        raise error

    def _append(self, following: StreamT | None) -> bool:
        self._exhausted = following is None
        if following is not None:
            self._streams.append(following)
            if self._closed:  # meanwhile, by another thread, which saw only the round before
                following._leave(_CLOSED)
        return following is not None


class ChainedStream(ChainedStreamBase[S], Generic[S, E]):
    """Streams read as one. Opened by `with` or by the first event; closed by the end, an error, or leaving `with`."""

    def _next_stream(self) -> S | None:
        """Return the stream that goes on where the current one ended, or None. Subclasses implement it."""
        raise NotImplementedError

    def _advance(self) -> bool:
        """Begin the next round; tell whether there is one."""
        if not self._check_can_advance():
            return False
        try:
            return self._append(self._next_stream())
        except BaseException as error:
            self._fail(error)

    def open(self) -> Self:
        """Send the request of the current round, unless it was sent.

        Raises:
            APIError: Coze refused the call.
        """
        self._current.open()
        return self

    def close(self) -> None:
        """Give the connection back. Safe to call at any time."""
        self._closed = True
        self._current.close()

    def until_done(self) -> Self:
        """Read to the end and return the stream itself. Raises what iterating raises."""
        for _ in self:
            pass
        return self

    def __iter__(self) -> Iterator[E]:
        return self

    def __next__(self) -> E:
        while True:
            try:
                event: E = next(self._current)
            except StopIteration:
                if not self._advance():
                    raise
            except (ChatFailed, StreamGap, StreamInterrupted) as error:
                error.stream = self  # which knows also what came in earlier rounds
                raise
            else:
                self._on_event(event)
                return event

    def _on_event(self, event: E) -> None:
        """Take note of an event before the caller gets it."""

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *details: object) -> None:
        self._closed = True
        self._current.__exit__(*details)


class AsyncChainedStream(ChainedStreamBase[SA], Generic[SA, E]):
    """Streams read as one, awaited. See `ChainedStream`."""

    async def _next_stream(self) -> SA | None:
        """Return the stream that goes on where the current one ended, or None. Subclasses implement it."""
        raise NotImplementedError

    async def _advance(self) -> bool:
        if not self._check_can_advance():
            return False
        try:
            return self._append(await self._next_stream())
        except BaseException as error:
            self._fail(error)

    async def open(self) -> Self:
        """Send the request of the current round, unless it was sent.

        Raises:
            APIError: Coze refused the call.
        """
        await self._current.open()
        return self

    async def close(self) -> None:
        """Give the connection back. Safe to call at any time."""
        self._closed = True
        await self._current.close()

    async def until_done(self) -> Self:
        """Read to the end and return the stream itself. Raises what iterating raises."""
        async for _ in self:
            pass
        return self

    def __aiter__(self) -> AsyncIterator[E]:
        return self

    async def __anext__(self) -> E:
        while True:
            try:
                event: E = await anext(self._current)
            except StopAsyncIteration:
                if not await self._advance():
                    raise
            except (ChatFailed, StreamGap, StreamInterrupted) as error:
                error.stream = self
                raise
            else:
                self._on_event(event)
                return event

    def _on_event(self, event: E) -> None:
        """Take note of an event before the caller gets it."""

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *details: object) -> None:
        self._closed = True
        await self._current.__aexit__(*details)
