"""Time that a test can move."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate

__all__ = ["Clock"]

_LAST = 253_000_000_000  # leaves room for what expires later


class Clock:
    """Wall-clock time plus what it was advanced by.

    Args:
        source: Where the time comes from; `time.time` by default.
    """

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._ahead = 0.0
        self._watchers: list[Callable[[], None]] = []

    def on_advance(self, watcher: Callable[[], None]) -> None:
        """Have something called whenever the time was moved."""
        self._watchers.append(watcher)

    def forget(self, watcher: Callable[[], None]) -> None:
        """Call something no longer when the time was moved."""
        self._watchers = [one for one in self._watchers if one != watcher]

    @property
    def ahead(self) -> float:
        """The seconds that it was advanced by."""
        return self._ahead

    def resume(self, ahead: float) -> None:
        """Be at least so many seconds ahead, as an earlier clock of the same state was."""
        self._ahead = max(self._ahead, ahead)

    def now(self) -> float:
        """Return the time in seconds since 1970-01-01 UTC."""
        return self._source() + self._ahead

    def seconds(self) -> int:
        """Return the time in whole seconds, as Coze writes moments."""
        return int(self.now())

    def http_date(self) -> str:
        """Return the time as the header `Date` has it."""
        return formatdate(self.now(), usegmt=True)

    def advance(self, seconds: float) -> float:
        """Move the time forward and return the new time.

        Raises:
            ValueError: The step is negative: ids and moments of the state would run backwards. Or it leads beyond
                the year 9999, which dates cannot tell.
        """
        if not seconds >= 0:
            raise ValueError("the clock only goes forward")
        if self.now() + seconds > _LAST:
            raise ValueError("the clock only goes until the year 9999")
        self._ahead += seconds
        for watcher in self._watchers:
            watcher()
        return self.now()

    def reset(self) -> None:
        """Go back to the time of the source."""
        self._ahead = 0.0
