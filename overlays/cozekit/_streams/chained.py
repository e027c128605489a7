# @generated from chained_async.py by `python -m generator sync`; do not edit.
"""Several streams, one after the other, read as one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, Self, TypeVar

from coze_api._core._stream import Stream

from ..errors import ChatFailed, StreamGap, StreamInterrupted
from .chained_base import ChainedStreamBase, EventT

__all__ = ["ChainedStream"]

StreamT = TypeVar("StreamT", bound=Stream[Any])


class ChainedStream(ChainedStreamBase[StreamT], Generic[StreamT, EventT]):
    """Streams read as one. Opened by `with` or by the first event; closed by the end, an error, or on exit."""

    def _next_stream(self) -> StreamT | None:
        """Return the stream that follows the current one, or None. Subclasses implement it."""
        raise NotImplementedError

    def _advance(self) -> bool:
        """Append the next stream. Return whether there is one."""
        if not self._check_can_advance():
            return False
        try:
            return self._append(self._next_stream())
        except BaseException as error:
            self._fail(error)

    def open(self) -> Self:
        """Send the request of the current round, unless it was sent.

        Raises:
            APIError: Coze returned an error.
        """
        self._current.open()
        return self

    def close(self) -> None:
        """Close the connection. Safe to call at any time."""
        self._closed = True
        self._current.close()

    def until_done(self) -> Self:
        """Read to the end and return the stream itself. Raises what iterating raises."""
        for _ in self:
            pass
        return self

    def __iter__(self) -> Iterator[EventT]:
        return self

    def __next__(self) -> EventT:
        while True:
            try:
                event: EventT = next(self._current)
            except StopIteration:
                if not self._advance():
                    raise
            except (ChatFailed, StreamGap, StreamInterrupted) as error:
                error.stream = self  # which includes the earlier rounds
                raise
            else:
                self._on_event(event)
                return event

    def _on_event(self, event: EventT) -> None:
        """Process an event before the caller gets it. Subclasses may implement it."""

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *details: object) -> None:
        self._closed = True
        self._current.__exit__(*details)
