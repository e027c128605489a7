"""Several streams, one after the other, read as one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar

from coze_api._core._stream import AsyncStream, Stream

from ..errors import ChatFailed, StreamGap, StreamInterrupted

if TYPE_CHECKING:
    from coze_api import Response

__all__ = ["AsyncRounds", "Parts", "Rounds"]

E = TypeVar("E")
S = TypeVar("S", bound=Stream[Any])
SA = TypeVar("SA", bound=AsyncStream[Any])
Part = TypeVar("Part", bound=Stream[Any] | AsyncStream[Any])
_CLOSED = "it was closed here before its end"
_INTERRUPTED = "reading was interrupted between two rounds"


class Parts(Generic[Part]):
    """All that sync and async ones decide alike."""

    def __init__(self, first: Part) -> None:
        self._parts = [first]
        self._closed = False
        self._over = False
        self._broken: BaseException | None = None

    @property
    def _current(self) -> Part:
        return self._parts[-1]

    @property
    def response(self) -> Response:
        """The HTTP answer of the latest round.

        Raises:
            RuntimeError: Nothing was sent yet.
        """
        opened = [part for part in self._parts if part.logid] or self._parts
        return opened[-1].response

    @property
    def logid(self) -> str:
        """Log id of the latest round's call; "" until the first is open."""
        return next((part.logid for part in reversed(self._parts) if part.logid), "")

    @property
    def ended(self) -> bool:
        """Whether the last round came to its proper end."""
        return self._over and self._current.ended

    @property
    def gaps(self) -> list[StreamGap]:
        """The gaps in the numbers of the events so far, of all rounds; empty where events carry none."""
        return [gap for part in self._parts for gap in part.gaps]

    def _may_go_on(self) -> bool:
        """Whether to look for another round. Refused after what went wrong before: it would be done a second time."""
        if isinstance(self._broken, Exception):
            raise self._broken
        if self._broken is not None:
            raise self._left(self._current._advised(_INTERRUPTED)) from self._broken
        if not self._closed:
            return True
        if self.ended:
            return False
        raise self._left(_CLOSED)

    def _left(self, reason: str) -> StreamInterrupted:
        error = self._current._broken_off(reason)
        error.stream = self
        return error

    def _reopen(self) -> None:
        """Let reading go on where it was left or interrupted, but not after what went wrong."""
        self._closed = False
        if not isinstance(self._broken, Exception):
            self._broken = None

    def _break(self, error: BaseException) -> NoReturn:
        self._broken = error
        raise error

    def _took(self, following: Part | None) -> bool:
        self._over = following is None
        if following is not None:
            self._parts.append(following)
            if self._closed:  # meanwhile, by another thread, which saw only the round before
                following._leave(_CLOSED)
        return following is not None


class Rounds(Parts[S], Generic[S, E]):
    """Streams read as one. Opened by `with` or by the first event; closed by the end, an error, or leaving `with`."""

    def _following(self) -> S | None:
        """Return the stream that goes on where the current one ended, or None. Subclasses implement it."""
        raise NotImplementedError

    def _go_on(self) -> bool:
        """Begin the next round; tell whether there is one."""
        if not self._may_go_on():
            return False
        try:
            return self._took(self._following())
        except BaseException as error:
            self._break(error)

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
                if not self._go_on():
                    raise
            except (ChatFailed, StreamGap, StreamInterrupted) as error:
                error.stream = self  # which knows also what came in earlier rounds
                raise
            else:
                self._see(event)
                return event

    def _see(self, event: E) -> None:
        """Take note of an event before the caller gets it."""

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *details: object) -> None:
        self._closed = True
        self._current.__exit__(*details)


class AsyncRounds(Parts[SA], Generic[SA, E]):
    """Streams read as one, awaited. See `Rounds`."""

    async def _following(self) -> SA | None:
        """Return the stream that goes on where the current one ended, or None. Subclasses implement it."""
        raise NotImplementedError

    async def _go_on(self) -> bool:
        if not self._may_go_on():
            return False
        try:
            return self._took(await self._following())
        except BaseException as error:
            self._break(error)

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
                if not await self._go_on():
                    raise
            except (ChatFailed, StreamGap, StreamInterrupted) as error:
                error.stream = self
                raise
            else:
                self._see(event)
                return event

    def _see(self, event: E) -> None:
        """Take note of an event before the caller gets it."""

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *details: object) -> None:
        self._closed = True
        await self._current.__aexit__(*details)
