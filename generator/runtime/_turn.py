"""Waiting for a turn: of a thread, and of a task of any event loop."""

# Not derived: the events of threads and of tasks are two libraries.

from __future__ import annotations

import threading

__all__ = ["AsyncTurn", "Turn"]

Turn = threading.Event


class AsyncTurn:
    """A `threading.Event` for tasks, which only one waits for."""

    def __init__(self) -> None:
        from anyio import Event  # comes with httpx; imported late, since most programs never wait

        self._event = Event()
        self.set = self._event.set

    async def wait(self, seconds: float | None) -> bool:
        """Wait for the turn, at most so many seconds; without a limit if None. Return whether it came."""
        from anyio import move_on_after

        with move_on_after(seconds):
            await self._event.wait()
        return self._event.is_set()
