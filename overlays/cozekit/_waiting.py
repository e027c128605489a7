"""Asking again and again until something has ended."""

from __future__ import annotations

import time

import attrs

__all__ = ["Waiting"]

_LONGEST_PAUSE = 5.0


@attrs.define
class Waiting:
    """Decides when to ask again, and when to stop.

    Attributes:
        interval: Seconds before asking again.
        limit: Seconds to wait at most.
    """

    interval: float
    limit: float
    _started: float = attrs.field(factory=time.monotonic, init=False)
    _pause: float = attrs.field(default=0.0, init=False)

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() - self._started >= self.limit

    def sleep(self) -> None:
        """Wait before asking again."""
        time.sleep(self._next())

    async def asleep(self) -> None:
        """Wait before asking again."""
        from anyio import sleep  # comes with httpx; serves asyncio and trio alike

        await sleep(self._next())

    def _next(self) -> float:
        """Return the seconds to wait: the interval, growing by half each time, up to 5 seconds."""
        self._pause = min(max(self._pause * 1.5, self.interval), max(_LONGEST_PAUSE, self.interval))
        remaining = self.limit - (time.monotonic() - self._started)
        return max(min(self._pause, remaining), 0.0)
