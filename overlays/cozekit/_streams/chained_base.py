"""Several streams, one after the other, read as one: the decisions of the sync and the async stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from coze_api._core._stream_base import BaseStream

from ..errors import StreamGap, StreamInterrupted

if TYPE_CHECKING:
    from coze_api import Response

__all__ = ["ChainedStreamBase", "EventT", "StreamT"]

EventT = TypeVar("EventT")
StreamT = TypeVar("StreamT", bound=BaseStream[Any])
_CLOSED = "it was closed here before its end"
_INTERRUPTED = "reading was interrupted between two rounds"


class ChainedStreamBase(Generic[StreamT]):
    """Streams read as one, without input and output."""

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
        """The HTTP response of the latest round.

        Raises:
            RuntimeError: Nothing was sent yet.
        """
        opened = [stream for stream in self._streams if stream.logid] or self._streams
        return opened[-1].response

    @property
    def logid(self) -> str:
        """Log id of the latest round's request; "" until the first stream is open."""
        return next((stream.logid for stream in reversed(self._streams) if stream.logid), "")

    @property
    def ended(self) -> bool:
        """Whether the last round ended normally."""
        return self._exhausted and self._current.ended

    @property
    def gaps(self) -> list[StreamGap]:
        """The gaps in the numbers of the events of all rounds so far; empty if events have no numbers."""
        return [gap for stream in self._streams for gap in stream.gaps]

    def _check_can_advance(self) -> bool:
        """Return whether another stream may follow; re-raise an earlier failure."""
        if isinstance(self._failure, Exception):
            raise self._failure
        if self._failure is not None:
            raise self._interrupted(self._current._with_advice(_INTERRUPTED)) from self._failure
        if not self._closed:
            return True
        if self.ended:
            return False
        raise self._interrupted(_CLOSED)

    def _interrupted(self, reason: str) -> StreamInterrupted:
        error = self._current._interruption(reason)
        error.stream = self
        return error

    def _clear_interruption(self) -> None:
        """Let reading continue after a close or an interruption, but not after a failure."""
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
            if self._closed:  # meanwhile, by another thread, which knew only the round before
                following._mark_closed(_CLOSED)
        return following is not None
