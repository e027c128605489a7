"""Asking again and again until something has ended."""

from __future__ import annotations

import time
from functools import reduce
from typing import Any

import attrs

from coze_api._core._operation import Poll

__all__ = ["Waiting", "is_pending"]

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


def is_pending(poll: Poll, told: Any) -> bool:
    """Tell by what the asking operation told whether anything still goes on by itself.

    A state that the description does not know ends the waiting. A list without items means that nothing is known yet.
    """
    things = [told] if poll.items is None else list(reduce(getattr, poll.items, told) or ())
    return not things or any(
        getattr(thing, poll.status) in poll.pending and not (poll.waiting and getattr(thing, poll.waiting))
        for thing in things
    )
