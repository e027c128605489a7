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
        world: The state.
        user_id: The account.
        beats: The events.
    """

    def __init__(self, world: SandboxState, user_id: str, events: Iterator[StreamEvent]) -> None:
        self._world = world
        self._user_id = user_id
        self._events = events
        self._epoch = world.epoch
        self._started = False

    def __next__(self) -> StreamEvent:
        world = self._world
        with world.store.exclusive():  # a reset does not come between the question and the step
            if world.epoch != self._epoch:
                self.close()
                raise StopIteration
            self._started = True
            with world.acting_as(self._user_id):
                return next(self._events)

    def close(self) -> None:
        """End early. What was never begun is begun, so that it can note its end."""
        beats, self._events = self._events, iter(())
        close: Any = getattr(beats, "close", None)
        if close is None:
            return
        world = self._world
        with contextlib.suppress(_ResetError), world.store.transaction(), world.acting_as(self._user_id):
            if not self._started and world.epoch == self._epoch:
                next(beats, None)
            close()
            if world.epoch != self._epoch:
                raise _ResetError
