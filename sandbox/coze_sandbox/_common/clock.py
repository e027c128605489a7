"""A clock that tests can advance."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate

__all__ = ["Clock"]

_LAST = 253_000_000_000  # leaves room for expiry times after it


class Clock:
    """Wall-clock time plus an offset that tests advance.

    Args:
        source: Returns the time in seconds since 1970-01-01 UTC; `time.time` by default.
    """

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._ahead = 0.0
        self._watchers: list[Callable[[], None]] = []

    def on_advance(self, watcher: Callable[[], None]) -> None:
        """Call *watcher* whenever the clock is advanced."""
        self._watchers.append(watcher)

    def forget(self, watcher: Callable[[], None]) -> None:
        """Stop calling *watcher*."""
        self._watchers = [other for other in self._watchers if other != watcher]

    @property
    def ahead(self) -> float:
        """The offset in seconds."""
        return self._ahead

    def resume(self, ahead: float) -> None:
        """Set the offset to at least *ahead* seconds, as restored from a saved state."""
        self._ahead = max(self._ahead, ahead)

    def now(self) -> float:
        """Return the time in seconds since 1970-01-01 UTC."""
        return self._source() + self._ahead

    def seconds(self) -> int:
        """Return the time in whole seconds, the format of Coze's timestamps."""
        return int(self.now())

    def http_date(self) -> str:
        """Return the time in the format of the `Date` header."""
        return formatdate(self.now(), usegmt=True)

    def advance(self, seconds: float) -> float:
        """Move the time forward and return the new time.

        Raises:
            ValueError: The step is negative, or the new time is after the year 9999.
        """
        if not seconds >= 0:
            raise ValueError("the clock only goes forward: seconds must be 0 or more")
        if self.now() + seconds > _LAST:
            raise ValueError("the clock cannot be advanced beyond the year 9999")
        self._ahead += seconds
        for watcher in self._watchers:
            watcher()
        return self.now()

    def reset(self) -> None:
        """Set the offset back to 0."""
        self._ahead = 0.0
