"""Event iterator of one account; it ends when the state is reset."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .._state.state import SandboxState
from .context import StreamEvent

__all__ = ["ScopedEventIterator"]


class _ResetError(Exception):
    """Rolls back changes for an earlier epoch."""


class ScopedEventIterator(Iterator[StreamEvent]):
    """Runs each step of a stream, or of a turn over a WebSocket, with the visibility of one account.

    A reset of the state ends it without changes to the new state.

    Args:
        state: The state.
        user_id: The account.
        beats: The events.
    """

    def __init__(self, state: SandboxState, user_id: str, events: Iterator[StreamEvent]) -> None:
        self._state = state
        self._user_id = user_id
        self._events = events
        self._epoch = state.epoch
        self._started = False

    def __next__(self) -> StreamEvent:
        state = self._state
        with state.store.exclusive():  # no reset between the check and the step
            if state.epoch != self._epoch:
                self.close()
                raise StopIteration
            self._started = True
            with state.acting_as(self._user_id):
                return next(self._events)

    def close(self) -> None:
        """End early. A generator that was never started is started first, so that its cleanup runs."""
        events, self._events = self._events, iter(())
        close: Any = getattr(events, "close", None)
        if close is None:
            return
        state = self._state
        with contextlib.suppress(_ResetError), state.store.transaction(), state.acting_as(self._user_id):
            if not self._started and state.epoch == self._epoch:
                next(events, None)
            close()
            if state.epoch != self._epoch:
                raise _ResetError
