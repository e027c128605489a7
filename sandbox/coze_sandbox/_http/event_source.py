"""What is told step by step, while other calls come between."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .._state.state import SandboxState
from .context import StreamEvent

__all__ = ["ScopedEventIterator"]


class _ResetError(Exception):
    """Undoes what belongs to a state that is gone."""


class ScopedEventIterator(Iterator[StreamEvent]):
    """The events of a stream, or a turn over a WebSocket, of which each step finds what one account can see.

    A reset of the state ends it, without any change to the new state.

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
        with state.store.exclusive():  # a reset does not come between the question and the step
            if state.epoch != self._epoch:
                self.close()
                raise StopIteration
            self._started = True
            with state.acting_as(self._user_id):
                return next(self._events)

    def close(self) -> None:
        """End early. What was never begun is begun, so that it can note its end."""
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
