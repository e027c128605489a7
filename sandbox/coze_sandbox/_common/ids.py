"""Ids that look like those of Coze and are the same in every run."""

from __future__ import annotations

import random
import time
import uuid

from .clock import Clock

__all__ = ["EventIds", "Ids", "LogIds"]

# Ids of Coze have 19 digits and exceed 2**53, which is why clients must keep them as strings.
_FIRST = 7_400_000_000_000_000_000


class Ids:
    """Growing numbers of 19 digits.

    Growing, because the order of creation then is the order of the ids, as in Coze.

    Args:
        seed: Chooses the steps between the numbers.
        last: The number after which to go on; None to start afresh.
    """

    def __init__(self, seed: int, last: int | None = None) -> None:
        self._random = random.Random(f"ids {seed} {last}")
        self.last = _FIRST if last is None else last

    def next(self) -> str:
        """Return an id that was not given out before."""
        self.last += self._random.randrange(1_000_000, 1_000_000_000)
        return str(self.last)


class LogIds:
    """Log ids: the second, then 20 hexadecimal digits."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._random = random.Random(f"log ids {seed}")
        self._clock = clock

    def next(self) -> str:
        """Return the id of one more call."""
        moment = time.strftime("%Y%m%d%H%M%S", time.gmtime(self._clock.now()))
        return f"{moment}{self._random.getrandbits(80):020X}"


class EventIds:
    """Ids of the messages that come over WebSockets: UUIDs."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"event ids {seed}")

    def next(self) -> str:
        """Return the id of one more message."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
