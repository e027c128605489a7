"""Detects lost and repeated events by the numbers that they carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import attrs

from ._errors import InvalidArgumentError
from ._operation import Counter

__all__ = ["OnGap", "SequenceChecker", "checked_on_gap"]

OnGap: TypeAlias = Literal["raise", "warn", "ignore"]
"""What a gap in the numbers of a stream's events does. See `Coze`."""


def checked_on_gap(value: object) -> OnGap:
    """Return what to do about gaps.

    Raises:
        InvalidArgumentError: It is none of the three.
    """
    if value in ("raise", "warn", "ignore"):
        return value
    raise InvalidArgumentError(f"on_gap must be 'raise', 'warn' or 'ignore', not {value!r:.60}")


@attrs.define
class SequenceChecker:
    """What the numbers of one stream have been so far.

    The ids of events count over the whole response. Some events also have a number among their likes, by which an event
    is missed that never got an id. An event without a number, such as a heartbeat, is passed over.
    """

    _id: int = 0  # the id that comes next
    _numbers: dict[tuple[Any, ...], int] = attrs.field(factory=dict)  # the number that comes next, by count
    _starts_at_zero: bool = True  # whether counts that were not seen yet begin with 0
    _skips_next: bool = False  # whether the next event was looked at before

    def check(self, event_id: bytes, counter: Counter | None, data: Any) -> tuple[str, int, int] | None:
        """Look at the next event.

        Returns:
            What counts, the number that should have come, and the one that came; None where they are the same.
        """
        if self._skips_next:
            self._skips_next = False
            return None
        number = _number(event_id)
        if number is not None and number != self._id:
            expected = self._id
            if number > expected:
                self._id = number + 1
                # What is missing may have belonged to any count.
                self._numbers.clear()
                self._starts_at_zero = False
                self._count(counter, data)
            elif number == 0:
                self._id = 1  # a count that began anew; reported once, not with each event
            return "id", expected, number
        if number is not None:
            self._id += 1
        return self._count(counter, data)

    def skip_next(self) -> None:
        """Skip the next event, which was checked before."""
        self._skips_next = True

    def _count(self, counter: Counter | None, data: Any) -> tuple[str, int, int] | None:
        if counter is None or not isinstance(data, Mapping):
            return None
        number = _number(data.get(counter.member))
        if number is None:
            return None
        key = (counter.member, *(str(data.get(name)) for name in counter.within))
        expected = self._numbers.get(key, 0 if self._starts_at_zero else number)
        if counter.until is not None and data.get(counter.until) is True:
            self._numbers[key] = 0
        elif number >= expected or number == 0:
            self._numbers[key] = number + 1
        return None if number == expected else (counter.member, expected, number)


def _number(value: Any) -> int | None:
    """Read a number that came as text or as a number."""
    if value.__class__ is int:
        return int(value)
    if isinstance(value, bytes | str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return None
