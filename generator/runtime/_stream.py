# @generated from _stream_async.py by `python -m generator sync`; do not edit.
"""Streams of typed events, over one HTTP response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from ._http import HTTPResponse
from ._operation import Operation, Protocol
from ._sequence import OnGap
from ._stream_async import E
from ._stream_base import CLOSED
from ._stream_reader import StreamReader

__all__ = ["Stream"]


class Stream(StreamReader[E]):
    """A stream of events. Opened by `with` or by the first event; closed by the end, an error, or leaving.

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

    def open(self) -> Self:
        """Send the request, unless it was sent.

        Raises:
            APIError: Coze rejected the call.
        """
        if self._http is None:
            self._http = self._open()
            self._start(self._http)
        return self

    def close(self) -> None:
        """Release the connection. Safe to call at any time, also from another thread or task than the one that reads.

        Reading on raises `StreamInterrupted`, and so does a read that waits.
        """
        self._mark_closed(CLOSED)
        if self._http is not None:
            self._release(self._http)

    def until_done(self) -> Self:
        """Read to the end and return the stream itself.

        Raises:
            StreamFailed: The stream reported a failure.
            StreamInterrupted: The stream broke off.
        """
        for _ in self:
            pass
        return self

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()
