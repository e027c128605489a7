"""What is told step by step, while other calls come between."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .._state.state import SandboxState
from .context import Beat

__all__ = ["Steps"]


class _ResetError(Exception):
    """Undoes what belongs to a state that is gone."""


class Steps(Iterator[Beat]):
    """The events of a stream, or a turn over a WebSocket, of which each step finds what one account can see.

    A reset of the state ends it, without any change to the new state.

    Args:
        world: The state.
        user_id: The account.
        beats: The events.
    """

    def __init__(self, world: SandboxState, user_id: str, beats: Iterator[Beat]) -> None:
        self._world = world
        self._user_id = user_id
        self._beats = beats
        self._session = world.epoch
        self._begun = False

    def __next__(self) -> Beat:
        world = self._world
        with world.store.exclusive():  # a reset does not come between the question and the step
            if world.epoch != self._session:
                self.close()
                raise StopIteration
            self._begun = True
            with world.acting_as(self._user_id):
                return next(self._beats)

    def close(self) -> None:
        """End early. What was never begun is begun, so that it can note its end."""
        beats, self._beats = self._beats, iter(())
        close: Any = getattr(beats, "close", None)
        if close is None:
            return
        world = self._world
        with contextlib.suppress(_ResetError), world.store.transaction(), world.acting_as(self._user_id):
            if not self._begun and world.epoch == self._session:
                next(beats, None)
            close()
            if world.epoch != self._session:
                raise _ResetError
