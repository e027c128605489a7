"""Deterministic ids in the format of Coze."""

from __future__ import annotations

import random
import time
import uuid

from .clock import Clock

__all__ = ["EventIds", "Ids", "LogIds"]

# Ids of Coze have 19 digits and exceed 2**53, which is why clients must keep them as strings.
_FIRST = 7_400_000_000_000_000_000


class Ids:
    """Ascending numbers of 19 digits: ids sort by creation time, as in Coze.

    Args:
        seed: Seed of the random steps between the numbers.
        last: The last id of a saved state; None for a new one.
    """

    def __init__(self, seed: int, last: int | None = None) -> None:
        self._random = random.Random(f"ids {seed} {last}")
        self.last = _FIRST if last is None else last

    def next(self) -> str:
        """Return a new id."""
        self.last += self._random.randrange(1_000_000, 1_000_000_000)
        return str(self.last)


class LogIds:
    """Log ids: a timestamp in seconds, then 20 hexadecimal digits."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._random = random.Random(f"log ids {seed}")
        self._clock = clock

    def next(self) -> str:
        """Return a new log id."""
        moment = time.strftime("%Y%m%d%H%M%S", time.gmtime(self._clock.now()))
        return f"{moment}{self._random.getrandbits(80):020X}"


class EventIds:
    """Ids of WebSocket messages: UUIDs."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"event ids {seed}")

    def next(self) -> str:
        """Return a new message id."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
